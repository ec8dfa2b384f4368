//! Sending a message: once, or until its time is up.

use std::sync::Arc;

use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};

/// The time for one attempt at a notification.
const NOTIFY_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_millis(250), SignedDuration::from_secs(2));
const MIN_ATTEMPT: SignedDuration = SignedDuration::from_millis(200);

/// One attempt at a notice.
pub(crate) async fn once(
    client: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
) -> Result<(), String> {
    let Some(client) = client else { return Err(NOBODY.into()) };
    let deadline = clock.now() + NOTIFY_TIMEOUT;
    match attempt(&*client, clock, to, event, deadline).await {
        Some(answer) => answer.map(|_| ()).map_err(|error| error.why),
        None => Err(format!("no answer within {NOTIFY_TIMEOUT:#}")),
    }
}

/// Attempts at a question until it is answered or `within` is over: a receiver that is just being restarted is
/// not taken for one that is gone.
pub(crate) async fn until(
    client: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    within: SignedDuration,
) -> Result<HookDecision, String> {
    let Some(client) = client else { return Err(NOBODY.into()) };
    let deadline = clock.now() + within;
    let mut failures = 0;
    let mut last = None;
    loop {
        match attempt(&*client, clock, to, event, deadline).await {
            Some(Ok(reply)) => return Ok(reply),
            Some(Err(error)) if !error.retryable => return Err(error.why),
            Some(Err(error)) => last = Some(error.why),
            None => {}
        }
        // The last attempt comes shortly before the end.
        let next = (clock.now() + BACKOFF.delay(failures)).min(deadline - MIN_ATTEMPT);
        if next <= clock.now() {
            let last = last.map(|why| format!("; the last attempt: {why}")).unwrap_or_default();
            return Err(format!("no answer within {within:#}{last}"));
        }
        clock.sleep_until(next).await;
        failures += 1;
    }
}

const NOBODY: &str = "this watcher has no way to send messages";

/// `None` when time was up first.
async fn attempt(
    client: &dyn WebhookClient,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    deadline: Timestamp,
) -> Option<Result<HookDecision, WebhookError>> {
    match select(client.post(to, event), clock.sleep_until(deadline)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
