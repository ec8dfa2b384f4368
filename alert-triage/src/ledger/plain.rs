//! Records of which nothing is kept but their places.

use crate::place::Place;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Plain {
    pub(crate) count: u64,
    pub(crate) first: Place,
    pub(crate) last: Place,
}

impl Default for Plain {
    fn default() -> Self {
        Self { count: 0, first: Place::MAX, last: Place::new(0, 0, 0) }
    }
}

impl Plain {
    pub(crate) fn add(&mut self, other: Plain) {
        self.count += other.count;
        self.first = self.first.min(other.first);
        if other.count > 0 {
            self.last = self.last.max(other.last);
        }
    }
}
