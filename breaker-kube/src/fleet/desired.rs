//! What is wanted of one breaker now, and the commands that bring it there.
//!
//! Desired are a state, not a queue: a breaker that starts again gets what holds now, and what was
//! acted upon once (a press, a reset) is remembered in the status.

use std::collections::VecDeque;
use std::sync::Arc;

use breaker_core::Policy;
use breaker_core::action::Command;
use breaker_core::state::{Override, State};
use futures::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;

use super::status_writer::StatusWriter;

/// What is wanted of one breaker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Desired {
    pub(crate) policy: Policy,
    pub(crate) override_: Override,
    /// Why every trip holds, while the outage guard is on.
    pub(crate) guard: Option<String>,
    /// Value of the annotation that asks for a reset.
    pub(crate) reset: Option<String>,
}

/// What one supervisor has been given.
struct Applied {
    policy: Policy,
    guard: Option<String>,
    override_: Option<Override>,
    reset: Option<String>,
}

/// The commands for a supervisor that was started with `policy`.
pub(crate) fn commands(
    orders: watch::Receiver<Desired>,
    page: Arc<StatusWriter>,
    policy: Policy,
) -> BoxStream<'static, Command> {
    let given = Applied { policy, guard: None, override_: None, reset: None };
    stream::unfold((orders, page, given, VecDeque::new()), |(mut orders, page, mut given, mut queue)| async {
        loop {
            if let Some(command) = queue.pop_front() {
                return Some((command, (orders, page, given, queue)));
            }
            let wanted = orders.borrow_and_update().clone();
            queue = given.commands_to_reach(wanted, &page);
            if queue.is_empty() && orders.changed().await.is_err() {
                return None;
            }
        }
    })
    .boxed()
}

impl Applied {
    fn commands_to_reach(&mut self, wanted: Desired, page: &StatusWriter) -> VecDeque<Command> {
        let mut commands = VecDeque::new();
        // First of all: it may keep a trip from happening.
        if wanted.guard != self.guard {
            self.guard = wanted.guard.clone();
            commands.push_back(Command::Guard(wanted.guard));
        }
        if wanted.policy != self.policy {
            self.policy = wanted.policy.clone();
            commands.push_back(Command::Policy(Box::new(wanted.policy)));
        }
        if self.override_ != Some(wanted.override_) {
            self.override_ = Some(wanted.override_);
            commands.extend(override_(wanted.override_, page));
        }
        if let Some(asked) = wanted.reset
            && self.reset.as_ref() != Some(&asked)
            && page.read(|sheet| sheet.reset_handled.as_ref() != Some(&asked))
        {
            self.reset = Some(asked.clone());
            page.change(|sheet| sheet.reset_handled = Some(asked));
            commands.push_back(Command::Reset);
        }
        commands
    }
}

fn override_(wanted: Override, page: &StatusWriter) -> Option<Command> {
    let record = page.record().unwrap_or_default();
    let handled = page.read(|sheet| sheet.override_handled.clone());
    if handled.as_deref() != Some(name(wanted)) {
        if record.override_ == wanted {
            page.change(|sheet| sheet.override_handled = Some(name(wanted).into()));
        }
        page.change(|sheet| sheet.override_pending = Some(wanted));
        return Some(Command::Override(wanted));
    }
    // Pressed, and the controller ended before anything followed from it.
    let unfinished = wanted == Override::ForcedOpen
        && record.override_ == wanted
        && record.state == State::Closed
        && record.contested.is_none();
    unfinished.then_some(Command::Press)
}

pub(crate) fn name(override_: Override) -> &'static str {
    match override_ {
        Override::Auto => "Auto",
        Override::ForcedOpen => "ForcedOpen",
        Override::Disabled => "Disabled",
    }
}
