//! Tells a supervisor's story on stdout, and beside it what a person needs to act on it.

use std::io::Write;
use std::sync::Arc;

use breaker_core::action::Command;
use breaker_core::supervisor::{RunUntil, StopReason};
use breaker_core::{BreakerEvent, Clock, Supervisor, WorkloadRef};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::Timestamp;

use crate::args::ClusterArgs;
use crate::clock::SystemClock;
use crate::exit::Lost;
use crate::output::{Aside, Format, Teller};
use crate::signals::{Signal, unless_stopped};
use crate::undo;

pub(crate) struct Narrator {
    teller: Teller<Box<dyn Write + Send>>,
    clock: Arc<dyn Clock>,
    target: WorkloadRef,
    undo: String,
    last: Option<BreakerEvent>,
    /// Which notices belong to the story.
    tells: fn(&BreakerEvent) -> bool,
}

/// A supervisor that stopped before its own end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopped(pub(crate) Signal);

impl Narrator {
    /// On stdout, by the system's clock.
    pub(crate) fn new(cluster: &ClusterArgs, target: &WorkloadRef, format: Format) -> Self {
        let stdout: Box<dyn Write + Send> = Box::new(std::io::stdout());
        Self::to(Teller::new(format, stdout), Arc::new(SystemClock), cluster, target)
    }

    pub(crate) fn to(
        teller: Teller<Box<dyn Write + Send>>,
        clock: Arc<dyn Clock>,
        cluster: &ClusterArgs,
        target: &WorkloadRef,
    ) -> Self {
        Self {
            teller,
            clock,
            target: target.clone(),
            undo: undo::command(cluster, target),
            last: None,
            tells: |_| true,
        }
    }

    /// Tells only what `tells` chooses.
    pub(crate) fn telling_only(mut self, tells: fn(&BreakerEvent) -> bool) -> Self {
        self.tells = tells;
        self
    }

    /// Tells a notice; how to undo it follows at once on what can be undone.
    pub(crate) fn notice(&mut self, at: Timestamp, notice: &BreakerEvent) {
        if !(self.tells)(notice) || self.last.as_ref() == Some(notice) {
            return;
        }
        self.teller.tell(at, notice);
        if matches!(notice, BreakerEvent::Scaled { .. } | BreakerEvent::AlreadyOpen { .. }) {
            self.teller.tell(at, &Aside::Undo { command: self.undo.clone() });
        }
        // Found open at the start and asked to open it: one piece of news.
        self.last = matches!(notice, BreakerEvent::AlreadyOpen { .. }).then(|| notice.clone());
    }

    pub(crate) fn warn(&mut self, message: String) {
        self.notice(self.clock.now(), &BreakerEvent::Warning { message });
    }

    pub(crate) fn aside(&mut self, aside: &Aside) {
        self.teller.tell(self.clock.now(), aside);
    }

    /// Lets the supervisor run to its end or to a signal, and tells either.
    ///
    /// # Errors
    /// [`Lost`] when the target is gone, and what the supervisor itself says.
    pub(crate) async fn follow(
        &mut self,
        supervisor: &mut Supervisor,
        commands: BoxStream<'_, Command>,
        until: RunUntil,
    ) -> anyhow::Result<Result<StopReason, Stopped>> {
        let mut tell = |at: Timestamp, notice: &BreakerEvent| self.notice(at, notice);
        match unless_stopped(supervisor.run(commands, until, &mut tell)).await? {
            Ok(end) => match end? {
                StopReason::Lost => Err(Lost(self.target.clone()).into()),
                StopReason::Tripped { left } => {
                    if !left.is_empty() {
                        self.aside(&Aside::PodsLeft { pods: left.clone() });
                    }
                    Ok(Ok(StopReason::Tripped { left }))
                }
                end => Ok(Ok(end)),
            },
            Err(signal) => {
                let phase = supervisor.breaker().state().phase();
                self.aside(&Aside::Stopped { signal: signal.to_string(), phase });
                Ok(Err(Stopped(signal)))
            }
        }
    }
}

/// One command and no more.
pub(crate) fn only(command: Command) -> BoxStream<'static, Command> {
    futures::stream::iter([command]).boxed()
}

/// No command, ever.
pub(crate) fn none() -> BoxStream<'static, Command> {
    futures::stream::pending().boxed()
}
