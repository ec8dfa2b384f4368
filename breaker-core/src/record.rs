//! The Record: what survives the watcher's own restart.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cluster::KubernetesEvent;
pub use crate::ledger::{ContainerRecord, RestartRecord};
pub use crate::notification::{Notification, NotificationKind};
use crate::state::{Override, State};

/// A Record never grows beyond this many bytes of JSON; the oldest restarts are dropped first.
pub const MOST_BYTES: usize = 32 * 1024;

/// How many of the newest restarts keep their quote.
const QUOTES_KEPT: usize = 5;

/// What survives the watcher's own restart. Written before each act.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// UID of the target; a Record of another UID belongs to a namesake and is not used.
    pub target_uid: String,
    /// Number of the episode, from 1; a new one begins on entering Open, on every reset, when a trip is
    /// abandoned and when somebody else takes over.
    pub episode: u64,
    /// Restarts that finished before this never count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
    /// Where the breaker is.
    pub state: State,
    /// What a person has set.
    #[serde(default, rename = "override")]
    pub override_: Override,
    /// Somebody else scaled the target up while it was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
    /// Trips of the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trips: Vec<Timestamp>,
    /// The cool-down in force, in seconds, once it has grown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_secs: Option<i64>,
    /// Containers with restarts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerRecord>,
    /// Events on the target that the API server has not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<KubernetesEvent>,
    /// Notices that somebody outside the cluster has not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notification>,
}

/// Who scaled an open target up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contested {
    /// Field manager, or `somebody` when the target does not tell.
    pub by: String,
    /// When it was noticed.
    pub at: Timestamp,
}

impl Record {
    /// Drops quotes beyond the newest few, then the oldest restarts, then the containers not seen for
    /// longest, then undelivered Events and notices, until the Record fits [`MOST_BYTES`].
    pub(crate) fn fit(mut self) -> Self {
        self.keep_newest_quotes();
        let mut excess = bytes(&self).saturating_sub(MOST_BYTES);
        if excess == 0 {
            return self;
        }
        let mut restarts: Vec<_> = self
            .containers
            .iter()
            .enumerate()
            .flat_map(|(of, mark)| {
                mark.restarts.iter().map(move |restart| (restart.at, of, bytes(restart) + 1))
            })
            .collect();
        restarts.sort_unstable();
        let mut drop_from = vec![0; self.containers.len()];
        for (_, of, size) in restarts {
            if excess == 0 {
                break;
            }
            drop_from[of] += 1;
            excess = excess.saturating_sub(size);
        }
        for (mark, oldest) in self.containers.iter_mut().zip(drop_from) {
            // Oldest first, so what is dropped is in front.
            mark.restarts.drain(..oldest);
        }
        if excess > 0 {
            self.containers.sort_by_key(|mark| mark.observed_at);
            let mut few = 0;
            for mark in &self.containers {
                if excess == 0 {
                    break;
                }
                excess = excess.saturating_sub(bytes(mark) + 1);
                few += 1;
            }
            self.containers.drain(..few);
        }
        while bytes(&self) > MOST_BYTES && self.undelivered.pop().is_some() {}
        while bytes(&self) > MOST_BYTES && !self.notices.is_empty() {
            self.notices.remove(0);
        }
        self
    }

    fn keep_newest_quotes(&mut self) {
        let mut quoted: Vec<_> = self
            .containers
            .iter_mut()
            .flat_map(|mark| &mut mark.restarts)
            .filter(|restart| !restart.quote.is_empty())
            .collect();
        quoted.sort_by_key(|restart| std::cmp::Reverse(restart.at));
        for restart in quoted.into_iter().skip(QUOTES_KEPT) {
            restart.quote.clear();
        }
    }
}

fn bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}
