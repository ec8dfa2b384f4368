//! Notifications: messages about a breaker, kept in its Record until every receiver has
//! acknowledged them.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::TripReason;

/// A notification that at least one receiver has not acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// `<uid>.<episode id>.<what>`. A notification that is sent again has the same id.
    pub id: String,
    /// The kind.
    pub what: NotificationKind,
    /// When it happened.
    pub at: Timestamp,
    /// Number of the episode.
    pub episode: u64,
    /// What happened, in one sentence for people.
    pub message: String,
    /// The replicas concerned: those before a trip, those restored, those another client set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Why, for a trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<TripReason>,
    /// Hashes of the addresses that have not acknowledged it.
    pub to: Vec<String>,
}

/// The kind of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotificationKind {
    /// The target was scaled to zero.
    Tripped,
    /// A trip is held.
    Held,
    /// Another client scaled the open target up.
    Contested,
    /// The replicas were restored.
    Restored,
    /// A closed breaker was reset.
    Reset,
    /// A trip was abandoned before the target was scaled.
    Abandoned,
    /// The trial replicas failed.
    ProbeFailed,
}

impl NotificationKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Tripped,
        Self::Held,
        Self::Contested,
        Self::Restored,
        Self::Reset,
        Self::Abandoned,
        Self::ProbeFailed,
    ];

    /// The name in snake case, as in JSON and in the type of the CloudEvent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tripped => "tripped",
            Self::Held => "held",
            Self::Contested => "contested",
            Self::Restored => "restored",
            Self::Reset => "reset",
            Self::Abandoned => "abandoned",
            Self::ProbeFailed => "probe_failed",
        }
    }
}

impl fmt::Display for NotificationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
