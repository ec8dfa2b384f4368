//! The state, phase and override of a breaker, and the trip behind it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Verdict;
use crate::counts::Counts;
use crate::text::plural;

/// The state of a breaker. The diagram in the crate documentation shows the transitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all_fields = "camelCase")]
pub enum State {
    /// Restarts are counted; the target runs.
    #[default]
    Closed,
    /// The trip is decided; the target is not scaled to zero yet.
    Tripping {
        /// When the trip was decided.
        since: Timestamp,
        /// The trip.
        #[serde(flatten)]
        trip: Trip,
        /// Number of trial replicas, if the breaker was half open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<u32>,
    },
    /// The target is scaled to zero.
    Open {
        /// When the target reached zero.
        since: Timestamp,
        /// The trip that opened the breaker.
        #[serde(flatten)]
        trip: Trip,
    },
    /// The target runs with trial replicas.
    HalfOpen {
        /// When the trial replicas were scaled up; until then, when the trial was decided.
        since: Timestamp,
        /// The trip that opened the breaker.
        #[serde(flatten)]
        trip: Trip,
        /// Number of trial replicas.
        probe: u32,
        /// The trial replicas are scaled up.
        #[serde(default)]
        probing: bool,
        /// When the first container of the trial replicas had started: the trial period runs from
        /// then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started: Option<Timestamp>,
    },
    /// The replicas are being restored.
    Restoring {
        /// `since` of the state before.
        since: Timestamp,
        /// The trip that is being undone.
        #[serde(flatten)]
        trip: Trip,
        /// Number of trial replicas, if the breaker was half open.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        probe: Option<u32>,
    },
}

impl State {
    /// The phase. While replicas are being restored, the breaker is still open or half open.
    pub fn phase(&self) -> Phase {
        match self {
            Self::Closed => Phase::Closed,
            Self::Tripping { .. } => Phase::Tripping,
            Self::Open { .. } | Self::Restoring { probe: None, .. } => Phase::Open,
            Self::HalfOpen { .. } | Self::Restoring { probe: Some(_), .. } => Phase::HalfOpen,
        }
    }

    /// The trip; `None` when closed.
    pub fn trip(&self) -> Option<&Trip> {
        match self {
            Self::Closed => None,
            Self::Tripping { trip, .. }
            | Self::Open { trip, .. }
            | Self::HalfOpen { trip, .. }
            | Self::Restoring { trip, .. } => Some(trip),
        }
    }

    /// Whether trial replicas are judged. Their restarts count whatever their time: the pods are
    /// new, and the clock of their node may differ.
    pub fn is_on_trial(&self) -> bool {
        match self {
            Self::HalfOpen { .. } => true,
            Self::Tripping { trip, .. } => trip.because.probe_failed,
            Self::Closed | Self::Open { .. } | Self::Restoring { .. } => false,
        }
    }

    /// When the breaker entered this state; `None` when closed.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Closed => None,
            Self::Tripping { since, .. }
            | Self::Open { since, .. }
            | Self::HalfOpen { since, .. }
            | Self::Restoring { since, .. } => Some(*since),
        }
    }
}

/// The state of a breaker without its data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Phase {
    /// Restarts are counted; the target runs.
    #[default]
    Closed,
    /// The target is being scaled to zero.
    Tripping,
    /// The target is scaled to zero.
    Open,
    /// The target runs with trial replicas.
    HalfOpen,
}

impl Phase {
    /// Every phase, in the order of an episode.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Tripping, Self::Open, Self::HalfOpen];

    /// The name as in JSON: `Closed`, `Tripping`, `Open` or `HalfOpen`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "Closed",
            Self::Tripping => "Tripping",
            Self::Open => "Open",
            Self::HalfOpen => "HalfOpen",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A trip: the replicas that it removes, and its reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Replicas before the trip, which a reset restores.
    pub replicas: u32,
    /// Why the breaker tripped.
    pub because: TripReason,
}

/// Why a breaker tripped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TripReason {
    /// An operator pressed the red button.
    #[serde(default)]
    pub pressed: bool,
    /// The trial replicas of a half-open breaker failed.
    #[serde(default)]
    pub probe_failed: bool,
    /// The counts when the trip was decided.
    #[serde(flatten)]
    pub counts: Counts,
    /// The window of the policy: `1h`, `none`.
    #[serde(default)]
    pub window: String,
    /// Revision of the failing pods.
    #[serde(default)]
    pub revision: String,
    /// The most frequent counted cause, for example `network:refused`.
    #[serde(default)]
    pub cause: String,
    /// The peer that most of the counted restarts with a known peer name: `swype-gateway:443`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// What the cluster knew of the peer: `0 ready endpoints since 08:24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_status: Option<String>,
    /// The quote of the newest counted restart.
    #[serde(default)]
    pub quote: String,
}

impl TripReason {
    /// The reason of a trip by the red button.
    pub fn pressed() -> Self {
        Self { pressed: true, ..Self::default() }
    }
}

/// One sentence without a full stop.
impl fmt::Display for TripReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pressed {
            return f.write_str("a person asked for the trip");
        }
        if self.probe_failed {
            f.write_str("the trial replicas failed: ")?;
        }
        let Counts { counted, threshold, .. } = self.counts;
        let cause = if self.cause.is_empty() { String::new() } else { format!("{} ", self.cause) };
        write!(f, "{}", plural(counted, &format!("{cause}restart")))?;
        match self.window.as_str() {
            "" | "none" => {}
            window => write!(f, " within {window}")?,
        }
        write!(f, ", limit {threshold}; {}", self.counts.failing_pods())?;
        if let Some(peer) = &self.peer {
            write!(f, "; peer {}", Verdict::peer_and_status(peer, self.peer_status.as_deref()))?;
        }
        if !self.quote.is_empty() {
            write!(f, "; last quote: \"{}\"", self.quote)?;
        }
        Ok(())
    }
}

/// What an operator has set over the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Override {
    /// The policy decides.
    #[default]
    Auto,
    /// The red button is pressed: the breaker is open until a reset.
    ForcedOpen,
    /// Restarts are counted and reported; the target is never scaled.
    Disabled,
}

impl Override {
    /// Every override.
    pub const ALL: [Self; 3] = [Self::Auto, Self::ForcedOpen, Self::Disabled];

    /// The name as in JSON: `Auto`, `ForcedOpen` or `Disabled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "Auto",
            Self::ForcedOpen => "ForcedOpen",
            Self::Disabled => "Disabled",
        }
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
