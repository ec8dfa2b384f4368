//! When to look: whenever something arrives, and whenever time alone may change something.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::replay::Arrival;
use crate::record::Status;
use crate::rules::Rules;

/// Looked at, at most.
const JUDGED: u64 = 2_000;

/// And so that all looks together do not take more judgements of single alerts than that.
const JUDGEMENTS: u64 = 2_000_000;

/// Looks that there is room for in any case.
const LEAST: u64 = 20;

/// How often to look while nothing arrives; transients become sustained, silences of the source run out.
const TICK: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug)]
pub(super) struct Instants {
    /// In their order; none is a history without times.
    pub(super) judged: Vec<Option<Timestamp>>,
    /// Where the history begins.
    pub(super) from: Option<Timestamp>,
    /// How many there would have been.
    pub(super) all: u64,
    /// Alerts that began and ended between two looks.
    pub(super) unseen: u64,
}

pub(super) fn of(
    arrivals: [&[Arrival]; 2],
    rules: [&Rules; 2],
    now: Option<Timestamp>,
    distinct: u64,
) -> Instants {
    let mut all: BTreeSet<Timestamp> =
        arrivals.into_iter().flatten().filter_map(|arrival| arrival.at).collect();
    let (Some(&first), Some(&last)) = (all.first(), all.last()) else {
        // Without times there is one report, as of now if somebody says when that is.
        return Instants { judged: vec![now], from: now, all: 1, unseen: 0 };
    };
    let last = now.map_or(last, |now| now.max(last));
    all.insert(last);
    let stood: Vec<(Timestamp, Timestamp)> = arrivals.into_iter().flat_map(episodes).collect();
    let room = JUDGED.min((JUDGEMENTS / distinct.max(1)).max(LEAST));
    let long = last.duration_since(first).as_secs().unsigned_abs();
    if let Some(step) = long.checked_div(room.saturating_sub(all.len() as u64)) {
        let step = TICK.as_secs().unsigned_abs().max(step + 1);
        let ticks = (1..).map_while(|turn: u64| {
            let later = SignedDuration::from_secs(i64::try_from(turn.checked_mul(step)?).ok()?);
            first.checked_add(later).ok().filter(|at| *at < last)
        });
        all.extend(ticks);
    }
    // Silences begin and end whether or not anything arrives, and no look at them is left out.
    let within = |at: &Timestamp| first < *at && *at < last;
    let mut must: BTreeSet<Timestamp> =
        rules.into_iter().flat_map(Rules::silence_edges).filter(within).collect();
    all.extend(&must);
    must.insert(last);
    if all.len() as u64 > room {
        must.extend(evenly(&while_standing(&stood, &all), room.saturating_sub(must.len() as u64)));
        must.extend(evenly(&all, room.saturating_sub(must.len() as u64)));
    } else {
        must.clone_from(&all);
    }
    let unseen = stood.iter().filter(|(from, to)| must.range(*from..*to).next().is_none()).count() as u64;
    Instants {
        judged: must.into_iter().map(Some).collect(),
        from: Some(first),
        all: all.len() as u64,
        unseen,
    }
}

/// From when to when something stood that was said to be over.
fn episodes(arrivals: &[Arrival]) -> Vec<(Timestamp, Timestamp)> {
    let mut open: HashMap<Vec<&str>, Timestamp> = HashMap::new();
    let mut stood = Vec::new();
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
                stood.extend(open.remove(&key).filter(|from| *from < at).map(|from| (from, at)))
            }
            _ => {
                open.entry(key).or_insert(at);
            }
        }
    }
    stood
}

/// The fewest instants that see each of them while it stands: the last before an end, unless one is inside already.
fn while_standing(stood: &[(Timestamp, Timestamp)], all: &BTreeSet<Timestamp>) -> BTreeSet<Timestamp> {
    let mut by_end = stood.to_vec();
    by_end.sort_unstable_by_key(|(_, to)| *to);
    let mut looks: BTreeSet<Timestamp> = BTreeSet::new();
    for (from, to) in by_end {
        if looks.last().is_none_or(|last| *last < from) {
            looks.extend(all.range(from..to).next_back());
        }
    }
    looks
}

/// So many of them, the last included.
fn evenly(all: &BTreeSet<Timestamp>, room: u64) -> Vec<Timestamp> {
    let many = all.len() as u64;
    if many <= room {
        return all.iter().copied().collect();
    }
    let all: Vec<Timestamp> = all.iter().copied().collect();
    (1..=room).map(|turn| all[(turn * many / room - 1) as usize]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;
    use crate::ledger::Engine;

    fn looks(json: &str, distinct: u64) -> Instants {
        let mut engine = Engine::recording(Rules::builtin());
        engine.read("a.json", Format::Jsonl, json.as_bytes());
        let arrivals = super::super::replay::arrivals(&mut engine);
        let rules = Rules::builtin();
        of([&arrivals, &arrivals], [&rules, &rules], None, distinct)
    }

    fn record(n: u32, minute: u32, state: &str) -> String {
        let at = format!("2026-11-23T{:02}:{:02}:00Z", minute / 60, minute % 60);
        format!("{{\"labels\":{{\"alertname\":\"X{n}\"}},\"status\":\"{state}\",\"timestamp\":\"{at}\"}}\n")
    }

    #[test]
    fn a_short_history_is_looked_at_whenever_something_arrives_and_in_between() {
        let json = record(1, 0, "firing") + &record(1, 7, "resolved") + &record(2, 60, "firing");
        let instants = looks(&json, 2);
        let minutes: Vec<i8> = (instants.judged.iter().flatten())
            .map(|at| jiff::tz::Offset::UTC.to_datetime(*at).minute())
            .collect();
        assert_eq!(minutes, [0, 5, 7, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 0]);
        assert_eq!((instants.all, instants.unseen), (14, 0));
    }

    #[test]
    fn a_long_history_is_looked_at_while_things_stand() {
        // A thousand that stand for a minute each, in ten bursts: ten looks see all of them.
        let json: String = (0..1_000)
            .flat_map(|n| {
                let begin = (n / 100) * 120 + n % 50;
                [record(n, begin, "firing"), record(n, (n / 100) * 120 + 60, "resolved")]
            })
            .collect();
        let instants = looks(&json, 1_000_000);
        assert!(instants.judged.len() as u64 <= LEAST && instants.all > LEAST);
        assert_eq!(instants.unseen, 0);
        // Thirty that never stand together cannot be seen by twenty looks, and that is said.
        let json: String =
            (0..30).flat_map(|n| [record(n, n * 20, "firing"), record(n, n * 20 + 1, "resolved")]).collect();
        let instants = looks(&json, 1_000_000);
        assert_eq!(instants.judged.len() as u64, LEAST);
        assert!(instants.unseen > 0 && instants.unseen <= 2 * 30, "{}", instants.unseen);
    }
}
