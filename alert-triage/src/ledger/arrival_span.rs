//! When records arrived, and counts of forgotten records.

use jiff::{SignedDuration, Timestamp};

/// When records arrived, independent of the times they carry, in whole seconds since 1970; zero
/// means never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ArrivalSpan {
    /// The start of arrivals without a gap above the limit.
    from: u32,
    to: u32,
}

impl ArrivalSpan {
    pub(crate) fn extend(&mut self, at: Timestamp, gap: SignedDuration) {
        let at = second(at);
        self.merge(ArrivalSpan { from: at, to: at }, gap);
    }

    /// Starts a new span: the alert resolved.
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

    /// The first and the last arrival.
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

/// Counts of the records of forgotten alerts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RetiredRecords {
    pub(crate) records: u64,
    /// Records that repeat another record.
    pub(crate) repeats: u64,
}

impl RetiredRecords {
    pub(crate) fn add(&mut self, other: RetiredRecords) {
        self.records += other.records;
        self.repeats += other.repeats;
    }
}
