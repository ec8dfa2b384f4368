//! Runs a supervisor and prints its events, with the command that undoes a trip.

use std::io::Write;
use std::sync::Arc;

use breaker_core::action::Command;
use breaker_core::supervisor::{RunUntil, StopReason};
use breaker_core::{BreakerEvent, Clock, Supervisor, WorkloadRef};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::Timestamp;

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::TargetLost;
use crate::cli::format::LineFormat;
use crate::cli::reset_command;
use crate::cli::signal::Signal;
use crate::cluster::clock::SystemClock;
use crate::cluster::signals::until_signal;
use crate::output::event::{CliEvent, EventWriter};

/// Runs supervisors of one target and prints their events.
pub(crate) struct Narrator {
    writer: EventWriter<Box<dyn Write + Send>>,
    clock: Arc<dyn Clock>,
    target: WorkloadRef,
    undo: String,
    last: Option<BreakerEvent>,
    /// Which events are printed.
    shows: fn(&BreakerEvent) -> bool,
}

impl Narrator {
    /// Prints to standard output, with the system's clock.
    pub(crate) fn new(cluster: &ClusterArgs, target: &WorkloadRef, format: LineFormat) -> Self {
        let stdout: Box<dyn Write + Send> = Box::new(std::io::stdout());
        Self::with_writer(EventWriter::new(format, stdout), Arc::new(SystemClock), cluster, target)
    }

    pub(crate) fn with_writer(
        writer: EventWriter<Box<dyn Write + Send>>,
        clock: Arc<dyn Clock>,
        cluster: &ClusterArgs,
        target: &WorkloadRef,
    ) -> Self {
        Self {
            writer: writer.about_workload(target),
            clock,
            target: target.clone(),
            undo: reset_command::of_workload(cluster, target),
            last: None,
            shows: |_| true,
        }
    }

    /// Prints only the breaker's events for which `shows` is true.
    pub(crate) fn showing_only(mut self, shows: fn(&BreakerEvent) -> bool) -> Self {
        self.shows = shows;
        self
    }

    /// Prints an event of the breaker. After a trip the command that undoes it follows.
    fn breaker_event(&mut self, at: Timestamp, event: &BreakerEvent) {
        if !(self.shows)(event) || self.last.as_ref() == Some(event) {
            return;
        }
        self.writer.emit(at, event);
        if matches!(event, BreakerEvent::Scaled { .. } | BreakerEvent::AlreadyOpen { .. }) {
            self.writer.emit(at, &CliEvent::Undo { command: self.undo.clone() });
        }
        // Found open at the start, and again when asked to trip: printed once.
        self.last = matches!(event, BreakerEvent::AlreadyOpen { .. }).then(|| event.clone());
    }

    pub(crate) fn warn(&mut self, message: String) {
        self.breaker_event(self.clock.now(), &BreakerEvent::Warning { message });
    }

    pub(crate) fn emit(&mut self, event: &CliEvent) {
        self.writer.emit(self.clock.now(), event);
    }

    /// Runs the supervisor until it is done or a signal arrives.
    ///
    /// # Errors
    /// [`TargetLost`] when the target was deleted, [`Signal`] after a signal, and the supervisor's
    /// own errors.
    pub(crate) async fn drive(
        &mut self,
        supervisor: &mut Supervisor,
        commands: BoxStream<'_, Command>,
        until: RunUntil,
    ) -> anyhow::Result<StopReason> {
        let mut emit = |at: Timestamp, event: &BreakerEvent| self.breaker_event(at, event);
        let run = async { Ok(supervisor.run(commands, until, &mut emit).await?) };
        match until_signal(run).await {
            Ok(StopReason::Lost) => Err(TargetLost(self.target.clone()).into()),
            Ok(stop) => {
                if let StopReason::Tripped { left } = &stop
                    && !left.is_empty()
                {
                    self.emit(&CliEvent::PodsLeft { pods: left.clone() });
                }
                Ok(stop)
            }
            Err(error) => {
                if let Some(signal) = error.downcast_ref::<Signal>() {
                    let phase = supervisor.breaker().state().phase();
                    self.emit(&CliEvent::Stopped { signal: signal.to_string(), phase });
                }
                Err(error)
            }
        }
    }
}

/// A stream of one command.
pub(crate) fn one_command(command: Command) -> BoxStream<'static, Command> {
    futures::stream::iter([command]).boxed()
}

/// A stream without a command and without an end.
pub(crate) fn no_commands() -> BoxStream<'static, Command> {
    futures::stream::pending().boxed()
}
