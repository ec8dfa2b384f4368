//! Notifications: messages about a breaker, kept in its Record until every receiver has acknowledged them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::state::TripReason;

/// A notice that not everybody has acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// `<uid>.<episode>.<what>`: the same notice, the same id.
    pub id: String,
    /// `tripped`, `held`, `contested`, `restored`, `reset`, `abandoned` or `probe_failed`.
    pub what: String,
    /// When it happened.
    pub at: Timestamp,
    /// In which episode.
    pub episode: u64,
    /// For people.
    pub message: String,
    /// Replicas that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Why, for a trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<TripReason>,
    /// Hashes of the addresses that have not acknowledged it.
    pub to: Vec<String>,
}
