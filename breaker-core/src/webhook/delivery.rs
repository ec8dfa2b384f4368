//! Delivery of a message: one attempt, or attempts until a timeout.

use std::sync::Arc;

use futures::future::{Either, select};
use jiff::SignedDuration;

use super::client::{HookDecision, WebhookClient, WebhookError};
use super::cloud_event::CloudEvent;
use super::hooks::Endpoint;
use crate::backoff::Backoff;
use crate::clock::Clock;

/// The time for one attempt at a notification.
const NOTIFY_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(250), SignedDuration::from_secs(2));
const MIN_ATTEMPT: SignedDuration = SignedDuration::from_millis(200);

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The supervisor has no [`WebhookClient`].
    #[error("no webhook client is configured")]
    NoClient,
    /// There was no answer in time.
    #[error("no answer within {limit:#}{}", .last.as_ref().map(|why| format!("; the last attempt: {why}")).unwrap_or_default())]
    Timeout {
        /// The timeout.
        limit: SignedDuration,
        /// Why the last attempt that ended failed.
        last: Option<String>,
    },
    /// The receiver refused the message.
    #[error("{0}")]
    Refused(String),
}

/// One attempt at a notification.
pub(crate) async fn once(
    client: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
) -> Result<(), DeliveryError> {
    let Some(client) = client else { return Err(DeliveryError::NoClient) };
    match attempt(&*client, clock, to, event, NOTIFY_TIMEOUT).await {
        Some(answer) => answer.map(|_| ()).map_err(|error| DeliveryError::Refused(error.why)),
        None => Err(DeliveryError::Timeout { limit: NOTIFY_TIMEOUT, last: None }),
    }
}

/// Calls the hook again after each failure, until it answers or `within` is over, since a receiver
/// may be restarting.
pub(crate) async fn until(
    client: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    within: SignedDuration,
) -> Result<HookDecision, DeliveryError> {
    let Some(client) = client else { return Err(DeliveryError::NoClient) };
    // By the monotonic clock: the wall clock may be set meanwhile.
    let started = clock.elapsed();
    let left = || within - (clock.elapsed() - started);
    let mut failures = 0;
    let mut last = None;
    loop {
        match attempt(&*client, clock, to, event, left()).await {
            Some(Ok(reply)) => return Ok(reply),
            Some(Err(error)) if !error.retryable => return Err(DeliveryError::Refused(error.why)),
            Some(Err(error)) => last = Some(error.why),
            None => {}
        }
        // The last attempt comes shortly before the end.
        let wait = BACKOFF.delay(failures).min(left() - MIN_ATTEMPT);
        if !wait.is_positive() {
            return Err(DeliveryError::Timeout { limit: within, last });
        }
        clock.sleep_until(clock.now() + wait).await;
        failures += 1;
    }
}

/// `None` after the timeout.
async fn attempt(
    client: &dyn WebhookClient,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    within: SignedDuration,
) -> Option<Result<HookDecision, WebhookError>> {
    match select(client.post(to, event), clock.sleep_until(clock.now() + within)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
