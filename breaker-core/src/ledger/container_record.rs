//! The part of a Record that stores the ledger, and the conversions between both.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_history::{ContainerHistory, Instance};
use super::{ContainerKey, InstanceId, Ledger};
use crate::pod::PodUid;
use crate::verdict::{Confidence, NetworkKind};
use crate::{Cause, Verdict};

/// The stored history of one container that has restarted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerRecord {
    /// UID of its pod.
    pub pod: PodUid,
    /// Name of its pod.
    pub pod_name: String,
    /// Name of the container.
    pub container: String,
    /// Revision of its pod; empty when the pod has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// The `restartCount` up to which every restart has its verdict.
    pub seen: u32,
    /// When the container was last observed.
    pub observed_at: Timestamp,
    /// Exit codes with which the container ended after a failed probe.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub probe_exits: BTreeSet<i32>,
    /// The restarts inside the window, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<RestartRecord>,
}

/// One restart in a Record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestartRecord {
    /// Number of the ended instance, from 0; `None` for an instance from before a counter reset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// Identity of the ended instance.
    pub id: InstanceId,
    /// When the instance ended.
    pub at: Timestamp,
    /// Why the instance ended.
    pub cause: Cause,
    /// How the network failed, if `cause` is [`Cause::Network`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetworkKind>,
    /// Exit code; `None` when the end was not observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The other side of the failed connection, if the verdict names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The quote of the verdict; empty except for the newest restarts of the Record.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quote: String,
}

impl RestartRecord {
    /// The cause with its kind: `network:refused`, `oom`.
    pub fn label(&self) -> String {
        crate::verdict::label(self.cause, self.kind)
    }
}

impl Ledger {
    /// The records of the containers with restarts or probe kills, with the restarts since
    /// `oldest`.
    pub(crate) fn to_record(&self, oldest: Timestamp) -> Vec<ContainerRecord> {
        self.containers
            .iter()
            .filter(|(_, history)| history.seen > 0 || !history.probe_exits.is_empty())
            .map(|(key, history)| ContainerRecord {
                pod: key.pod.clone(),
                pod_name: history.pod_name.clone(),
                container: key.container.clone(),
                revision: history.revision.clone(),
                seen: history.accounted(),
                observed_at: history.observed_at,
                probe_exits: history.probe_exits.clone(),
                restarts: restart_records(history, oldest),
            })
            .collect()
    }

    /// Adds the containers of a stored Record. A restart in both is kept once.
    pub(crate) fn merge_record(&mut self, records: &[ContainerRecord]) {
        for record in records {
            let key = ContainerKey { pod: record.pod.clone(), container: record.container.clone() };
            let history = self.containers.entry(key).or_insert_with(|| {
                ContainerHistory::new(&record.pod_name, &record.revision, record.observed_at)
            });
            if record.seen >= history.seen {
                history.observed_at = history.observed_at.max(record.observed_at);
            }
            history.seen = history.seen.max(record.seen);
            history.probe_exits.extend(&record.probe_exits);
            for restart in &record.restarts {
                let instance = Instance::from(restart);
                match restart.n {
                    Some(n) => match history.terminations.get(&n) {
                        Some(known) if known.observed && known.verdict.is_some() => {}
                        _ => drop(history.terminations.insert(n, instance)),
                    },
                    None if history.instance_mut(&restart.id).is_none() => history.earlier.push(instance),
                    None => {}
                }
            }
        }
    }
}

fn restart_records(history: &ContainerHistory, oldest: Timestamp) -> Vec<RestartRecord> {
    let mut records: Vec<_> = history
        .earlier
        .iter()
        .map(|instance| (None, instance))
        .chain(history.terminations.range(..history.seen).map(|(n, instance)| (Some(*n), instance)))
        .filter(|(_, instance)| instance.at >= oldest && !instance.discounted)
        .filter_map(|(n, instance)| {
            let verdict = instance.verdict.as_ref()?;
            Some(RestartRecord {
                n,
                id: instance.id.clone(),
                at: instance.at,
                cause: verdict.cause,
                kind: verdict.kind,
                exit: instance.observed.then_some(instance.exit_code),
                peer: verdict.peer.clone(),
                quote: verdict.quote.clone(),
            })
        })
        .collect();
    records.sort_by_key(|record| (record.at, record.n));
    records
}

impl From<&RestartRecord> for Instance {
    fn from(record: &RestartRecord) -> Self {
        Self {
            id: record.id.clone(),
            at: record.at,
            exit_code: record.exit.unwrap_or_default(),
            observed: record.exit.is_some(),
            discounted: false,
            verdict: Some(Verdict {
                cause: record.cause,
                kind: record.kind,
                confidence: Confidence::High,
                rule: "recorded".into(),
                quote: record.quote.clone(),
                peer: record.peer.clone(),
                peer_status: None,
            }),
            emitted: true,
        }
    }
}
