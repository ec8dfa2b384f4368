//! The way to people and programs outside the cluster.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;

use crate::webhook::Endpoint;

/// Delivers messages. Object-safe; `breaker-kube` implements it over HTTP, `sim` in memory.
///
/// Each call is one attempt; trying again and giving up in time belong to the caller, who may drop the future.
#[async_trait]
pub trait WebhookClient: Send + Sync {
    /// Delivers one event. The same event may be sent again after a crash: its `id` is the idempotency key.
    ///
    /// # Errors
    /// [`WebhookError`] when it was not accepted, or nobody knows whether it was.
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError>;
}

/// An event in the structured JSON form of CloudEvents 1.0.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: &'static str,
    /// Same event, same id: `<target uid>.<episode>` for the hook, with what happened appended for a notice.
    pub id: String,
    /// `/bigredbutton/<namespace>/<kind>/<name>`.
    pub source: String,
    /// `dev.bigredbutton.before_trip`, `dev.bigredbutton.tripped`, ….
    #[serde(rename = "type")]
    pub kind: String,
    /// `<namespace>/<kind>/<name>`.
    pub subject: String,
    /// When it happened; unchanged when it is sent again.
    pub time: Timestamp,
    /// `application/json`.
    pub datacontenttype: &'static str,
    /// What happened.
    pub data: serde_json::Value,
}

/// What the receiver of a hook wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookDecision {
    /// Go on.
    Proceed,
    /// Do not trip now; why.
    Hold(String),
}

/// A message that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct WebhookError {
    /// Why, on one line, without secrets.
    pub why: String,
    /// The same message may be accepted later.
    pub retryable: bool,
}
