//! The stored record of a breaker, which survives a restart of the watcher.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cluster::KubernetesEvent;
pub use crate::ledger::{ContainerRecord, RestartRecord};
pub use crate::notification::{Notification, NotificationKind};
use crate::state::{Override, State};

/// The number of newest restarts that keep their quote.
const MAX_QUOTES: usize = 5;

/// The state of one breaker as stored in the cluster, saved before each action on the target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// UID of the target. A Record with another UID belongs to a deleted object of the same name
    /// and is ignored.
    pub target_uid: String,
    /// Number of the episode, from 1. A new episode starts when the breaker opens, on every reset,
    /// when a trip is abandoned, and when another client scales the target up.
    pub episode: u64,
    /// Random id of the episode: 16 hexadecimal digits. Unlike the number it is never used again,
    /// so the keys of hooks, notifications and Events have it. `None` in Records of earlier
    /// versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_id: Option<String>,
    /// Restarts before this time never count; `None` means that no restart is too old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from: Option<Timestamp>,
    /// The state of the breaker.
    pub state: State,
    /// The override that an operator has set. Default: [`Override::Auto`].
    #[serde(default, rename = "override")]
    pub override_: Override,
    /// Set when another client scaled the target up while the breaker was open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
    /// The times of the trips of the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trips: Vec<Timestamp>,
    /// The current cool-down in seconds; `None` while it has its initial length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown_secs: Option<i64>,
    /// The containers that have restarted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerRecord>,
    /// Events on the target that the API server has not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<KubernetesEvent>,
    /// Notifications that the webhook has not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notification>,
    /// The requests of the owner whose effect this Record has.
    #[serde(default, skip_serializing_if = "HandledRequests::is_empty")]
    pub handled: HandledRequests,
}

/// The requests that a breaker has carried out. They are stored in the same Record as their effect,
/// so that a watcher that ends in between neither loses a request nor repeats it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandledRequests {
    /// Id of the reset that was carried out last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// The override that was acted on last; `None` before the first, and while a trip that
    /// [`Override::ForcedOpen`] asks for has not started.
    #[serde(default, rename = "override", skip_serializing_if = "Option::is_none")]
    pub override_: Option<Override>,
}

impl HandledRequests {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A scale-up by another client while the breaker was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Contested {
    /// Field manager of the client; `another client` when the API server does not keep its name.
    pub by: String,
    /// When the breaker detected it.
    pub at: Timestamp,
}

impl Record {
    /// The maximum size of a Record, in bytes of JSON: 32 KiB.
    pub const MAX_BYTES: usize = 32 * 1024;

    /// Shrinks the Record to at most [`MAX_BYTES`](Self::MAX_BYTES).
    ///
    /// Only the newest 5 restarts keep their quotes. While the Record is too large, this drops in
    /// order: the oldest restarts, the containers observed longest ago, undelivered Events, and
    /// undelivered notifications.
    pub(crate) fn fit(mut self) -> Self {
        self.keep_newest_quotes();
        let mut excess = bytes(&self).saturating_sub(Self::MAX_BYTES);
        if excess == 0 {
            return self;
        }
        let mut restarts: Vec<_> = self
            .containers
            .iter()
            .enumerate()
            .flat_map(|(index, container)| {
                container.restarts.iter().map(move |restart| (restart.at, index, bytes(restart) + 1))
            })
            .collect();
        restarts.sort_unstable();
        let mut drop_count = vec![0; self.containers.len()];
        for (_, index, size) in restarts {
            if excess == 0 {
                break;
            }
            drop_count[index] += 1;
            excess = excess.saturating_sub(size);
        }
        for (container, count) in self.containers.iter_mut().zip(drop_count) {
            // `restarts` is sorted by time, oldest first.
            container.restarts.drain(..count);
        }
        if excess > 0 {
            self.containers.sort_by_key(|container| container.observed_at);
            let mut unneeded = 0;
            for container in &self.containers {
                if excess == 0 {
                    break;
                }
                excess = excess.saturating_sub(bytes(container) + 1);
                unneeded += 1;
            }
            self.containers.drain(..unneeded);
        }
        while bytes(&self) > Self::MAX_BYTES && self.undelivered.pop().is_some() {}
        while bytes(&self) > Self::MAX_BYTES && !self.notices.is_empty() {
            self.notices.remove(0);
        }
        self
    }

    fn keep_newest_quotes(&mut self) {
        let mut quoted: Vec<_> = self
            .containers
            .iter_mut()
            .flat_map(|container| &mut container.restarts)
            .filter(|restart| !restart.quote.is_empty())
            .collect();
        quoted.sort_by_key(|restart| std::cmp::Reverse(restart.at));
        for restart in quoted.into_iter().skip(MAX_QUOTES) {
            restart.quote.clear();
        }
    }
}

fn bytes(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}
