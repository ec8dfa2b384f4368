//! The horizontal scale of the timeline: times if records have them, else the lines of the input.

use std::collections::BTreeMap;

use alert_triage::report::Seen;
use jiff::Timestamp;

/// Ticks on the axis.
const MAX_TICKS: i64 = 5;

/// Seconds between two ticks; each divides a day evenly, or is whole days.
const STEPS: [i64; 19] = [
    1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
    2_419_200, 7_776_000, 31_536_000,
];

/// Positions records from left to right.
pub(super) enum Scale {
    /// From the first time to the last, including `now`, in seconds since 1970.
    Time { from: i64, to: i64, now: Option<Timestamp> },
    /// From line 1 to line `to`. Several files follow each other; `before` has the lines before
    /// each.
    Lines { before: BTreeMap<Option<String>, i64>, to: i64 },
}

/// A labelled mark on the axis.
pub(super) struct Tick {
    /// Percent of the width.
    pub(super) at: f64,
    pub(super) label: String,
    /// The date, on the first tick of each day.
    pub(super) day: Option<String>,
}

impl Scale {
    pub(super) fn new(seen: &[&Seen], now: Option<Timestamp>) -> Self {
        let instants = || seen.iter().filter_map(|seen| seen.at).map(Timestamp::as_second);
        if let (Some(from), Some(to)) = (instants().min(), instants().max()) {
            let now_second = now.map(Timestamp::as_second);
            return Scale::Time { from, to: to.max(now_second.unwrap_or(to)), now };
        }
        let mut last: BTreeMap<Option<String>, i64> = BTreeMap::new();
        for seen in seen {
            let line = last.entry(seen.source.clone()).or_default();
            *line = (*line).max(seen.line as i64);
        }
        let mut to = 0;
        for line in last.values_mut() {
            to += std::mem::replace(line, to);
        }
        Scale::Lines { before: last, to: to.max(1) }
    }

    /// The position of a record in percent of the width; `None` if it has no time but others have.
    pub(super) fn position(&self, seen: &Seen) -> Option<f64> {
        match self {
            Scale::Time { .. } => seen.at.map(|at| self.percent(at.as_second())),
            Scale::Lines { before, .. } => {
                Some(self.percent(before.get(&seen.source).copied().unwrap_or(0) + seen.line as i64))
            }
        }
    }

    /// Whether a record is earlier than the axis.
    pub(super) fn is_before(&self, seen: &Seen) -> bool {
        match self {
            Scale::Time { from, .. } => seen.at.is_some_and(|at| at.as_second() < *from),
            Scale::Lines { .. } => false,
        }
    }

    /// The position of `now`, if it is known and the scale shows time.
    pub(super) fn now(&self) -> Option<f64> {
        match self {
            Scale::Time { now, .. } => now.map(|now| self.percent(now.as_second())),
            Scale::Lines { .. } => None,
        }
    }

    pub(super) fn title(&self) -> &'static str {
        match self {
            Scale::Time { .. } => "From left to right: time (UTC).",
            Scale::Lines { before, .. } if before.len() > 1 => {
                "From left to right: lines of the input, one file after the other, because no record has a time."
            }
            Scale::Lines { .. } => "From left to right: lines of the input, because no record has a time.",
        }
    }

    pub(super) fn ticks(&self) -> Vec<Tick> {
        match self {
            Scale::Time { from, to, .. } => {
                let step = STEPS.into_iter().find(|step| (to - from) / step <= MAX_TICKS);
                let step = step.unwrap_or_else(|| (to - from) / MAX_TICKS + 1);
                let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
                let seconds = (first..).map(|n| n * step).take_while(|second| second <= to);
                let mut day = String::new();
                seconds.filter_map(|second| self.tick(second, step, &mut day)).collect()
            }
            Scale::Lines { before, .. } if before.len() > 1 => (before.iter().take(MAX_TICKS as usize))
                .map(|(source, before)| Tick {
                    at: self.percent(before + 1),
                    label: alert_triage::printable(source.as_deref().unwrap_or_default()),
                    day: None,
                })
                .collect(),
            Scale::Lines { to, .. } => {
                let step = (0..)
                    .flat_map(|power| [1, 2, 5].map(|digit| digit * 10_i64.saturating_pow(power)))
                    .find(|step| to / step <= MAX_TICKS)
                    .unwrap_or(*to);
                let lines = std::iter::once(1).chain((1..).map(|n| n * step).take_while(|line| line <= to));
                let mut lines: Vec<i64> = lines.collect();
                lines.dedup();
                lines
                    .into_iter()
                    .map(|line| Tick { at: self.percent(line), label: line.to_string(), day: None })
                    .collect()
            }
        }
    }

    fn tick(&self, second: i64, step: i64, day: &mut String) -> Option<Tick> {
        let at = Timestamp::from_second(second).ok()?;
        let date = at.strftime("%F").to_string();
        let clock = at.strftime(if step < 60 { "%T" } else { "%H:%M" }).to_string();
        let is_new = step < 86_400 && *day != date;
        *day = date.clone();
        let (label, day) = if step < 86_400 { (clock, is_new.then_some(date)) } else { (date, None) };
        Some(Tick { at: self.percent(second), label, day })
    }

    fn percent(&self, value: i64) -> f64 {
        let (from, to) = match self {
            Scale::Time { from, to, .. } => (*from, *to),
            Scale::Lines { to, .. } => (1, *to),
        };
        if to <= from {
            return 50.0;
        }
        if value < from {
            return 0.0;
        }
        let part = (value - from) as f64 / (to - from) as f64;
        // The margins have room for the marks at both ends.
        ((1.5 + 97.0 * part.clamp(0.0, 1.0)) * 100.0).round() / 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(source: Option<&str>, line: u64, at: Option<&str>) -> Seen {
        Seen { source: source.map(str::to_owned), line, at: at.map(|at| at.parse().unwrap()) }
    }

    fn labels(scale: &Scale) -> Vec<String> {
        scale
            .ticks()
            .into_iter()
            .map(|tick| tick.day.into_iter().chain([tick.label]).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn times_take_precedence_over_lines() {
        let seen = [
            seen(None, 1, Some("2026-11-23T22:10:00Z")),
            seen(None, 2, None),
            seen(None, 3, Some("2026-11-24T01:50:00Z")),
        ];
        let scale =
            Scale::new(&seen.iter().collect::<Vec<_>>(), Some("2026-11-24T02:10:00Z".parse().unwrap()));
        assert_eq!(labels(&scale), ["2026-11-23 23:00", "2026-11-24 00:00", "01:00", "02:00"]);
        let places: Vec<_> = seen.iter().map(|seen| scale.position(seen)).collect();
        assert_eq!(places, [Some(1.5), None, Some(90.42)]);
        assert_eq!(scale.now(), Some(98.5));
    }

    #[test]
    fn ticks_are_few_and_even_for_any_span() {
        for (case, to, want) in [
            ("one instant", "2026-11-23T00:00:00Z", vec!["2026-11-23 00:00:00"]),
            ("seconds", "2026-11-23T00:00:07Z", vec!["2026-11-23 00:00:00", "00:00:05"]),
            ("minutes", "2026-11-23T00:12:00Z", vec!["2026-11-23 00:00", "00:05", "00:10"]),
            (
                "days",
                "2026-11-27T05:00:00Z",
                vec!["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"],
            ),
        ] {
            let seen = [seen(None, 1, Some("2026-11-23T00:00:00Z")), seen(None, 2, Some(to))];
            assert_eq!(labels(&Scale::new(&seen.iter().collect::<Vec<_>>(), None)), want, "{case}");
        }
        let ages = [seen(None, 1, Some("0001-01-01T00:00:00Z")), seen(None, 2, Some("9999-01-01T00:00:00Z"))];
        let count = labels(&Scale::new(&ages.iter().collect::<Vec<_>>(), None)).len();
        assert!((1..=6).contains(&count), "{count}");
    }

    #[test]
    fn what_is_older_than_the_axis_runs_in_from_its_edge() {
        let asks = [seen(None, 2, Some("2026-11-23T07:40:00Z")), seen(None, 3, Some("2026-11-23T07:50:00Z"))];
        let old = seen(None, 1, Some("2026-11-01T00:00:00Z"));
        let now = "2026-11-23T08:00:00Z".parse().unwrap();
        let scale = Scale::new(&asks.iter().collect::<Vec<_>>(), Some(now));
        assert_eq!((scale.position(&old), scale.is_before(&old)), (Some(0.0), true));
        assert_eq!((scale.position(&asks[0]), scale.is_before(&asks[0])), (Some(1.5), false));
        assert_eq!(scale.position(&asks[1]), Some(50.0));
    }

    #[test]
    fn lines_are_counted_and_files_follow_each_other() {
        for (case, lines, want) in [
            ("one line", vec![seen(None, 1, None)], vec!["1"]),
            ("the sample's", vec![seen(None, 1, None), seen(None, 31, None)], vec!["1", "10", "20", "30"]),
            ("a file each", vec![seen(Some("a"), 10, None), seen(Some("b"), 5, None)], vec!["a", "b"]),
        ] {
            assert_eq!(labels(&Scale::new(&lines.iter().collect::<Vec<_>>(), None)), want, "{case}");
        }
        let files = [seen(Some("a"), 10, None), seen(Some("b"), 1, None), seen(Some("b"), 11, None)];
        let scale = Scale::new(&files.iter().collect::<Vec<_>>(), None);
        let places: Vec<_> = files.iter().map(|seen| scale.position(seen)).collect();
        assert_eq!(places, [Some(45.15), Some(50.0), Some(98.5)]);
    }
}
