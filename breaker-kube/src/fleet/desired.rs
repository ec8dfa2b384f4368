//! [`Desired`]: what the CircuitBreaker asks of its breaker, and the commands that get there.
//!
//! `Desired` is a state and not a queue: a breaker that starts again gets the present one. Which
//! reset and which override were carried out is in the Record; the breaker compares them.

use std::collections::VecDeque;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::state::Override;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

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
pub(crate) fn commands(desired: watch::Receiver<Desired>, policy: Policy) -> BoxStream<'static, Command> {
    let applied = Applied { policy, guard: None, override_: None, reset: None };
    let start = (desired, applied, VecDeque::new());
    stream::unfold(start, |(mut desired, mut applied, mut queue)| async {
        loop {
            if let Some(command) = queue.pop_front() {
                return Some((command, (desired, applied, queue)));
            }
            let present = desired.borrow_and_update().clone();
            queue = applied.commands_to_reach(present);
            if queue.is_empty() && desired.changed().await.is_err() {
                return None;
            }
        }
    })
    .boxed()
}

impl Applied {
    fn commands_to_reach(&mut self, desired: Desired) -> VecDeque<Command> {
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
        let reset = self.reset_command(desired.reset);
        let override_ = self.override_command(desired.override_);
        // A trip comes after a reset, which is about an earlier one; what else is set comes before.
        match desired.override_ {
            Override::ForcedOpen => commands.extend(reset.into_iter().chain(override_)),
            _ => commands.extend(override_.into_iter().chain(reset)),
        }
        commands
    }

    fn reset_command(&mut self, reset: Option<String>) -> Option<Command> {
        let id = reset.filter(|id| self.reset.as_ref() != Some(id))?;
        self.reset = Some(id.clone());
        Some(Command::ResetRequest(id))
    }

    fn override_command(&mut self, set: Override) -> Option<Command> {
        (self.override_.replace(set) != Some(set)).then_some(Command::Override(set))
    }
}
