//! [`Desired`]: what the CircuitBreaker asks of its breaker, and the commands that get there.
//!
//! `Desired` is a state and not a queue: a breaker that starts again gets the present one. A reset
//! or an override that was acted on is remembered in the status.

use std::collections::VecDeque;
use std::sync::Arc;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::state::{Override, State};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use super::status_writer::StatusWriter;

/// What is asked of one breaker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Desired {
    pub(crate) policy: Policy,
    pub(crate) override_: Override,
    /// Why every trip is held, while the outage guard is on.
    pub(crate) guard: Option<String>,
    /// Value of the annotation that requests a reset.
    pub(crate) reset: Option<String>,
}

/// What a supervisor was sent.
struct Applied {
    policy: Policy,
    guard: Option<String>,
    override_: Option<Override>,
    reset: Option<String>,
}

/// The commands for a supervisor that was started with `policy`.
pub(crate) fn commands(
    desired: watch::Receiver<Desired>,
    status: Arc<StatusWriter>,
    policy: Policy,
) -> BoxStream<'static, Command> {
    let applied = Applied { policy, guard: None, override_: None, reset: None };
    let start = (desired, status, applied, VecDeque::new());
    stream::unfold(start, |(mut desired, status, mut applied, mut queue)| async {
        loop {
            if let Some(command) = queue.pop_front() {
                return Some((command, (desired, status, applied, queue)));
            }
            let present = desired.borrow_and_update().clone();
            queue = applied.commands_to_reach(present, &status);
            if queue.is_empty() && desired.changed().await.is_err() {
                return None;
            }
        }
    })
    .boxed()
}

impl Applied {
    fn commands_to_reach(&mut self, desired: Desired, status: &StatusWriter) -> VecDeque<Command> {
        let mut commands = VecDeque::new();
        // The guard comes first: it may prevent a trip by one of the other commands.
        if desired.guard != self.guard {
            self.guard = desired.guard.clone();
            commands.push_back(Command::Guard(desired.guard));
        }
        if desired.policy != self.policy {
            self.policy = desired.policy.clone();
            commands.push_back(Command::Policy(Box::new(desired.policy)));
        }
        if self.override_ != Some(desired.override_) {
            self.override_ = Some(desired.override_);
            commands.extend(override_command(desired.override_, status));
        }
        if let Some(reset) = desired.reset
            && self.reset.as_ref() != Some(&reset)
            && status.read(|model| model.reset_handled.as_ref() != Some(&reset))
        {
            self.reset = Some(reset.clone());
            status.change(|model| model.reset_handled = Some(reset));
            commands.push_back(Command::Reset);
        }
        commands
    }
}

fn override_command(desired: Override, status: &StatusWriter) -> Option<Command> {
    let record = status.record().unwrap_or_default();
    let handled = status.read(|model| model.override_handled.clone());
    if handled.as_deref() != Some(desired.as_str()) {
        if record.override_ == desired {
            status.change(|model| model.override_handled = Some(desired.as_str().into()));
        }
        status.change(|model| model.override_pending = Some(desired));
        return Some(Command::Override(desired));
    }
    // The override was stored, and the controller ended before the trip started.
    let is_unfinished = desired == Override::ForcedOpen
        && record.override_ == desired
        && record.state == State::Closed
        && record.contested.is_none();
    is_unfinished.then_some(Command::Press)
}
