//! Ends that a source announces while an alert still fires.

use jiff::Timestamp;

use crate::source_position::SourcePosition;

/// At most this number of ends is kept, the latest ones. Prometheus announces an end four of its
/// intervals ahead, so few are later than the real end.
const MAX_ENDS: usize = 16;

/// The announced ends of one alert. The end that applies is the one announced last, not the latest
/// one.
///
/// Prometheus pushes an end some minutes ahead, moves it with each push, and sets it back when the
/// alert resolves. A push carries no send time, so pushes are ordered by position. An end in a push
/// that is delivered twice keeps its first position.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct AnnouncedEnds {
    /// Each end with its first position; the latest end first.
    ends: Vec<(Timestamp, SourcePosition)>,
}

impl AnnouncedEnds {
    pub(crate) fn add(&mut self, end: Timestamp, position: SourcePosition) {
        let at = self.ends.partition_point(|(known, _)| *known > end);
        match self.ends.get_mut(at).filter(|(known, _)| *known == end) {
            Some((_, first)) => *first = position.min(*first),
            None => {
                self.ends.insert(at, (end, position));
                self.ends.truncate(MAX_ENDS);
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &AnnouncedEnds) {
        for (end, position) in &other.ends {
            self.add(*end, *position);
        }
    }

    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.last().map(|(end, _)| end)
    }

    /// The end that applies, and its position. Of two ends at one position the later one applies.
    pub(crate) fn last(&self) -> Option<(Timestamp, SourcePosition)> {
        self.ends.iter().copied().max_by_key(|(end, position)| (*position, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_of(ends: &[(i64, u64)]) -> Option<i64> {
        let mut announced = AnnouncedEnds::default();
        for (end, line) in ends {
            announced.add(Timestamp::from_second(*end).unwrap(), SourcePosition::new(0, 0, *line));
        }
        announced.end().map(Timestamp::as_second)
    }

    #[test]
    fn the_end_that_was_new_last_holds() {
        let hours: Vec<_> = (1..=500).map(|push| (push as i64 * 60 + 240, push)).collect();
        for (case, ends, want) in [
            ("nothing announced", &[][..], None),
            ("moved on", &[(240, 1), (300, 2), (360, 3)], Some(360)),
            ("taken back", &[(240, 1), (300, 2), (90, 3)], Some(90)),
            ("taken back, and announced again", &[(240, 1), (300, 2), (90, 3), (90, 4)], Some(90)),
            ("an old push delivered again", &[(240, 1), (300, 2), (90, 3), (240, 4)], Some(90)),
            ("one line holds both", &[(240, 1), (90, 1)], Some(240)),
            (
                "a push a minute for hours, then over",
                &[&hours[..], &[(500 * 60 + 10, 501)]].concat(),
                Some(30_010),
            ),
        ] {
            assert_eq!(end_of(ends), want, "{case}");
            let reversed: Vec<_> = ends.iter().rev().copied().collect();
            assert_eq!(end_of(&reversed), want, "{case}, in any order of arrival");
        }
    }
}
