//! One command of a person's, carried out and recorded.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::action::Command;
use breaker_core::policy::Window;
use breaker_core::state::{Override, State};
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason};
use breaker_core::webhook::Hooks;
use breaker_core::{Breaker, BreakerEvent, Classifier, Policy, Supervisor, WorkloadRef};

use crate::args::ActArgs;
use crate::blind::Blind;
use crate::clock::SystemClock;
use crate::connect::{Cluster, in_time};
use crate::exit::Exit;
use crate::hooks::Checked;
use crate::narrator::{Narrator, Stopped, none, only};
use crate::output::Aside;
use crate::signals::unless_stopped;

/// A supervisor that does as it is told and decides nothing.
pub(crate) struct Act {
    supervisor: Supervisor,
    parts: Dependencies,
    narrator: Narrator,
    hooks: Hooks,
    pub(crate) target: WorkloadRef,
}

/// Does not trip by itself, and forgets nothing that the Record holds.
fn idle(hooks: Hooks) -> Policy {
    Policy { max_restarts: u32::MAX, window: Window::NONE, hooks, ..Policy::default() }
}

async fn start(parts: Dependencies, hooks: &Hooks, target: &WorkloadRef) -> anyhow::Result<Supervisor> {
    let starting = Supervisor::start(parts, idle(hooks.clone()), target.clone(), false).await;
    starting.with_context(|| format!("reading {target}"))
}

impl Act {
    /// `Err` is the exit code when a signal came first. A Record that may not be read is an error when
    /// the command `needs_record`.
    pub(crate) async fn begin(
        args: &ActArgs,
        Checked { hooks, messenger }: Checked,
        needs_record: bool,
        tells: fn(&BreakerEvent) -> bool,
    ) -> anyhow::Result<Result<Self, Exit>> {
        let starting = in_time(async {
            let cluster = Cluster::connect(&args.cluster).await?;
            let target = args.who.in_namespace(&cluster.namespace)?;
            let narrator = Narrator::new(&args.cluster, &target, args.output).telling_only(tells);
            let parts = Dependencies {
                client: cluster.client,
                clock: Arc::new(SystemClock),
                classifier: Arc::new(Classifier::default()),
                messenger,
                heartbeat: None,
            };
            Self::on(parts, hooks, target, needs_record, narrator).await
        });
        match unless_stopped(starting).await? {
            Ok(act) => Ok(Ok(act?)),
            Err(signal) => Ok(Err(Exit::Signal(signal))),
        }
    }

    pub(crate) async fn on(
        mut parts: Dependencies,
        hooks: Hooks,
        target: WorkloadRef,
        needs_record: bool,
        narrator: Narrator,
    ) -> anyhow::Result<Self> {
        if needs_record {
            let record = parts.client.load_record(&target).await;
            record.with_context(|| format!("reading what is to be given back to {target}"))?;
        }
        parts.client = Arc::new(Blind(parts.client));
        let supervisor = start(parts.clone(), &hooks, &target).await?;
        Ok(Self { supervisor, parts, narrator, hooks, target })
    }

    fn is_at_rest(&self) -> bool {
        match self.breaker().state() {
            State::Closed => true,
            State::Open { restoring: false, .. } => self.replicas() == 0,
            State::Tripping { .. } | State::Open { .. } | State::HalfOpen { .. } => false,
        }
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        self.supervisor.breaker()
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.breaker().scale().map_or(0, |scale| scale.replicas)
    }

    /// Carries out `command`; returns once it is done and recorded.
    pub(crate) async fn command(&mut self, command: Command) -> anyhow::Result<Result<StopReason, Stopped>> {
        // What an earlier watcher left half done, or somebody else changed meanwhile, comes to its end
        // first: the command must meet a breaker that knows where it is.
        if !self.is_at_rest() {
            let settled = self.narrator.follow(&mut self.supervisor, none(), RunUntil::Settled).await?;
            if let Err(stopped) = settled {
                return Ok(Err(stopped));
            }
            self.supervisor = in_time(start(self.parts.clone(), &self.hooks, &self.target)).await?;
        }
        self.narrator.follow(&mut self.supervisor, only(command), RunUntil::Settled).await
    }

    /// Lets go of a button whose press was held: what is not done now is not done later behind one's back.
    pub(crate) async fn let_go(&mut self) -> anyhow::Result<()> {
        self.supervisor = in_time(start(self.parts.clone(), &self.hooks, &self.target)).await?;
        let up = only(Command::Override(Override::Auto));
        self.narrator.follow(&mut self.supervisor, up, RunUntil::Settled).await.map(|_| ())
    }

    /// Waits for the pods of an open target to go, and names those that do not.
    pub(crate) async fn pods_gone(&mut self) -> anyhow::Result<Result<StopReason, Stopped>> {
        self.narrator.follow(&mut self.supervisor, none(), RunUntil::Tripped).await
    }

    pub(crate) fn note(&mut self, message: String) {
        self.narrator.aside(&Aside::Note { message });
    }
}
