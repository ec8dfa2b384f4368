//! Sets of alerts that belong together, in whatever order they are joined.

/// Which alerts are joined.
pub(in crate::judge) struct Union(Vec<u32>);

impl Union {
    pub(in crate::judge) fn new(len: usize) -> Self {
        Self((0..len as u32).collect())
    }

    pub(in crate::judge) fn find(&mut self, at: u32) -> u32 {
        let mut root = at;
        while self.0[root as usize] != root {
            root = self.0[root as usize];
        }
        let mut at = at;
        while self.0[at as usize] != root {
            at = std::mem::replace(&mut self.0[at as usize], root);
        }
        root
    }

    pub(in crate::judge) fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
