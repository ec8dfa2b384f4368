//! Sending a message: once, or until its time is up.

use std::sync::Arc;

use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use crate::Clock;
use crate::webhook::{CloudEvent, Endpoint, HookDecision, WebhookClient, WebhookError};

/// A notice that takes longer is sent again later.
const NOTICE_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// The first pause between two attempts; doubles.
const PAUSE: SignedDuration = SignedDuration::from_millis(250);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const SHORTEST_ATTEMPT: SignedDuration = SignedDuration::from_millis(200);

/// One attempt at a notice.
pub(crate) async fn once(
    messenger: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
) -> Result<(), String> {
    let Some(messenger) = messenger else { return Err(NOBODY.into()) };
    let deadline = clock.now() + NOTICE_WITHIN;
    match attempt(&*messenger, clock, to, event, deadline).await {
        Some(answer) => answer.map(|_| ()).map_err(|error| error.why),
        None => Err(format!("no answer within {NOTICE_WITHIN:#}")),
    }
}

/// Attempts at a question until it is answered or `within` is over: a receiver that is just being restarted is
/// not taken for one that is gone.
pub(crate) async fn until(
    messenger: Option<Arc<dyn WebhookClient>>,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    within: SignedDuration,
) -> Result<HookDecision, String> {
    let Some(messenger) = messenger else { return Err(NOBODY.into()) };
    let deadline = clock.now() + within;
    let mut pause = PAUSE;
    let mut last = None;
    loop {
        match attempt(&*messenger, clock, to, event, deadline).await {
            Some(Ok(reply)) => return Ok(reply),
            Some(Err(error)) if !error.retryable => return Err(error.why),
            Some(Err(error)) => last = Some(error.why),
            None => {}
        }
        // The last attempt comes shortly before the end.
        let next = (clock.now() + pause).min(deadline - SHORTEST_ATTEMPT);
        if next <= clock.now() {
            let last = last.map(|why| format!("; the last attempt: {why}")).unwrap_or_default();
            return Err(format!("no answer within {within:#}{last}"));
        }
        clock.sleep_until(next).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

const NOBODY: &str = "this watcher has no way to send messages";

/// `None` when time was up first.
async fn attempt(
    messenger: &dyn WebhookClient,
    clock: &dyn Clock,
    to: &Endpoint,
    event: &CloudEvent,
    deadline: Timestamp,
) -> Option<Result<HookDecision, WebhookError>> {
    match select(messenger.post(to, event), clock.sleep_until(deadline)).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
