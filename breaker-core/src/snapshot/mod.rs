//! Snapshots: the phase of a breaker at one instant, with the counts behind its decision.

mod blind;
mod hold;
mod peer_counts;
mod revision_counts;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::blind::Blind;
pub use self::hold::{Hold, HoldReason};
pub use self::peer_counts::list_peers;
pub(crate) use self::peer_counts::most_frequent;
pub use self::revision_counts::RevisionCounts;
pub(crate) use self::revision_counts::{closest_to_trip, count_revisions, failing_pods, limits};
pub use crate::counts::Counts;
use crate::record::Contested;
use crate::state::{Phase, TripReason};

/// The phase and the counts of a breaker at one instant: the data of a status or a metric, beside
/// the [`Record`](crate::Record).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The phase of the breaker.
    pub phase: Phase,
    /// Live pods of the target.
    pub pods: u32,
    /// The counts of the revision that is closest to a trip; zero without pods and restarts.
    #[serde(flatten)]
    pub counts: Counts,
    /// Restarts of that revision inside the window, counted or not, by cause: `network:refused`.
    pub by_cause: BTreeMap<String, u32>,
    /// Restarts of that revision inside the window, counted or not, by the peer that they name: the
    /// 10 most frequent, and `other`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_peer: BTreeMap<String, u32>,
    /// Why a trip is held; `None` when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Since when the breaker does not see its pods; `None` while it does, and in the first 10 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<Blind>,
    /// Why a breaker that only observes, or is disabled, would have tripped in this episode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_trip: Option<TripReason>,
    /// The client that scaled the open target up, until a reset or until the replicas are restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested: Option<Contested>,
}
