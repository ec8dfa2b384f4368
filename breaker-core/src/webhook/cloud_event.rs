//! The messages that webhooks receive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::WorkloadRef;
use crate::state::TripReason;

/// A message in the structured JSON form of CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: String,
    /// The idempotency key: `<target uid>.<trip id>` for the hook, `<target uid>.<trip id>.<kind>`
    /// for a notification. The trip id is random, new with each episode, and part of the Record.
    pub id: String,
    /// `/bigredbutton/<namespace>/<kind>/<name>`.
    pub source: String,
    /// `dev.bigredbutton.before_trip`, `dev.bigredbutton.tripped`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// `<namespace>/<kind>/<name>`.
    pub subject: String,
    /// When it happened; the same if the message is sent again.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: String,
    /// What happened.
    pub data: CloudEventData,
}

/// The `data` of a [`CloudEvent`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEventData {
    /// Namespace of the target.
    pub namespace: String,
    /// Kind of the target: `deployment`, `rollout.argoproj.io`, ….
    pub kind: String,
    /// Name of the target.
    pub name: String,
    /// UID of the target.
    pub uid: String,
    /// Number of the episode.
    pub episode: u64,
    /// What happened, in one sentence.
    pub message: String,
    /// The replicas concerned: those before a trip, those restored, those another client set.
    pub replicas: Option<u32>,
    /// Why, for a trip.
    pub because: Option<TripReason>,
}

impl CloudEvent {
    /// A message about `target`. `what` is the last part of its type.
    pub(crate) fn new(
        target: &WorkloadRef,
        id: String,
        what: &str,
        time: Timestamp,
        data: CloudEventData,
    ) -> Self {
        Self {
            specversion: "1.0".into(),
            id,
            source: format!("/bigredbutton/{target}"),
            kind: format!("dev.bigredbutton.{what}"),
            subject: target.to_string(),
            time,
            datacontenttype: "application/json".into(),
            data,
        }
    }
}
