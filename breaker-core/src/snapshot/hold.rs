//! Holds: why a breaker does not trip although many containers restart.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::revision_counts::RevisionCounts;
use crate::counts::Counts;
use crate::policy::{CauseSet, PeerSet};

/// Why a trip is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HoldReason {
    /// All restarts together exceed the threshold; those of the counted causes do not.
    Causes,
    /// Restarts that were just observed ended before the window by the clock of their node.
    Clock,
    /// Another client scaled the target up after each of the last trips.
    Contested,
    /// The outage guard of the fleet is on.
    Guard,
    /// The `before_trip` hook asked to hold, or failed.
    Hook,
    /// All failing pods are on one node, and a pod on another node is Ready.
    OneNode,
    /// All network restarts together exceed the threshold; those of the counted peers do not.
    Peers,
    /// The Record cannot be stored, and nothing is scaled without it.
    Record,
    /// The API server refuses to scale the target.
    Refused,
    /// The target's scale cannot be read.
    Scale,
    /// The pods cannot be listed.
    StaleView,
}

impl HoldReason {
    /// Every reason, in alphabetical order.
    pub const ALL: [Self; 11] = [
        Self::Causes,
        Self::Clock,
        Self::Contested,
        Self::Guard,
        Self::Hook,
        Self::OneNode,
        Self::Peers,
        Self::Record,
        Self::Refused,
        Self::Scale,
        Self::StaleView,
    ];

    /// The name in snake case, as in JSON and in metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Causes => "causes",
            Self::Clock => "clock",
            Self::Contested => "contested",
            Self::Guard => "guard",
            Self::Hook => "hook",
            Self::OneNode => "one_node",
            Self::Peers => "peers",
            Self::Record => "record",
            Self::Refused => "refused",
            Self::Scale => "scale",
            Self::StaleView => "stale_view",
        }
    }

    /// The name in CamelCase, as the reason of a Kubernetes condition.
    pub fn condition_reason(self) -> &'static str {
        match self {
            Self::Causes => "Causes",
            Self::Clock => "Clock",
            Self::Contested => "Contested",
            Self::Guard => "Guard",
            Self::Hook => "Hook",
            Self::OneNode => "OneNode",
            Self::Peers => "Peers",
            Self::Record => "Record",
            Self::Refused => "Refused",
            Self::Scale => "Scale",
            Self::StaleView => "StaleView",
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A trip that is held, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Why.
    pub reason: HoldReason,
    /// Restarts of any cause inside the window.
    pub total: u32,
    /// The counts of the revision that would trip.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why, as one sentence without a full stop.
    pub why: String,
    /// The causes that would have to count for a trip; only with [`HoldReason::Causes`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "cause_list")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<crate::Cause>>"))]
    pub would_trip_with: Option<CauseSet>,
    /// The peers whose failures would have to count for a trip, as globs; none for any peer. Only
    /// if the policy counts some peers.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "glob_list")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<String>>"))]
    pub would_trip_with_peers: Option<PeerSet>,
}

impl Hold {
    /// A hold of the trip of `revision`.
    pub(crate) fn new(reason: HoldReason, why: String, revision: Option<&RevisionCounts>) -> Self {
        let (counts, total) = revision.map(|revision| (revision.counts, revision.total)).unwrap_or_default();
        Self { reason, total, counts, why, would_trip_with: None, would_trip_with_peers: None }
    }
}

/// The sentence, and the causes and peers that would trip.
impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        match (self.would_trip_with, &self.would_trip_with_peers) {
            (Some(causes), Some(peers)) => write!(f, "; causes {causes} with peers {peers} would trip"),
            (Some(causes), None) => write!(f, "; causes {causes} would trip"),
            (None, Some(peers)) => write!(f, "; peers {peers} would trip"),
            (None, None) => Ok(()),
        }
    }
}

/// A set of causes as a list of names.
mod cause_list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::Cause;
    use crate::policy::CauseSet;

    pub(super) fn serialize<S: Serializer>(causes: &Option<CauseSet>, to: S) -> Result<S::Ok, S::Error> {
        causes.map(|causes| causes.iter().collect::<Vec<_>>()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<CauseSet>, D::Error> {
        Ok(Option::<Vec<Cause>>::deserialize(from)?.map(CauseSet::from_iter))
    }
}

/// A set of peers as a list of globs.
mod glob_list {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::policy::PeerSet;

    pub(super) fn serialize<S: Serializer>(peers: &Option<PeerSet>, to: S) -> Result<S::Ok, S::Error> {
        peers.as_ref().map(|peers| peers.globs().collect::<Vec<_>>()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PeerSet>, D::Error> {
        let globs = Option::<Vec<String>>::deserialize(from)?;
        globs.map(PeerSet::new).transpose().map_err(D::Error::custom)
    }
}
