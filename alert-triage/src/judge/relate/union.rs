//! Disjoint sets of alerts. The result does not depend on the order of the joins.

use crate::judge::index::{AlertIx, IndexedList, indices};

/// A union-find structure over alerts. The root of a set is its smallest index.
pub(in crate::judge) struct Union(IndexedList<AlertIx, AlertIx>);

impl Union {
    pub(in crate::judge) fn new(len: usize) -> Self {
        Self(indices(len).collect::<Vec<_>>().into())
    }

    /// The root of the set that contains `at`.
    pub(in crate::judge) fn find(&mut self, at: AlertIx) -> AlertIx {
        let mut root = at;
        while self.0[root] != root {
            root = self.0[root];
        }
        let mut at = at;
        while self.0[at] != root {
            at = std::mem::replace(&mut self.0[at], root);
        }
        root
    }

    /// Joins the sets of two alerts.
    pub(in crate::judge) fn join(&mut self, a: AlertIx, b: AlertIx) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}
