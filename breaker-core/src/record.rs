//! The Record: what survives the watcher's own restart.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ContainerMark, Override, State, TargetEvent};

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
    pub containers: Vec<ContainerMark>,
    /// Events on the target that the API server has not acknowledged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undelivered: Vec<TargetEvent>,
}

/// Who scaled an open target up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contested {
    /// Field manager, or `somebody` when the target does not tell.
    pub by: String,
    /// When it was noticed.
    pub at: Timestamp,
}

impl Record {
    /// Drops quotes beyond the newest few, then the oldest restarts, then the containers not seen for
    /// longest, until the Record fits [`MOST_BYTES`].
    pub(crate) fn fit(mut self) -> Self {
        self.keep_newest_quotes();
        while self.bytes() > MOST_BYTES {
            let restarts: usize = self.containers.iter().map(|mark| mark.restarts.len()).sum();
            let excess = (restarts / 8).max(1);
            if restarts > 0 {
                self.drop_oldest_restarts(excess);
            } else if !self.containers.is_empty() {
                let few = (self.containers.len() / 8).max(1);
                self.containers.sort_by_key(|mark| mark.observed_at);
                self.containers.drain(..few);
            } else if self.undelivered.pop().is_none() {
                break;
            }
        }
        self
    }

    fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |json| json.len())
    }

    fn keep_newest_quotes(&mut self) {
        let mut times: Vec<_> = self
            .containers
            .iter()
            .flat_map(|mark| &mark.restarts)
            .filter(|restart| !restart.quote.is_empty())
            .map(|restart| restart.at)
            .collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let Some(oldest_kept) = times.get(QUOTES_KEPT - 1).copied() else { return };
        let mut left = QUOTES_KEPT;
        for restart in self.containers.iter_mut().flat_map(|mark| &mut mark.restarts) {
            if restart.quote.is_empty() {
                continue;
            }
            if restart.at < oldest_kept || left == 0 {
                restart.quote.clear();
            } else {
                left -= 1;
            }
        }
    }

    fn drop_oldest_restarts(&mut self, excess: usize) {
        let mut times: Vec<_> =
            self.containers.iter().flat_map(|mark| &mark.restarts).map(|restart| restart.at).collect();
        times.sort_unstable();
        let mut left = excess;
        if let Some(cut) = times.get(excess - 1).copied() {
            for mark in &mut self.containers {
                mark.restarts.retain(|restart| {
                    let drop = left > 0 && restart.at <= cut;
                    left -= usize::from(drop);
                    !drop
                });
            }
        }
    }
}
