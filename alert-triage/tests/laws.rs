//! The laws that hold for any input; each in its own words.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use alert_triage::record::{Ends, Status};
use alert_triage::{Engine, Format, Record, Rules, SourcePosition};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use common::{
    PlacedRecord, engine, fire, fire_only, identity, json, keyed, members, mixed, placed, take, text, timed,
};

fn builtin() -> Rules {
    Rules::builtin()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// `P1` is the most urgent and the smallest.
fn priorities(report: &Value) -> BTreeMap<String, String> {
    let priority = |incident: &Value| incident["priority"].as_str().unwrap().to_owned();
    members(report).map(|(incident, member)| (identity(member), priority(incident))).collect()
}

/// What an alert asks for by itself, as far as it stands.
fn own_priority(member: &Value) -> &'static str {
    match (member["verdict"].as_str().unwrap(), member["severity"].as_str().unwrap()) {
        ("transient", _) => "P4",
        ("active" | "sustained", "critical") => "P1",
        ("active" | "sustained", "error") => "P2",
        ("active" | "sustained", "warning" | "unknown") => "P3",
        _ => "P5",
    }
}

fn is_said_once(told: &PlacedRecord) -> bool {
    told.record.starts.is_some() || told.record.keyed && told.record.time.is_some()
}

fn counts_add_up(report: &Value) -> Result<(), TestCaseError> {
    let totals = &report["totals"];
    let counts: u64 = members(report).map(|(_, member)| number(&member["count"])).sum();
    let overflow = report["overflow"]["count"].as_u64().unwrap_or(0);
    prop_assert_eq!(number(&totals["records"]), number(&totals["duplicates"]) + counts + overflow);
    prop_assert_eq!(number(&totals["alerts"]), counts + overflow);
    prop_assert_eq!(number(&totals["distinct"]), members(report).count() as u64);
    Ok(())
}

/// A deterministic shuffle that proptest can shrink by its seed.
fn shuffled(told: &[PlacedRecord], seed: u64) -> Vec<PlacedRecord> {
    let mut keyed: Vec<(u64, usize)> = (0..told.len())
        .map(|at| {
            ((at as u64 + 1).wrapping_mul(seed | 1).rotate_left(17).wrapping_mul(0x9e37_79b9_7f4a_7c15), at)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, at)| told[at].clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every record read is counted by an alert, is a duplicate, or overflowed.
    #[test]
    fn records_are_duplicates_and_counts(told in mixed(), cap in prop_oneof![Just(1_000_000usize), 1usize..6]) {
        let report = json(&mut engine(builtin().with_identities(cap), &told));
        prop_assert_eq!(number(&report["totals"]["records"]), told.len() as u64);
        counts_add_up(&report)?;
    }

    /// Every line is blank, malformed or a record, whatever the bytes are.
    #[test]
    fn lines_are_blank_malformed_or_records(
        parts in proptest::collection::vec(prop_oneof![
            Just(b"Zone A: LLMModelStale".to_vec()), Just(b"2026-11-23T06:51:59Z Zone B: X".to_vec()), Just(b"\r".to_vec()),
            Just(b"{\"alertname\":\"X\"}".to_vec()), Just(b"<11>Nov 23 06:51:59 h a: m".to_vec()), Just(b"\xef\xbb\xbf".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..40),
        ], 0..30),
        format in prop_oneof![Just(Format::Lines), Just(Format::Jsonl), Just(Format::Syslog)],
    ) {
        let input = parts.join(&b'\n');
        let mut engine = Engine::new(builtin());
        engine.read("bytes", format, &input);
        let report = json(&mut engine);
        let totals = &report["totals"];
        // A line of JSON may be a whole payload of several alerts; none of these is.
        let accounted = number(&totals["blank"]) + number(&totals["malformed"]) + number(&totals["records"]);
        prop_assert_eq!(number(&totals["lines"]), accounted);
        let ended = usize::from(!input.is_empty() && !input.ends_with(b"\n"));
        prop_assert_eq!(number(&totals["lines"]) as usize, input.iter().filter(|byte| **byte == b'\n').count() + ended);
        counts_add_up(&report)?;
    }

    /// No record given to `ingest` vanishes: with neither a name nor a key it is malformed.
    #[test]
    fn records_are_counted_or_malformed(
        given in proptest::collection::vec((
            prop::sample::select(vec!["", " ", "DiskFull"]),
            prop::sample::select(vec![None, Some(""), Some("k")]),
            prop::sample::select(vec![Status::Firing, Status::Resolved, Status::Event, Status::Pending]),
            any::<bool>(),
        ), 0..20),
    ) {
        let mut engine = Engine::new(builtin());
        engine.add_source("records");
        let mut unnamed = 0;
        for (line, (alert, key, status, keyed)) in given.iter().enumerate() {
            let mut record = Record::firing(*alert).label("zone", "A").status(*status);
            (record.key, record.keyed) = (key.map(Into::into), *keyed);
            unnamed += u64::from(alert.trim().is_empty() && key.is_none_or(str::is_empty));
            engine.ingest(SourcePosition::new(0, 0, line as u64 + 1), &record);
        }
        let report = json(&mut engine);
        prop_assert_eq!(number(&report["totals"]["malformed"]), unnamed);
        prop_assert_eq!(number(&report["totals"]["records"]), given.len() as u64 - unnamed);
        prop_assert_eq!(report["malformed"].as_array().unwrap().len() as u64, unnamed);
        counts_add_up(&report)?;
    }

    /// Timed records mean the same in any order of arrival.
    #[test]
    fn timed_records_have_no_order(told in timed(), seed: u64) {
        prop_assert_eq!(text(&mut engine(builtin(), &told)), text(&mut engine(builtin(), &shuffled(&told, seed))));
    }

    /// So do records that only ever fire, and untimed ends, which carry their order in their place.
    #[test]
    fn places_are_all_the_order_there_is(told in prop_oneof![fire_only(), mixed()], seed: u64) {
        prop_assert_eq!(text(&mut engine(builtin(), &told)), text(&mut engine(builtin(), &shuffled(&told, seed))));
    }

    /// Nor do records that share the keys of their source, whichever alerts these belong to.
    #[test]
    fn keyed_records_have_no_order(
        mut records in proptest::collection::vec(keyed(), 0..12),
        only_ends: bool,
        seed: u64,
    ) {
        if only_ends {
            records.iter_mut().for_each(|record| record.status = Status::Resolved);
        }
        let told = placed(records);
        prop_assert_eq!(text(&mut engine(builtin(), &told)), text(&mut engine(builtin(), &shuffled(&told, seed))));
    }

    /// Parts of an input, merged in any order and grouping, are the whole.
    #[test]
    fn merged_parts_are_the_whole(
        told in prop_oneof![timed(), fire_only(), mixed()],
        of in proptest::collection::vec(0usize..3, 60),
        cap in prop_oneof![3 => Just(1_000_000usize), 1 => 1usize..6],
    ) {
        let rules = builtin().with_identities(cap);
        let whole = text(&mut engine(rules.clone(), &told));
        let part = |number: usize| {
            let mut root = Engine::new(rules.clone());
            root.add_source("history");
            let mut part = root.sibling();
            take(&mut part, told.iter().enumerate().filter(|(at, _)| of[at % of.len()] == number).map(|(_, told)| told));
            part
        };
        let merged = |order: [usize; 3], left: bool| {
            let [mut a, mut b, c] = order.map(part);
            if left {
                a.merge(b);
                a.merge(c);
            } else {
                b.merge(c);
                a.merge(b);
            }
            text(&mut a)
        };
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            prop_assert_eq!(&merged(order, true), &whole);
            prop_assert_eq!(&merged(order, false), &whole);
        }
    }

    /// A record may be delivered twice, in any order and at any later position: only the number of
    /// duplicates grows.
    #[test]
    fn redelivery_changes_nothing(
        told in prop_oneof![timed(), mixed()],
        again in proptest::collection::vec(any::<prop::sample::Index>(), 1..20),
    ) {
        // A record that fires after the end of its episode is not a repeat: see the next law.
        let may_fire_again = |one: &PlacedRecord| {
            one.record.starts.is_some() && told.iter().any(|other| {
                other.record.starts == one.record.starts && other.record.alert == one.record.alert
                    && (other.record.status == Status::Resolved) != (one.record.status == Status::Resolved)
            })
        };
        let keyed: Vec<&PlacedRecord> =
            told.iter().filter(|told| is_said_once(told) && !may_fire_again(told)).collect();
        prop_assume!(!keyed.is_empty());
        let mut once = engine(builtin(), &told);
        let mut twice = engine(builtin(), &told);
        for (number, index) in again.iter().enumerate() {
            let place = SourcePosition::new(0, 1, number as u64 + 1);
            twice.ingest(place, &keyed[index.index(keyed.len())].record);
        }
        let (once, twice) = (json(&mut once), json(&mut twice));
        prop_assert_eq!(&once["incidents"], &twice["incidents"]);
        prop_assert_eq!(&once["groups"], &twice["groups"]);
        let more = |field: &str| number(&twice["totals"][field]) - number(&once["totals"][field]);
        prop_assert_eq!((more("records"), more("duplicates"), more("alerts")), (again.len() as u64, again.len() as u64, 0));
    }

    /// A firing record that is delivered again after everything else may be news, so it never makes
    /// anything less urgent, and an alert that has ended is never silent about it.
    #[test]
    fn firing_after_the_end_is_never_less_urgent(told in timed(), index: prop::sample::Index) {
        let firing: Vec<&PlacedRecord> = (told.iter())
            .filter(|told| told.record.starts.is_some() && told.record.status == Status::Firing && !told.record.snapshot)
            .collect();
        prop_assume!(!firing.is_empty());
        let again = firing[index.index(firing.len())];
        let now = told.iter().filter_map(|told| told.record.newest()).max();
        let mut before = engine(builtin(), &told);
        let mut after = engine(builtin(), &told);
        after.ingest(SourcePosition::new(0, 1, 1), &again.record);
        let (before, after) = (serde_json::to_value(before.report(now)).unwrap(), serde_json::to_value(after.report(now)).unwrap());
        let (priority, then) = (priorities(&before), priorities(&after));
        for (alert, priority) in &priority {
            prop_assert!(then[alert] <= *priority, "{} was {} and is {}", alert, priority, then[alert]);
        }
        counts_add_up(&after)?;
    }

    /// Another firing record of any alert never lowers a priority: not that of an incident with the
    /// same headline, and no firing alert ends up in an incident less severe than itself.
    #[test]
    fn more_fire_is_never_less_urgent(
        told in prop_oneof![timed(), fire_only(), mixed()],
        more in fire(),
        of in proptest::option::weighted(0.8, any::<prop::sample::Index>()),
        place in (0usize..2, 0u64..50),
    ) {
        let mut more = PlacedRecord { place: SourcePosition::new(0, place.0, place.1), record: more };
        if let Some(of) = of.filter(|_| !told.is_empty()) {
            // The same alert again, or another state of it.
            let of = &told[of.index(told.len())].record;
            (more.record.alert, more.record.labels, more.record.key) = (of.alert.clone(), of.labels.clone(), of.key.clone());
        }
        let before = json(&mut engine(builtin(), &told));
        let after = json(&mut engine(builtin(), told.iter().chain([&more])));
        let now = priorities(&after);
        // A record with a key may rename what has that key.
        let is_renamed = |alert: &String| !now.contains_key(alert) && more.record.key.is_some();
        for incident in before["incidents"].as_array().unwrap() {
            let headline = &incident["members"].as_array().unwrap().iter().find(|member| member["alert"] == incident["headline"]);
            let alert = identity(headline.unwrap());
            if is_renamed(&alert) {
                continue;
            }
            prop_assert!(now[&alert].as_str() <= incident["priority"].as_str().unwrap(), "{alert} was {}, is {}", incident["priority"], now[&alert]);
        }
        for (_, member) in members(&before) {
            let (alert, own) = (identity(member), own_priority(member));
            if is_renamed(&alert) {
                continue;
            }
            prop_assert!(now[&alert].as_str() <= own, "{alert} was {own} itself, is in {}", now[&alert]);
        }
    }

    /// The same line said more often is as urgent as said once.
    #[test]
    fn counts_change_no_priority(told in fire_only(), times in 2u64..5) {
        let before = priorities(&json(&mut engine(builtin(), &told)));
        let repeats: Vec<PlacedRecord> = (1..times)
            .flat_map(|time| told.iter().map(move |told| PlacedRecord { place: SourcePosition::new(0, time as usize, told.place.line()), ..told.clone() }))
            .collect();
        prop_assert_eq!(priorities(&json(&mut engine(builtin(), told.iter().chain(&repeats)))), before);
    }

    /// A higher firing rung of the same incident supersedes a lower one; nothing less urgent does.
    #[test]
    fn a_lower_rung_never_hides_a_higher_one(told in prop_oneof![timed(), fire_only(), mixed()]) {
        let report = json(&mut engine(builtin(), &told));
        for (incident, member) in members(&report).filter(|(_, member)| member["verdict"] == "superseded") {
            let by = incident["members"].as_array().unwrap().iter().find(|other| {
                other["alert"] == member["by"]["alert"] && other["labels"] == member["by"]["labels"]
            });
            let by = by.unwrap_or_else(|| panic!("{} is superseded by nobody: {incident}", member["alert"]));
            prop_assert!(["active", "sustained", "transient", "flapping", "informational"].contains(&by["verdict"].as_str().unwrap()));
            let (low, high) = (member["alert"].as_str().unwrap(), by["alert"].as_str().unwrap());
            let rung = |name: &str| if name.contains("Critically") { 2 } else { usize::from(name.contains("Very")) };
            let class = |member: &Value| ["critical", "error", "warning", "info"].iter().position(|word| member["severity"] == *word).unwrap_or(2);
            let is_above = rung(high) > rung(low)
                || low == high && class(by) < class(member)
                || low.replace("Transient", "") == high;
            prop_assert!(is_above, "{high} is not above {low}");
        }
    }

    /// A transient that its lasting form supersedes explains nothing, however long it stands.
    #[test]
    fn a_superseded_transient_explains_nothing(told in timed()) {
        let report = json(&mut engine(builtin(), &told));
        for (incident, member) in members(&report).filter(|(_, member)| !member["cause"].is_null()) {
            let cause = incident["members"].as_array().unwrap().iter().find(|other| {
                other["alert"] == member["cause"]["alert"] && other["labels"] == member["cause"]["labels"]
            });
            let cause = cause.unwrap_or_else(|| panic!("the cause of {member} is elsewhere: {incident}"));
            let is_transient = cause["flags"].as_array().unwrap().iter().any(|flag| flag == "transient");
            prop_assert!(!(is_transient && cause["verdict"] == "superseded"), "{cause} explains {member}");
        }
    }

    /// Every alert is in exactly one incident; one that needs a person is in one scope.
    #[test]
    fn incidents_part_the_alerts(told in prop_oneof![timed(), fire_only(), mixed()]) {
        let report = json(&mut engine(builtin(), &told));
        let mut seen = BTreeSet::new();
        for (_, member) in members(&report) {
            prop_assert!(seen.insert(identity(member)), "{member} is a member twice");
        }
        let mut ids = BTreeSet::new();
        for incident in report["incidents"].as_array().unwrap() {
            prop_assert!(ids.insert(incident["id"].to_string()), "id {} is given twice", incident["id"]);
            if incident["priority"].as_str().unwrap() <= "P3" {
                prop_assert!(incident["scopes"].is_null(), "{incident}");
            }
        }
    }

    /// What was set aside tells nobody.
    #[test]
    fn what_is_set_aside_is_quiet(told in prop_oneof![timed(), mixed()]) {
        const ASIDE: [&str; 7] = ["silenced", "inhibited", "resolved", "obsolete", "pending", "superseded", "informational"];
        let report = json(&mut engine(builtin(), &told));
        for incident in report["incidents"].as_array().unwrap() {
            // What may be firing again after its end is a ticket.
            let is_aside = |member: &Value| {
                ASIDE.contains(&member["verdict"].as_str().unwrap())
                    && !member["flags"].as_array().unwrap().contains(&"fired-again".into())
            };
            let all_aside = incident["members"].as_array().unwrap().iter().all(is_aside);
            if all_aside {
                prop_assert_eq!(&incident["notify"], "none", "{}", incident);
            }
        }
    }

    /// Nothing is called resolved that no record says is over.
    #[test]
    fn nothing_is_resolved_without_evidence(told in prop_oneof![timed(), fire_only(), mixed()]) {
        let report = json(&mut engine(builtin(), &told));
        let is_end = |record: &Record<'_>| record.status == Status::Resolved || matches!(record.ends, Ends::At(_));
        let keys: BTreeSet<&str> = (told.iter())
            .filter(|told| told.record.ends_by_key && told.record.status == Status::Resolved)
            .filter_map(|told| told.record.key.as_deref())
            .collect();
        let ended: BTreeSet<&str> = (told.iter())
            .filter(|told| is_end(&told.record) || told.record.key.as_deref().is_some_and(|key| keys.contains(key)))
            .map(|told| told.record.alert.as_ref())
            .collect();
        for (_, member) in members(&report).filter(|(_, member)| member["verdict"] == "resolved") {
            prop_assert!(ended.contains(member["alert"].as_str().unwrap()), "{member}");
        }
    }

    /// The same input gives the same bytes, and they are printable.
    #[test]
    fn reports_are_repeatable(told in mixed()) {
        let first = text(&mut engine(builtin(), &told));
        prop_assert_eq!(&first, &text(&mut engine(builtin(), &told)));
        prop_assert!(!first.chars().any(|c| c.is_control()));
    }

    /// Above the cap the least severe alerts overflow. The others stay exact in any order, and a
    /// critical overflow pages.
    #[test]
    fn above_the_cap_the_mildest_overflow(told in fire_only(), cap in 1usize..8, seed: u64) {
        let whole = json(&mut engine(builtin(), &told));
        let mut capped = engine(builtin().with_identities(cap), &told);
        let report = json(&mut capped);
        prop_assert_eq!(text(&mut capped), text(&mut engine(builtin().with_identities(cap), &shuffled(&told, seed))));
        let count = |report: &Value| -> BTreeMap<String, u64> {
            members(report).map(|(_, member)| (identity(member), number(&member["count"]))).collect()
        };
        let (all, kept) = (count(&whole), count(&report));
        prop_assert_eq!(kept.len(), all.len().min(cap));
        for (alert, count) in &kept {
            prop_assert_eq!(all[alert], *count, "{} is not exact", alert);
        }
        // Nothing that overflowed is more severe than anything that stayed.
        let class = |severity: &Value| ["critical", "error", "warning", "info"].iter().position(|word| severity == word).unwrap_or(2);
        let worst_lost = members(&whole).filter(|(_, member)| !kept.contains_key(&identity(member))).map(|(_, member)| class(&member["severity"])).min();
        let mildest_kept = members(&report).map(|(_, member)| class(&member["severity"])).max();
        if let (Some(lost), Some(kept)) = (worst_lost, mildest_kept) {
            prop_assert!(kept <= lost, "kept {kept}, lost {lost}");
        }
        let has_critical = members(&whole).any(|(_, member)| member["severity"] == "critical" && member["verdict"] == "active");
        if has_critical {
            prop_assert!(number(&report["totals"]["pages"]) > 0, "{report}");
        }
    }
}

/// A law says nothing where its generator does not go: here is where it goes.
#[test]
fn generated_histories_reach_the_corners() {
    let mut runner = TestRunner::deterministic();
    let mut reached: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..600 {
        let told = timed().new_tree(&mut runner).unwrap().current();
        let mut reach = |corner: &str| *reached.entry(corner.to_owned()).or_default() += 1;
        let starts = |told: &&PlacedRecord| told.record.starts;
        for (at, one) in told.iter().enumerate() {
            let same = |other: &&PlacedRecord| {
                other.record.alert == one.record.alert && other.record.labels == one.record.labels
            };
            let before = || told[..at].iter().filter(same);
            if before().any(|other| other.record.time.is_some() && other.record.time == one.record.time) {
                reach("one instant twice");
            }
            if one.record.status != Status::Resolved
                && before().any(|other| {
                    other.record.status == Status::Resolved
                        && starts(&other) == starts(&one)
                        && starts(&one).is_some()
                })
            {
                reach("an end before its beginning");
            }
            if !one.record.labels.iter().any(|(name, _)| name == "zone") {
                reach("no scope");
            }
        }
        let report = json(&mut engine(builtin(), &told));
        for incident in report["incidents"].as_array().unwrap() {
            let standing = |name: &str| {
                incident["members"].as_array().unwrap().iter().any(|member| member["alert"] == name)
            };
            if standing("DiskFull") && standing("DiskVeryFull") && standing("DiskCriticallyFull") {
                reach("three rungs at once");
            }
            let was_sustained = |member: &Value| {
                let flags = member["flags"].as_array().unwrap();
                member["verdict"] == "superseded" && flags.iter().any(|flag| flag == "sustained")
            };
            let members = incident["members"].as_array().unwrap();
            if members.iter().any(was_sustained) && members.iter().any(|member| !member["cause"].is_null()) {
                reach("a cause beside a sustained transient that is superseded");
            }
            if !incident["scopes"].is_null() {
                reach("a pattern");
            }
        }
        if report["groups"].as_array().unwrap().iter().any(|group| group["folded"].is_array()) {
            reach("a folded group");
        }
        for (_, member) in members(&report) {
            reach(member["verdict"].as_str().unwrap());
            for flag in member["flags"].as_array().unwrap() {
                reach(&format!("flag {}", flag.as_str().unwrap()));
            }
            if !member["cause"].is_null() {
                reach("explained");
            }
        }
    }
    for corner in [
        "one instant twice",
        "an end before its beginning",
        "no scope",
        "three rungs at once",
        "a pattern",
        "a cause beside a sustained transient that is superseded",
        "a folded group",
        "explained",
        "silenced",
        "inhibited",
        "flapping",
        "resolved",
        "obsolete",
        "pending",
        "superseded",
        "sustained",
        "transient",
        "informational",
        "active",
        "flag recurring",
        "flag resolve-only",
        "flag milder-rung-above",
        "flag timed-out",
    ] {
        assert!(reached.get(corner).is_some_and(|times| *times >= 3), "{corner}: {reached:#?}");
    }
}
