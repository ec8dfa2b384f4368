//! The instants at which a backtest evaluates its history: when records arrive, and when time alone
//! may change a verdict.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::arrival::Arrival;
use crate::record::Status;
use crate::rules::Rules;

/// Maximum number of evaluations of one history.
const MAX_EVALUATIONS: u64 = 2_000;

/// Maximum number of evaluated alerts, summed over all evaluations.
const MAX_EVALUATED_ALERTS: u64 = 2_000_000;

/// Number of evaluations that are always allowed, however many alerts there are.
const MIN_EVALUATIONS: u64 = 20;

/// Interval between evaluations while nothing arrives: transients become sustained, and silences
/// set at the source expire.
const EVALUATION_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug)]
pub(super) struct EvaluationTimes {
    /// In ascending order. A history without times has one evaluation, at `now` or at `None`.
    pub(super) times: Vec<Option<Timestamp>>,
    /// The time of the first record.
    pub(super) from: Option<Timestamp>,
    /// The number of instants at which a verdict could have changed.
    pub(super) candidates: u64,
    /// The number of episodes that began and ended between two evaluations.
    pub(super) missed: u64,
}

impl EvaluationTimes {
    /// Plans the evaluations of a history with `distinct` alerts.
    pub(super) fn new(
        arrivals: [&[Arrival]; 2],
        rules: [&Rules; 2],
        now: Option<Timestamp>,
        distinct: u64,
    ) -> Self {
        let mut all: BTreeSet<Timestamp> =
            arrivals.into_iter().flatten().filter_map(|arrival| arrival.at).collect();
        let (Some(&first), Some(&last)) = (all.first(), all.last()) else {
            // A history without times has one report, at `now` if that is given.
            return Self { times: vec![now], from: now, candidates: 1, missed: 0 };
        };
        let last = now.map_or(last, |now| now.max(last));
        all.insert(last);
        let ended: Vec<(Timestamp, Timestamp)> = arrivals.into_iter().flat_map(episodes).collect();
        let room = MAX_EVALUATIONS.min((MAX_EVALUATED_ALERTS / distinct.max(1)).max(MIN_EVALUATIONS));
        let long = last.duration_since(first).as_secs().unsigned_abs();
        if let Some(step) = long.checked_div(room.saturating_sub(all.len() as u64)) {
            let step = EVALUATION_INTERVAL.as_secs().unsigned_abs().max(step + 1);
            let idle = (1..).map_while(|turn: u64| {
                let later = SignedDuration::from_secs(i64::try_from(turn.checked_mul(step)?).ok()?);
                first.checked_add(later).ok().filter(|at| *at < last)
            });
            all.extend(idle);
        }
        // The start and the end of each silence are always evaluated, even if nothing arrives then.
        let within = |at: &Timestamp| first < *at && *at < last;
        let mut must: BTreeSet<Timestamp> =
            rules.into_iter().flat_map(Rules::silence_edges).filter(within).collect();
        all.extend(&must);
        must.insert(last);
        if all.len() as u64 > room {
            must.extend(evenly(&while_open(&ended, &all), room.saturating_sub(must.len() as u64)));
            must.extend(evenly(&all, room.saturating_sub(must.len() as u64)));
        } else {
            must.clone_from(&all);
        }
        let missed = ended.iter().filter(|(from, to)| must.range(*from..*to).next().is_none()).count() as u64;
        Self {
            times: must.into_iter().map(Some).collect(),
            from: Some(first),
            candidates: all.len() as u64,
            missed,
        }
    }
}

/// Start and end of every episode that was resolved.
fn episodes(arrivals: &[Arrival]) -> Vec<(Timestamp, Timestamp)> {
    let mut open: HashMap<Vec<&str>, Timestamp> = HashMap::new();
    let mut ended = Vec::new();
    for arrival in arrivals {
        let (Some(at), record) = (arrival.at, &arrival.record) else { continue };
        let key: Vec<&str> = match &record.key {
            Some(key) => vec![key],
            None => {
                let mut labels: Vec<(&str, &str)> =
                    record.labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
                labels.sort_unstable();
                [record.alert.as_ref(), record.text.as_ref()]
                    .into_iter()
                    .chain(labels.into_iter().flat_map(|(name, value)| [name, value]))
                    .collect()
            }
        };
        match record.status {
            Status::Resolved => {
                ended.extend(open.remove(&key).filter(|from| *from < at).map(|from| (from, at)))
            }
            _ => {
                open.entry(key).or_insert(at);
            }
        }
    }
    ended
}

/// The smallest set of instants that contains one inside each episode: the last instant before an
/// end, unless the episode contains a chosen instant already.
fn while_open(ended: &[(Timestamp, Timestamp)], all: &BTreeSet<Timestamp>) -> BTreeSet<Timestamp> {
    let mut by_end = ended.to_vec();
    by_end.sort_unstable_by_key(|(_, to)| *to);
    let mut chosen: BTreeSet<Timestamp> = BTreeSet::new();
    for (from, to) in by_end {
        if chosen.last().is_none_or(|last| *last < from) {
            chosen.extend(all.range(from..to).next_back());
        }
    }
    chosen
}

/// At most `room` of them, evenly spaced, including the last.
fn evenly(all: &BTreeSet<Timestamp>, room: u64) -> Vec<Timestamp> {
    let count = all.len() as u64;
    if count <= room {
        return all.iter().copied().collect();
    }
    let all: Vec<Timestamp> = all.iter().copied().collect();
    (1..=room).map(|turn| all[(turn * count / room - 1) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::ledger::Engine;

    fn times_of(json: &str, distinct: u64) -> EvaluationTimes {
        let mut engine = Engine::recording(Rules::builtin());
        engine.read("a.json", Format::Jsonl, json.as_bytes());
        let arrivals = super::super::arrival::arrivals(&mut engine);
        let rules = Rules::builtin();
        EvaluationTimes::new([&arrivals, &arrivals], [&rules, &rules], None, distinct)
    }

    fn record(n: u32, minute: u32, state: &str) -> String {
        let at = format!("2026-11-23T{:02}:{:02}:00Z", minute / 60, minute % 60);
        format!("{{\"labels\":{{\"alertname\":\"X{n}\"}},\"status\":\"{state}\",\"timestamp\":\"{at}\"}}\n")
    }

    #[test]
    fn a_short_history_is_evaluated_at_every_arrival_and_every_five_minutes() {
        let json = record(1, 0, "firing") + &record(1, 7, "resolved") + &record(2, 60, "firing");
        let times = times_of(&json, 2);
        let minutes: Vec<i8> = (times.times.iter().flatten())
            .map(|at| jiff::tz::Offset::UTC.to_datetime(*at).minute())
            .collect();
        assert_eq!(minutes, [0, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 0]);
        assert_eq!((times.candidates, times.missed), (14, 0));
    }

    #[test]
    fn a_long_history_is_evaluated_inside_the_episodes() {
        // 1,000 episodes in ten bursts: ten evaluations cover all of them.
        let json: String = (0..1_000)
            .flat_map(|n| {
                let begin = (n / 100) * 120 + n % 50;
                [record(n, begin, "firing"), record(n, (n / 100) * 120 + 60, "resolved")]
            })
            .collect();
        let times = times_of(&json, 1_000_000);
        assert!(times.times.len() as u64 <= MIN_EVALUATIONS && times.candidates > MIN_EVALUATIONS);
        assert_eq!(times.missed, 0);
        // 30 episodes that never overlap do not fit into 20 evaluations: the rest is counted as
        // missed.
        let json: String =
            (0..30).flat_map(|n| [record(n, n * 20, "firing"), record(n, n * 20 + 1, "resolved")]).collect();
        let times = times_of(&json, 1_000_000);
        assert_eq!(times.times.len() as u64, MIN_EVALUATIONS);
        assert!(times.missed > 0 && times.missed <= 2 * 30, "{}", times.missed);
    }
}
