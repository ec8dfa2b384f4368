//! The times of events: records whose source never sends a resolve.

use jiff::{SignedDuration, Timestamp};

use crate::source_position::SourcePosition;

/// At most this number of slices is kept per label set: at least two and a half days with a gap of
/// 15 minutes.
const MAX_SLICES: usize = 256;

/// Events below this number have no rhythm.
const MIN_RHYTHM_EVENTS: i64 = 5;

/// Times in slices, each no longer than the gap that ends a burst. A slice keeps its first and last
/// time: gaps inside a slice are too small to matter, gaps between slices are exact. The slices
/// depend on the times only, not on the order of arrival or on what was dropped.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Bursts {
    /// By time.
    slices: Vec<(Timestamp, Timestamp)>,
    records: u64,
    /// The first and the last record, dropped ones included.
    ends: Option<[(Timestamp, SourcePosition); 2]>,
    /// The newest position.
    last: Option<SourcePosition>,
}

/// Events without a gap above the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Burst {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// When the burst was resolved.
    pub(crate) ended: Option<Timestamp>,
}

impl Bursts {
    /// Adds an event and counts it.
    pub(crate) fn add(&mut self, at: Timestamp, position: SourcePosition, gap: SignedDuration) {
        self.extend(at, gap);
        self.records += 1;
        self.extend_ends([(at, position); 2], position);
    }

    /// Adds a time without counting a record.
    pub(crate) fn extend(&mut self, at: Timestamp, gap: SignedDuration) {
        self.slice((at, at), gap);
    }

    fn slice(&mut self, (first, last): (Timestamp, Timestamp), gap: SignedDuration) {
        let width = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX).max(1);
        let number = |at: Timestamp| at.as_microsecond().div_euclid(width);
        let wanted = number(first);
        let begin = wanted.saturating_mul(width);
        let at = self.slices.partition_point(|known| known.0.as_microsecond() < begin);
        match self.slices.get_mut(at).filter(|known| number(known.0) == wanted) {
            Some(known) => *known = (known.0.min(first), known.1.max(last)),
            None => {
                self.slices.insert(at, (first, last));
                self.slices.drain(..self.slices.len().saturating_sub(MAX_SLICES));
            }
        }
    }

    fn extend_ends(&mut self, [first, last]: [(Timestamp, SourcePosition); 2], position: SourcePosition) {
        let ends = self.ends.get_or_insert([first, last]);
        *ends = [ends[0].min(first), ends[1].max(last)];
        self.last = self.last.max(Some(position));
    }

    pub(crate) fn merge(&mut self, other: Bursts, gap: SignedDuration) {
        for slice in other.slices {
            self.slice(slice, gap);
        }
        self.records += other.records;
        if let Some((ends, position)) = other.ends.zip(other.last) {
            self.extend_ends(ends, position);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// The newest position of a record counted here.
    pub(crate) fn last(&self) -> Option<SourcePosition> {
        self.last
    }

    /// The first and the last record counted here, by time.
    pub(crate) fn ends(&self) -> Option<[(Timestamp, SourcePosition); 2]> {
        self.ends
    }

    /// The interval of events that came in a regular rhythm. Gaps inside a slice are not known, so
    /// it takes two gaps between slices, each near the mean of all.
    pub(crate) fn rhythm(&self) -> Option<SignedDuration> {
        let [(first, _), (last, _)] = self.ends?;
        let intervals = i64::try_from(self.records).ok()? - 1;
        if intervals + 1 < MIN_RHYTHM_EVENTS || self.slices.len() < 3 {
            return None;
        }
        let every = last.duration_since(first).as_millis() as i64 / intervals;
        // A shorter interval than a slice may be anywhere inside it.
        let is_exact = self.records == self.slices.len() as u64;
        let is_near = |gap: i64| gap <= every * 2 && (!is_exact || gap * 2 >= every);
        let mut gaps =
            self.slices.windows(2).map(|pair| pair[1].0.duration_since(pair[0].1).as_millis() as i64);
        (every > 0 && gaps.all(is_near)).then(|| SignedDuration::from_millis(every))
    }

    /// The bursts by time, split by `ends`, which are sorted. If an end falls into a slice, the
    /// first time after it is unknown: the next burst starts at the end.
    pub(crate) fn bursts(&self, gap: SignedDuration, ends: &[Timestamp]) -> Vec<Burst> {
        let from = |at: Timestamp| ends.partition_point(|end| *end < at);
        let mut runs: Vec<Burst> = Vec::new();
        for &(first, last) in &self.slices {
            let goes_on = runs
                .last()
                .is_some_and(|run| first.duration_since(run.to) <= gap && from(run.to) == from(first));
            match runs.last_mut().filter(|_| goes_on) {
                Some(run) => run.to = first,
                None => runs.push(Burst { from: first, to: first, ended: None }),
            }
            match (ends[from(first)..from(last)].last(), runs.last_mut()) {
                (None, Some(run)) => run.to = last,
                (Some(&end), _) => runs.push(Burst { from: end, to: last, ended: None }),
                (None, None) => {}
            }
        }
        for run in &mut runs {
            run.ended = ends.get(from(run.to)).copied();
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GAP: SignedDuration = SignedDuration::from_mins(15);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_500_000 + minute * 60).unwrap()
    }

    fn bursts(minutes: &[i64]) -> Bursts {
        let mut bursts = Bursts::default();
        for (line, minute) in minutes.iter().enumerate() {
            bursts.add(at(*minute), SourcePosition::new(0, 0, line as u64 + 1), GAP);
        }
        bursts
    }

    #[test]
    fn a_gap_or_an_end_parts_bursts() {
        for (case, minutes, ends, want) in [
            ("none", &[][..], &[][..], &[][..]),
            ("one time", &[5], &[], &[(5, 5, None)]),
            ("no gap", &[0, 15, 30, 45], &[], &[(0, 45, None)]),
            ("a gap", &[0, 15, 31], &[], &[(0, 15, None), (31, 31, None)]),
            ("in any order", &[31, 0, 15], &[], &[(0, 15, None), (31, 31, None)]),
            ("an end between", &[0, 10, 16, 20], &[12], &[(0, 10, Some(12)), (16, 20, None)]),
            (
                "an end at a time ends what was said then",
                &[0, 15, 30],
                &[15],
                &[(0, 15, Some(15)), (30, 30, None)],
            ),
            ("an end within a slice", &[1, 14], &[5], &[(1, 1, Some(5)), (5, 14, None)]),
            ("an end behind", &[0, 10], &[11], &[(0, 10, Some(11))]),
            ("two ends", &[1, 14], &[5, 9, 20], &[(1, 1, Some(5)), (9, 14, Some(20))]),
        ] {
            let ends: Vec<Timestamp> = ends.iter().copied().map(at).collect();
            let want: Vec<Burst> = (want.iter())
                .map(|(from, to, ended)| Burst { from: at(*from), to: at(*to), ended: ended.map(at) })
                .collect();
            assert_eq!(bursts(minutes).bursts(GAP, &ends), want, "{case}");
        }
    }

    #[test]
    fn a_rhythm_is_regular() {
        for (case, minutes, want) in [
            ("none", vec![], None),
            ("every 5 min", (0..12).map(|n| n * 5).collect(), Some(5)),
            ("with some jitter", vec![0, 6, 10, 15, 21, 25, 31, 35, 40], Some(5)),
            ("every hour", (0..6).map(|n| n * 60).collect(), Some(60)),
            ("every day", (0..6).map(|n| n * 1_440).collect(), Some(1_440)),
            ("too few", vec![0, 60, 120, 180], None),
            ("one burst", vec![0, 1, 2, 3, 4, 5, 6], None),
            ("two bursts", vec![0, 1, 2, 3, 200, 201, 202, 203], None),
            ("now and then", vec![0, 30, 400, 410, 1_000, 1_700], None),
            ("one pause", vec![0, 60, 120, 180, 400, 460, 520], None),
            ("at once", vec![3; 9], None),
        ] {
            let found = bursts(&minutes).rhythm();
            assert_eq!(found, want.map(SignedDuration::from_mins), "{case}");
        }
    }

    proptest! {
        /// Law: the order and the split of the events do not change the rhythm.
        #[test]
        fn a_rhythm_has_no_order(minutes in prop::collection::vec(0i64..200, 0..60), split in 0usize..60) {
            let (a, b) = minutes.split_at(split.min(minutes.len()));
            let mut merged = bursts(b);
            merged.merge(bursts(a), GAP);
            prop_assert_eq!(merged.rhythm(), bursts(&minutes).rhythm());
        }

        /// Law: what is dropped does not depend on the order.
        #[test]
        fn bursts_have_no_order(minutes in prop::collection::vec(0i64..20_000, 0..900), split in 0usize..900) {
            let runs = |bursts: &Bursts| bursts.bursts(GAP, &[]);
            let whole = runs(&bursts(&minutes));
            let mut sorted = minutes.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&runs(&bursts(&sorted)), &whole);
            let (a, b) = minutes.split_at(split.min(minutes.len()));
            let mut merged = bursts(b);
            merged.merge(bursts(a), GAP);
            prop_assert_eq!(&runs(&merged), &whole);
        }

        /// Law: while nothing is dropped, bursts are exact.
        #[test]
        fn bursts_are_exact(minutes in prop::collection::vec(0i64..2_000, 1..60)) {
            let mut sorted = minutes.clone();
            sorted.sort_unstable();
            let exact: Vec<Burst> = sorted
                .chunk_by(|a, b| b - a <= 15)
                .map(|run| Burst { from: at(run[0]), to: at(run[run.len() - 1]), ended: None })
                .collect();
            prop_assert_eq!(bursts(&minutes).bursts(GAP, &[]), exact);
        }
    }
}
