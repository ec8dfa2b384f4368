//! The end of a press: `spec.override` goes from `ForcedOpen` back to `Auto` once its trip is over.
//!
//! `ForcedOpen` asks for one trip. If it stayed after the reset, the same patch would change
//! nothing the next time, and the button would have worked once.

use breaker_core::ClusterError;
use breaker_core::backoff::Backoff;
use breaker_core::state::Override;
use jiff::SignedDuration;
use tokio::sync::watch;

use super::desired::Desired;
use super::events::SharedFault;
use super::shared::Shared;
use super::status_writer::StatusWriter;

/// Reason of the Event that says that the override could not be set to `Auto`.
const OVERRIDE_STAYS: &str = "OverrideStays";

/// Delays before the override is written again.
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(1), SignedDuration::from_mins(5));

/// Sets the override to `Auto` each time that the trip of a `ForcedOpen` is over; never returns.
pub(super) async fn end_presses(
    shared: &Shared,
    status: &StatusWriter,
    mut desired: watch::Receiver<Desired>,
) {
    let mut failures = 0;
    let mut reported = false;
    loop {
        let presses = desired.borrow_and_update().override_ == Override::ForcedOpen;
        let mut retry_in = None;
        if presses && status.press_is_over() {
            match end_press(shared, status).await {
                Ok(()) => (failures, reported) = (0, false),
                Err(error) => {
                    if !error.is_retryable() && !std::mem::replace(&mut reported, true) {
                        let message = format!(
                            "spec.override stays ForcedOpen although its trip is over, and trips again only \
                             after somebody has set it to Auto: {}",
                            error.with_fix()
                        );
                        let fault = error.missing_rule().map(SharedFault::MissingRule);
                        shared.recorder.record_fault(status, OVERRIDE_STAYS, &message, fault);
                    }
                    retry_in = Some(BACKOFF.delay(failures).unsigned_abs());
                    failures = failures.saturating_add(1);
                }
            }
        }
        let retry = async {
            match retry_in {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = status.record_changed() => {}
            changed = desired.changed() => if changed.is_err() { std::future::pending().await },
            () = retry => {}
        }
    }
}

/// Over the known version only. After a conflict the breaker is read: a newer change stays.
async fn end_press(shared: &Shared, status: &StatusWriter) -> Result<(), ClusterError> {
    let _permit = shared.limits.status().await;
    let done = status.return_override().await;
    if matches!(done, Err(ClusterError::Conflict(_))) {
        status.load().await?;
    }
    done
}
