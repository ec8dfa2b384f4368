//! The client that calls webhooks.

use async_trait::async_trait;

use super::cloud_event::CloudEvent;
use super::hooks::Endpoint;

/// A client that delivers messages to webhooks. Object-safe; `breaker-kube` implements it over
/// HTTP, `sim` in memory.
///
/// Each call is one attempt. Retries and timeouts are the caller's; the caller may drop the future.
#[async_trait]
pub trait WebhookClient: Send + Sync {
    /// Delivers one event. The same event may be sent again after a crash: its `id` is the
    /// idempotency key.
    ///
    /// # Errors
    /// [`WebhookError`] when it was not accepted, or when that is unknown.
    async fn post(&self, to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError>;
}

/// The answer of a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookDecision {
    /// The trip may proceed.
    Proceed,
    /// The trip must wait.
    Hold,
}

/// A message that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct WebhookError {
    /// Why, on one line, without secrets.
    pub why: String,
    /// Whether the same message may be accepted later.
    pub retryable: bool,
}
