//! The ledger as it is kept in a Record, and back.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::container_history::{ContainerHistory, Instance};
use super::{ContainerKey, InstanceId, Ledger};
use crate::pod::PodUid;
use crate::verdict::{Confidence, NetworkKind};
use crate::{Cause, Verdict};

/// One container that has restarted: how far its restarts were counted, and those of the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerRecord {
    /// UID of its pod.
    pub pod: PodUid,
    /// Name of its pod.
    pub pod_name: String,
    /// Its name.
    pub container: String,
    /// Revision of its pod.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub revision: String,
    /// Highest `restartCount` accounted for.
    pub seen: u32,
    /// When it was last observed.
    pub observed_at: Timestamp,
    /// Exit codes seen with a failed probe.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub probe_exits: BTreeSet<i32>,
    /// Its restarts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<RestartRecord>,
}

/// One restart in a Record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestartRecord {
    /// Number of the ended instance; absent for one of a former series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// Identity of the ended instance.
    pub id: InstanceId,
    /// When it finished.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// How, for network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetworkKind>,
    /// Its exit code; absent when nobody saw it end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// The evidence; only the newest few carry it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quote: String,
}

impl RestartRecord {
    /// `network:refused`, or just `oom`.
    pub fn label(&self) -> String {
        crate::verdict::label(self.cause, self.kind)
    }
}

impl Ledger {
    /// The containers that have restarts or probe kills to remember, restarts from `oldest` on.
    pub(crate) fn to_record(&self, oldest: Timestamp) -> Vec<ContainerRecord> {
        self.series
            .iter()
            .filter(|(_, series)| series.seen > 0 || !series.probe_exits.is_empty())
            .map(|(key, series)| ContainerRecord {
                pod: key.pod.clone(),
                pod_name: series.pod_name.clone(),
                container: key.container.clone(),
                revision: series.revision.clone(),
                seen: series.accounted(),
                observed_at: series.observed_at,
                probe_exits: series.probe_exits.clone(),
                restarts: restart_records(series, oldest),
            })
            .collect()
    }

    /// Takes in the containers of a Record, at start or of another watcher. What both know is kept once.
    pub(crate) fn merge_record(&mut self, records: &[ContainerRecord]) {
        for record in records {
            let key = ContainerKey { pod: record.pod.clone(), container: record.container.clone() };
            let series = self.series.entry(key).or_insert_with(|| {
                ContainerHistory::new(&record.pod_name, &record.revision, record.observed_at)
            });
            if record.seen >= series.seen {
                series.observed_at = series.observed_at.max(record.observed_at);
            }
            series.seen = series.seen.max(record.seen);
            series.probe_exits.extend(&record.probe_exits);
            for restart in &record.restarts {
                let entry = Instance::from(restart);
                match restart.n {
                    Some(n) => match series.terminations.get(&n) {
                        Some(known) if known.observed && known.verdict.is_some() => {}
                        _ => drop(series.terminations.insert(n, entry)),
                    },
                    None if series.instance_mut(&restart.id).is_none() => series.earlier.push(entry),
                    None => {}
                }
            }
        }
    }
}

fn restart_records(series: &ContainerHistory, oldest: Timestamp) -> Vec<RestartRecord> {
    let mut records: Vec<_> = series
        .earlier
        .iter()
        .map(|entry| (None, entry))
        .chain(series.terminations.range(..series.seen).map(|(n, entry)| (Some(*n), entry)))
        .filter(|(_, entry)| entry.at >= oldest && !entry.discounted)
        .filter_map(|(n, entry)| {
            let verdict = entry.verdict.as_ref()?;
            Some(RestartRecord {
                n,
                id: entry.id.clone(),
                at: entry.at,
                cause: verdict.cause,
                kind: verdict.kind,
                exit: entry.observed.then_some(entry.exit_code),
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
            }),
            told: true,
        }
    }
}
