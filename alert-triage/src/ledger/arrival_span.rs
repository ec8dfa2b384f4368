//! When records arrived, and records of alerts that were forgotten.

use jiff::{SignedDuration, Timestamp};

/// When something was heard of, whatever its records say of time, in whole seconds since 1970; zero is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ArrivalSpan {
    /// Since then without a gap beyond the limit.
    from: u32,
    to: u32,
}

impl ArrivalSpan {
    pub(crate) fn extend(&mut self, at: Timestamp, gap: SignedDuration) {
        let at = second(at);
        self.merge(ArrivalSpan { from: at, to: at }, gap);
    }

    /// What was said is over: what comes next is another thing.
    pub(crate) fn restart(&mut self, at: Timestamp) {
        self.to = self.to.max(second(at));
        self.from = self.to;
    }

    pub(crate) fn merge(&mut self, other: ArrivalSpan, gap: SignedDuration) {
        let (early, late) = if self.to <= other.to { (*self, other) } else { (other, *self) };
        let joins = i64::from(late.from) - i64::from(early.to) <= gap.as_secs();
        *self = if early.to > 0 && joins {
            ArrivalSpan { from: early.from.min(late.from), to: late.to }
        } else {
            late
        };
    }

    /// Since when, and when last.
    pub(crate) fn bounds(self) -> Option<(Timestamp, Timestamp)> {
        let at = |second: u32| Timestamp::from_second(i64::from(second)).ok();
        at(self.from).zip(at(self.to)).filter(|_| self.to > 0)
    }

    pub(crate) fn last(self) -> Option<Timestamp> {
        self.bounds().map(|(_, last)| last)
    }
}

fn second(at: Timestamp) -> u32 {
    at.as_second().clamp(1, i64::from(u32::MAX)) as u32
}

/// Records of alerts that were forgotten.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Retired {
    pub(crate) records: u64,
    /// Those that repeat another.
    pub(crate) repeats: u64,
}

impl Retired {
    pub(crate) fn add(&mut self, other: Retired) {
        self.records += other.records;
        self.repeats += other.repeats;
    }
}
