//! The status of a workload, computed from the Record, the scale and a list of the pods. Writes
//! nothing.
//!
//! A breaker is built from them, as a watcher that starts builds it. Its actions are not carried
//! out.

use std::collections::BTreeMap;
use std::fmt;

use breaker_core::action::{Action, Input};
use breaker_core::cluster::Scale;
use breaker_core::pod::PodReport;
use breaker_core::record::{ContainerRecord, Contested, NotificationKind, RestartRecord};
use breaker_core::snapshot::Counts;
use breaker_core::state::{Override, Phase, State, TripReason};
use breaker_core::{Breaker, Cause, Classifier, ClusterError, Policy, Record, WorkloadRef};
use jiff::Timestamp;
use serde::Serialize;

/// How many of the newest restarts are shown.
const MAX_NEWEST: usize = 5;

/// The status of a workload; as JSON one object.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) time: String,
    pub(crate) target: String,
    pub(crate) phase: Phase,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    #[serde(rename = "override")]
    pub(crate) override_: Override,
    /// `spec.replicas`.
    pub(crate) replicas: u32,
    /// Pods, with those that are terminating.
    pub(crate) pods: usize,
    /// Replicas that a reset restores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gives_back: Option<u32>,
    /// Why it is not closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<TripReason>,
    pub(crate) count: CountsByCause,
    /// Terminations that no watcher has examined; they are not in `count`.
    pub(crate) unexamined: usize,
    /// Restarts before this do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) counts_from: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contested: Option<Contested>,
    pub(crate) trips_last_hour: usize,
    /// Newest first.
    pub(crate) newest: Vec<RestartRow>,
    /// A row for a rules file, where no rule explains the last words of a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule_to_add: Option<String>,
    /// Notifications that a receiver has not acknowledged, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) undelivered: Vec<UndeliveredRow>,
    pub(crate) record: RecordState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) undo: Option<String>,
}

/// A notification that waits in the Record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct UndeliveredRow {
    pub(crate) what: NotificationKind,
    pub(crate) at: Timestamp,
    /// How many receivers have not acknowledged it.
    pub(crate) receivers: usize,
}

/// The counts of the revision closest to a trip, with its restarts by cause and by peer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountsByCause {
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) by_cause: BTreeMap<String, u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) by_peer: BTreeMap<String, u32>,
}

/// The outcome of reading the Record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RecordState {
    /// It is stored.
    Stored,
    /// None is stored.
    None,
    /// One is stored, of a deleted workload with the same name.
    OfANamesake,
    /// It cannot be read, with the reason and the missing rule.
    Unreadable(String),
}

/// One restart of the Record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RestartRow {
    pub(crate) at: Timestamp,
    pub(crate) pod: String,
    pub(crate) container: String,
    /// `network:refused`, `oom`, ….
    pub(crate) cause: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) quote: String,
}

impl RestartRow {
    pub(crate) fn new(container: &ContainerRecord, restart: &RestartRecord) -> Self {
        Self {
            at: restart.at,
            pod: container.pod_name.clone(),
            container: container.container.clone(),
            cause: restart.label(),
            exit: restart.exit,
            peer: restart.peer.clone(),
            quote: restart.quote.clone(),
        }
    }
}

/// One line: time, cause, pod and container, exit code, the log line that decided, and the peer.
impl fmt::Display for RestartRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, pod, container, cause, exit, peer, quote } = self;
        write!(f, "{at:.0} {cause} {pod}/{container}")?;
        match exit {
            Some(code) => write!(f, " exit {code}")?,
            None => f.write_str(" unseen")?,
        }
        if !quote.is_empty() {
            write!(f, " \"{quote}\"")?;
        }
        match peer {
            Some(peer) => write!(f, "; peer {peer}"),
            None => Ok(()),
        }
    }
}

/// The Record, if it is the target's own.
///
/// # Errors
/// A Record that cannot be read for another reason than a missing permission or bad content.
pub(crate) fn usable(
    record: Result<Option<Record>, ClusterError>,
    uid: &str,
) -> Result<(Option<Record>, RecordState), ClusterError> {
    Ok(match record {
        Ok(Some(record)) if record.target_uid == uid => (Some(record), RecordState::Stored),
        Ok(Some(_)) => (None, RecordState::OfANamesake),
        Ok(None) => (None, RecordState::None),
        Err(error @ (ClusterError::Forbidden { .. } | ClusterError::BadRecord { .. })) => {
            (None, RecordState::Unreadable(error.with_fix()))
        }
        Err(error) => return Err(error),
    })
}

/// A workload, its pods and its Record, as read from the cluster.
pub(crate) struct WorkloadState {
    pub(crate) target: WorkloadRef,
    pub(crate) scale: Scale,
    pub(crate) pods: Vec<PodReport>,
    pub(crate) record: Option<Record>,
    pub(crate) record_state: RecordState,
    pub(crate) undo: String,
}

impl Status {
    pub(crate) fn count(&self) -> &Counts {
        &self.count.counts
    }

    /// Without the newest restarts, for a report that lists all of them.
    pub(crate) fn without_newest(&self) -> Self {
        Self { newest: Vec::new(), ..self.clone() }
    }
}

impl WorkloadState {
    /// With the Record from the status of a CircuitBreaker.
    pub(crate) fn with_breaker_record(
        target: WorkloadRef,
        scale: Scale,
        pods: Vec<PodReport>,
        record: Option<Record>,
        undo: String,
    ) -> Self {
        let (record, record_state) = match record {
            Some(record) if record.target_uid == scale.uid => (Some(record), RecordState::Stored),
            Some(_) => (None, RecordState::OfANamesake),
            None => (None, RecordState::None),
        };
        Self { target, scale, pods, record, record_state, undo }
    }

    pub(crate) fn status(self, policy: Policy, now: Timestamp) -> Status {
        let Self { target, scale, pods, record, record_state, undo } = self;
        let replicas = scale.replicas;
        let mut breaker = Breaker::new(policy, target.clone(), scale, record.clone());
        let actions = breaker.step(Input::PodsListed { pods, asked_at: now }, now);
        let record = record.unwrap_or_default();
        let snapshot = breaker.snapshot(now);
        let hour = jiff::SignedDuration::from_hours(1);
        let rows = newest(&record.containers);
        let unread = rows.iter().find(|row| row.cause == Cause::Unknown.as_str() && !row.quote.is_empty());
        let rule_to_add = unread.and_then(|row| Classifier::suggest_row(&row.quote, Cause::Network));
        Status {
            time: format!("{now:.0}"),
            target: target.to_string(),
            phase: record.state.phase(),
            since: record.state.since(),
            override_: record.override_,
            replicas,
            pods: breaker.pods_left().len(),
            gives_back: record.state.trip().map(|trip| trip.replicas),
            because: record.state.trip().map(|trip| trip.because.clone()),
            count: CountsByCause {
                counts: snapshot.counts,
                by_cause: snapshot.by_cause,
                by_peer: snapshot.by_peer,
            },
            unexamined: actions.iter().filter(|action| matches!(action, Action::GatherEvidence(_))).count(),
            counts_from: record.counts_from,
            trips_last_hour: record.trips.iter().filter(|at| now.duration_since(**at) < hour).count(),
            newest: rows,
            rule_to_add,
            undelivered: record
                .notices
                .iter()
                .map(|notice| UndeliveredRow { what: notice.what, at: notice.at, receivers: notice.to.len() })
                .collect(),
            undo: (record.state != State::Closed).then_some(undo),
            contested: record.contested,
            record: record_state,
        }
    }
}

fn newest(containers: &[ContainerRecord]) -> Vec<RestartRow> {
    let mut all: Vec<(&ContainerRecord, &RestartRecord)> = containers
        .iter()
        .flat_map(|container| container.restarts.iter().map(move |restart| (container, restart)))
        .collect();
    all.sort_by_key(|(container, restart)| (std::cmp::Reverse(restart.at), &container.pod_name, restart.n));
    all.into_iter().take(MAX_NEWEST).map(|(container, restart)| RestartRow::new(container, restart)).collect()
}

#[cfg(test)]
mod tests {
    use breaker_core::state::Trip;

    use super::*;

    fn scale(replicas: u32) -> Scale {
        Scale { uid: "u1".into(), resource_version: "7".into(), replicas, selector: "app=swype-app".into() }
    }

    fn open() -> Record {
        let because = TripReason {
            counts: Counts { counted: 4, threshold: 3, failing: 1, need: 1 },
            window: "1h".into(),
            cause: "network:refused".into(),
            peer: Some("10.0.0.1:443".into()),
            quote: "dial tcp 10.0.0.1:443: connection refused".into(),
            ..TripReason::default()
        };
        let restart = serde_json::json!({
            "pod": "p1", "podName": "swype-app-abc-1", "container": "swype", "seen": 1,
            "observedAt": "2026-01-02T03:00:00Z",
            "restarts": [{"n": 0, "id": "0123456789ab", "at": "2026-01-02T03:00:00Z", "cause": "network",
                          "kind": "refused", "exit": 1, "peer": "10.0.0.1:443", "quote": "connection\u{1b}[31m refused"}],
        });
        Record {
            target_uid: "u1".into(),
            episode: 2,
            state: State::Open {
                since: "2026-01-02T03:00:01Z".parse().unwrap(),
                trip: Trip { replicas: 3, because },
            },
            containers: vec![serde_json::from_value(restart).unwrap()],
            ..Record::default()
        }
    }

    fn status(replicas: u32, record: Option<Record>, record_state: RecordState) -> Status {
        let target = WorkloadRef::deployment("sre", "swype-app");
        let undo = "watcher reset -n sre --deployment swype-app".into();
        let now = "2026-01-02T03:10:05Z".parse().unwrap();
        let found =
            WorkloadState { target, scale: scale(replicas), pods: vec![], record, record_state, undo };
        found.status(Policy::default(), now)
    }

    #[test]
    fn an_open_breaker_says_why_and_how_to_undo_it() {
        insta::assert_snapshot!(status(0, Some(open()), RecordState::Stored));
    }

    #[test]
    fn notifications_that_a_receiver_has_not_acknowledged_are_shown() {
        let notice = |what: &str, at: &str, to: &[&str]| {
            serde_json::from_value(serde_json::json!({
                "id": "u1.t1", "what": what, "at": at, "episode": 2, "message": "Scaled to 0", "to": to,
            }))
            .unwrap()
        };
        let notices = vec![
            notice("tripped", "2026-01-02T03:00:01Z", &["0123", "4567"]),
            notice("contested", "2026-01-02T03:05:00Z", &["0123"]),
        ];
        let status = status(0, Some(Record { notices, ..open() }), RecordState::Stored);
        let text = status.to_string();
        let line = "Unsent     tripped of 2026-01-02T03:00:01Z (10m 4s ago), to 2 receivers\n           \
                    contested of 2026-01-02T03:05:00Z (5m 5s ago), to 1 receiver\n";
        assert!(text.contains(line), "{text}");
        let json = serde_json::to_value(&status).unwrap();
        assert_eq!(json["undelivered"][0]["what"], "tripped");
        assert!(!json.to_string().contains("0123"), "the hash of a URL is not shown");
    }

    #[test]
    fn a_target_that_nobody_watched_is_closed() {
        insta::assert_snapshot!(status(3, None, RecordState::None));
    }

    #[test]
    fn the_peers_that_are_not_named_come_last() {
        let mut status = status(3, None, RecordState::None);
        status.count.by_peer = [("other".into(), 9), ("redis:6379".into(), 1), ("mq:5672".into(), 2)].into();
        assert!(status.to_string().contains("mq:5672 2, redis:6379 1, other 9\n"), "{status}");
    }

    #[test]
    fn last_words_that_no_rule_explains_come_with_a_row_to_add() {
        let mut record = open();
        record.state = State::Closed;
        let restart = &mut record.containers[0].restarts[0];
        (restart.cause, restart.kind, restart.peer) = (Cause::Unknown, None, None);
        restart.quote = "fatal: ledger quorum lost at term 17".into();
        let text = status(1, Some(record), RecordState::Stored).to_string();
        assert!(text.contains("\"fatal: ledger quorum lost at term 17\""), "{text}");
        let row = text
            .lines()
            .find_map(|line| line.strip_prefix("Rule       "))
            .unwrap_or_else(|| panic!("{text}"));
        let row = row.split_once("- {").map(|(_, rest)| format!("- {{{rest}"));
        let own = Classifier::with_rules(&row.unwrap()).unwrap();
        assert_eq!(own.read("fatal: ledger quorum lost at term 18").cause, Cause::Network);
    }

    #[test]
    fn as_json_it_is_one_object() {
        let json = serde_json::to_value(status(0, Some(open()), RecordState::Stored)).unwrap();
        assert_eq!(json["phase"], "Open");
        assert_eq!(json["givesBack"], 3);
        assert_eq!(json["newest"][0]["cause"], "network:refused");
        assert_eq!(json["record"], "stored");
    }

    #[test]
    fn a_record_of_a_namesake_is_not_used() {
        let (record, record_state) = usable(Ok(Some(open())), "u2").unwrap();
        assert_eq!((record, record_state), (None, RecordState::OfANamesake));
    }
}
