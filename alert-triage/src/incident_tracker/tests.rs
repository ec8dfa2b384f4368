use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::verdict::{Notify, Priority};
use crate::{Engine, Format, Rules};

/// A stream that is judged after each input.
struct Stream {
    engine: Engine,
    source: usize,
    tracker: IncidentTracker,
    now: Timestamp,
}

impl Stream {
    fn new(rules: &str) -> Self {
        let mut engine = Engine::new(Rules::parse(rules).unwrap());
        let source = engine.add_source("-");
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        Self { engine, source, tracker: IncidentTracker::default(), now }
    }

    /// Reads states written as `+Name@zone` or `-Name@zone`, one minute later.
    fn say(&mut self, words: &str) -> Vec<Notification> {
        self.now += SignedDuration::from_mins(1);
        for word in words.split_whitespace() {
            let (state, rest) = word.split_at(1);
            let (alert, zone) = rest.split_once('@').unwrap();
            let status = if state == "+" { "firing" } else { "resolved" };
            let json = serde_json::json!({
                "labels": {"alertname": alert, "zone": zone}, "status": status, "timestamp": self.now.to_string(),
            });
            self.engine.read_on(self.source, Format::Jsonl, json.to_string().as_bytes());
        }
        self.judge()
    }

    fn judge(&mut self) -> Vec<Notification> {
        self.tracker.notifications(&self.engine.report(Some(self.now)))
    }

    fn later(&mut self, hours: i64) -> Vec<Notification> {
        self.now += SignedDuration::from_hours(hours);
        self.judge()
    }
}

fn summaries(notifications: &[Notification]) -> Vec<String> {
    notifications.iter().map(|sent| format!("{} {} {}", sent.priority, sent.change, sent.headline)).collect()
}

#[test]
fn news_is_told_once() {
    let mut stream = Stream::new("");
    for (case, words, want) in [
        ("an error", "+EndpointRegistrationFailure@AB", vec!["P2 opened EndpointRegistrationFailure"]),
        ("a repeat", "+EndpointRegistrationFailure@AB", vec![]),
        (
            "a symptom that is worse",
            "+TooFewEndpointsRegistered@AB",
            vec!["P1 escalated TooFewEndpointsRegistered"],
        ),
        ("a symptom that is not", "+LLMBatchProcessingJobFailures@AB", vec![]),
        ("elsewhere", "+LLMModelStale@XQ", vec!["P3 opened LLMModelStale"]),
        ("over", "-LLMModelStale@XQ", vec!["P5 closed LLMModelStale"]),
        ("still over", "-LLMModelStale@XQ", vec![]),
        ("back again", "+LLMModelStale@XQ", vec!["P3 reopened LLMModelStale"]),
        ("higher on the ladder", "+LLMModelVeryStale@XQ", vec!["P2 escalated LLMModelVeryStale"]),
        ("down again", "-LLMModelVeryStale@XQ", vec![]),
    ] {
        assert_eq!(summaries(&stream.say(words)), want, "{case}");
    }
}

#[test]
fn a_symptom_that_outlives_its_cause_is_no_news() {
    let mut stream = Stream::new("");
    stream.say("+EndpointRegistrationFailure@AB");
    let id = stream.say("+TooFewEndpointsRegistered@AB")[0].id.clone();
    assert_eq!(summaries(&stream.say("-EndpointRegistrationFailure@AB")), [""; 0]);
    let (incidents, notifications) = stream.tracker.update(&stream.engine.report(Some(stream.now)));
    assert_eq!(summaries(&notifications), [""; 0], "and stays none");
    assert_eq!(incidents[0].id, id, "what stands keeps the id");
    assert_ne!(incidents[1].id, id, "what parted from it has another");
    let closed = stream.say("-TooFewEndpointsRegistered@AB");
    assert_eq!(
        (summaries(&closed), &closed[0].id),
        (vec!["P5 closed TooFewEndpointsRegistered".to_owned()], &id)
    );
}

#[test]
fn what_joins_a_page_and_what_is_left_of_it_is_told_and_wakes_nobody() {
    let mut stream = Stream::new(
        "edges: [{id: k, cause: KubeletDown, symptoms: [TargetDown, OtherDown]}, {id: c, cause: ClusterDown, symptoms: [KubeletDown]}]",
    );
    assert_eq!(summaries(&stream.say("+KubeletDown@AB")), ["P1 opened KubeletDown"]);
    let joined = stream.say("+TargetDown@AB");
    assert_eq!(summaries(&joined), ["P1 changed KubeletDown"]);
    assert_eq!(joined[0].notify, Notify::None);
    assert!(joined[0].because.iter().any(|why| why.contains("TargetDown")), "{joined:?}");
    assert_eq!(summaries(&stream.say("+TargetDown@AB")), [""; 0], "once");
    assert_eq!(summaries(&stream.say("-TargetDown@AB")), [""; 0]);
    assert_eq!(summaries(&stream.say("+TargetDown@AB")), [""; 0], "no more than there were");
    let left = stream.say("-KubeletDown@AB");
    assert_eq!(summaries(&left), ["P1 changed TargetDown"], "the cause is over, and this is not");
    assert_eq!(
        (&left[0].id, left[0].notify, &left[0].labels["zone"]),
        (&joined[0].id, Notify::None, &"AB".into())
    );
    assert_eq!(summaries(&stream.say("-TargetDown@AB")), ["P5 closed TargetDown"]);
}

#[test]
fn a_pattern_that_loses_a_scope_keeps_its_id() {
    let mut stream = Stream::new("");
    let pattern = stream.say("+LinkTransientFailure@AB +LinkTransientFailure@XQ");
    assert_eq!(summaries(&pattern), ["P4 opened LinkTransientFailure"]);
    let failure = stream.say("+LinkFailure@XQ");
    assert_eq!(summaries(&failure), ["P3 opened LinkFailure"], "of which the transient is set aside");
    let standing = stream.tracker.open_notifications(&stream.engine.report(Some(stream.now)));
    assert_eq!([&standing[0].id, &standing[1].id], [&failure[0].id, &pattern[0].id]);
}

#[test]
fn merged_incidents_go_by_the_older_id() {
    let mut stream = Stream::new("");
    let older = stream.say("+TooFewEndpointsRegistered@AB")[0].id.clone();
    let younger = stream.say("+LLMBatchProcessingJobFailures@AB")[0].id.clone();
    assert_ne!(older, younger);
    let merged = stream.say("+EndpointRegistrationFailure@AB");
    assert_eq!(summaries(&merged), ["P1 changed TooFewEndpointsRegistered"], "P1 was notified before");
    assert_eq!(
        (merged[0].notify, merged[0].aliases.contains(&younger)),
        (Notify::None, true),
        "nobody is woken"
    );
    let (incidents, _) = stream.tracker.update(&stream.engine.report(Some(stream.now)));
    assert_eq!(incidents.len(), 1);
    assert_eq!((&incidents[0].id, incidents[0].aliases.contains(&younger)), (&older, true));
    let closed = stream.say(
        "-EndpointRegistrationFailure@AB -TooFewEndpointsRegistered@AB -LLMBatchProcessingJobFailures@AB",
    );
    assert_eq!((closed.len(), closed[0].aliases.contains(&younger)), (1, true), "{closed:?}");
}

#[test]
fn a_group_is_told_of_once_and_closed_once() {
    let mut stream = Stream::new("");
    for (case, words, want) in [
        ("one scope", "+EtcdDown@A", vec!["P1 opened EtcdDown"]),
        ("two scopes", "+EtcdDown@B", vec!["P1 opened EtcdDown"]),
        ("three make a group, which is told of", "+EtcdDown@C", vec!["P1 opened EtcdDown"]),
        ("one more", "+EtcdDown@D", vec!["P1 changed EtcdDown"]),
        ("one less that comes back", "-EtcdDown@D", vec![]),
        ("is no more than there were", "+EtcdDown@D", vec![]),
        ("one is over: one that was told of alone", "-EtcdDown@A", vec!["P5 closed EtcdDown"]),
        ("another: one of the group", "-EtcdDown@C", vec![]),
        ("the last of the group", "-EtcdDown@D", vec!["P5 closed EtcdDown"]),
        ("the last of all", "-EtcdDown@B", vec!["P5 closed EtcdDown"]),
        ("all at once", "+EtcdDown@A +EtcdDown@B +EtcdDown@C", vec!["P1 reopened EtcdDown"]),
    ] {
        let notifications = stream.say(words);
        assert_eq!(summaries(&notifications), want, "{case}");
        if case.contains("group,") || case == "all at once" {
            assert_eq!(notifications[0].scopes.as_ref().unwrap().len(), 3);
        }
        if case == "all at once" {
            assert_eq!(
                stream.tracker.open_notifications(&stream.engine.report(Some(stream.now))),
                notifications
            );
        }
    }
}

#[test]
fn time_alone_is_news_too() {
    let rules = "silences: [{id: s, alert: LinkDown, until: 2026-11-23T13:00:00Z}]";
    let mut stream = Stream::new(rules);
    assert_eq!(
        summaries(&stream.say("+LinkDown@AB +LinkTransientFailure@XQ +LinkTransientFailure@XQ")),
        ["P4 opened LinkTransientFailure"]
    );
    assert_eq!(summaries(&stream.later(1)), ["P1 unsilenced LinkDown", "P3 escalated LinkTransientFailure"]);
    assert_eq!(summaries(&stream.later(22)), [""; 0]);
    assert_eq!(summaries(&stream.later(2)), ["P5 closed LinkTransientFailure", "P5 closed LinkDown"]);
}

#[test]
fn what_was_forgotten_and_comes_back_has_a_key_of_its_own() {
    let mut stream = Stream::new("");
    let first = stream.say("+LinkDown@AB").remove(0);
    let second = stream.say("-LinkDown@AB").remove(0);
    stream.later(100);
    assert_eq!(stream.engine.retire(stream.now, SignedDuration::from_hours(24)), 1);
    assert_eq!(summaries(&stream.judge()), [""; 0]);
    assert_eq!((stream.tracker.known.len(), stream.tracker.by_alert.len()), (0, 0));
    let third = stream.say("+LinkDown@AB").remove(0);
    assert_eq!((third.change, &third.id), (Change::Reopened, &first.id));
    assert_eq!(BTreeSet::from([&first.key, &second.key, &third.key]).len(), 3);
}

#[test]
fn an_overflow_is_told_of() {
    let mut stream = Stream::new("limits: {identities: 2}");
    stream.say("+A1@AB +A2@AB");
    let notifications = stream.say("+A3@AB +A4@AB");
    let overflow = notifications.iter().find(|notification| notification.id == "overflow").unwrap();
    assert_eq!((overflow.change, overflow.priority), (Change::Opened, Priority::P3));
    assert!(stream.judge().is_empty(), "once");
}

fn word() -> impl Strategy<Value = String> {
    let alert = prop::sample::select(vec![
        "EndpointRegistrationFailure",
        "EndpointRegistrationTransientFailure",
        "TooFewEndpointsRegistered",
        "LLMBatchProcessingJobFailures",
        "LLMModelStale",
        "LLMModelVeryStale",
    ]);
    (prop::sample::select(vec!["+", "+", "-"]), alert, prop::sample::select(vec!["A", "B"]))
        .prop_map(|(state, alert, zone)| format!("{state}{alert}@{zone}"))
}

proptest! {
    /// Law: the notifications alone show which incidents are open and their minimum urgency; no two
    /// incidents share an id, and no two notifications share a key.
    #[test]
    fn notices_say_what_is_open(cap in prop::sample::select(vec![3, 1000]), steps in prop::collection::vec(prop::collection::vec(word(), 1..3), 1..25)) {
        // Above a low limit alerts are forgotten while they are open.
        let mut stream = Stream::new(&format!("limits: {{identities: {cap}}}"));
        let mut open: HashMap<String, Priority> = HashMap::new();
        let mut keys = BTreeSet::new();
        for step in steps {
            for notification in stream.say(&step.join(" ")) {
                prop_assert!(keys.insert(notification.key.clone()), "{} twice", notification.key);
                if notification.id == "overflow" {
                    continue;
                }
                for id in notification.aliases.iter().chain([&notification.id]) {
                    open.remove(id);
                }
                if notification.change != Change::Closed {
                    open.insert(notification.id.clone(), notification.priority);
                }
            }
            let (incidents, again) = stream.tracker.update(&stream.engine.report(Some(stream.now)));
            prop_assert_eq!(summaries(&again), Vec::<String>::new(), "the same report causes no notification");
            let standing = stream.tracker.open_notifications(&stream.engine.report(Some(stream.now)));
            let standing = standing.iter().map(|one| &one.id).filter(|id| *id != "overflow");
            let asking = incidents.iter().filter(|incident| incident.notify != Notify::None);
            prop_assert!(asking.map(|one| &one.id).eq(standing));
            let ids: BTreeSet<&str> = incidents.iter().map(|incident| incident.id.as_str()).collect();
            prop_assert_eq!(ids.len(), incidents.len());
            let mut merged: BTreeSet<&str> = BTreeSet::new();
            for incident in incidents.iter().filter(|incident| incident.notify != Notify::None) {
                let ids = || incident.aliases.iter().chain([&incident.id]);
                let known = ids().filter_map(|id| open.get(id)).min();
                prop_assert!(known.is_some_and(|known| *known <= incident.priority), "{incident:?} was not told");
                merged.extend(ids().map(String::as_str));
            }
            for id in open.keys() {
                prop_assert!(merged.contains(id.as_str()), "{id} is not open any more");
            }
        }
    }
}
