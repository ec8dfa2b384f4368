//! The client that calls webhooks.

use async_trait::async_trait;

use super::cloud_event::CloudEvent;
use super::hooks::Endpoint;

/// Delivers messages. Object-safe; `breaker-kube` implements it over HTTP, `sim` in memory.
///
/// Each call is one attempt; trying again and giving up in time belong to the caller, who may drop
/// the future.
#[async_trait]
pub trait WebhookClient: Send + Sync {
    /// Delivers one event. The same event may be sent again after a crash: its `id` is the
    /// idempotency key.
    ///
    /// # Errors
    /// [`WebhookError`] when it was not accepted, or nobody knows whether it was.
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError>;
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
