//! A trip or reset of a workload without a CircuitBreaker, carried out and recorded by this
//! process.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::action::Command;
use breaker_core::policy::Window;
use breaker_core::state::{Override, State};
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
use breaker_core::webhook::Hooks;
use breaker_core::{Breaker, BreakerEvent, Classifier, Policy, Supervisor, WorkloadRef};

use crate::cli::args::ActionArgs;
use crate::cli::hooks::CheckedHooks;
use crate::cli::reset_command;
use crate::cluster::access;
use crate::cluster::clock::SystemClock;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::workload::narrator::{Narrator, no_commands, one_command};

/// A supervisor that carries out one command and never trips by itself.
pub(crate) struct StandaloneCommand {
    supervisor: Supervisor,
    parts: Dependencies,
    narrator: Narrator,
    hooks: Hooks,
    pub(crate) target: WorkloadRef,
}

/// A policy under which nothing trips by itself and no restart of the Record expires.
fn never_trips(hooks: Hooks) -> Policy {
    Policy { max_restarts: u32::MAX, window: Window::NONE, hooks, ..Policy::default() }
}

async fn start(parts: Dependencies, hooks: &Hooks, target: &WorkloadRef) -> anyhow::Result<Supervisor> {
    // A person has decided: why the containers terminate need not be asked of a cluster in trouble,
    // nor of a user without the right to read logs.
    let options = SupervisorOptions {
        gather_evidence: false,
        restore_hint: Some(reset_command::hint(target)),
        ..SupervisorOptions::default()
    };
    let starting = Supervisor::start(parts, never_trips(hooks.clone()), target.clone(), options).await;
    starting.with_context(|| format!("reading {target}"))
}

impl StandaloneCommand {
    /// Connects and starts the supervisor. Only events for which `shows` is true are printed.
    ///
    /// # Errors
    /// A cluster or target that cannot be read, a signal, and an unreadable Record when the command
    /// `needs_record`.
    pub(crate) async fn connect(
        args: &ActionArgs,
        CheckedHooks { hooks, webhooks }: CheckedHooks,
        needs_record: bool,
        shows: fn(&BreakerEvent) -> bool,
    ) -> anyhow::Result<Self> {
        let starting = with_startup_timeout(async {
            let cluster = Cluster::connect(&args.cluster).await?;
            let target = args.subject.in_namespace(&cluster.namespace)?;
            access::check_action(&cluster.kube, &target, needs_record).await?;
            let narrator = Narrator::new(&args.cluster, &target, args.output).showing_only(shows);
            let parts = Dependencies {
                client: cluster.client,
                clock: Arc::new(SystemClock),
                classifier: Arc::new(Classifier::default()),
                webhooks,
            };
            Self::start(parts, hooks, target, needs_record, narrator).await
        });
        until_signal(starting).await
    }

    /// As [`StandaloneCommand::connect`], on a cluster that is already connected.
    pub(crate) async fn start(
        parts: Dependencies,
        hooks: Hooks,
        target: WorkloadRef,
        needs_record: bool,
        narrator: Narrator,
    ) -> anyhow::Result<Self> {
        if needs_record {
            let record = parts.client.load_record(&target).await;
            record.with_context(|| format!("reading the replicas to restore to {target}"))?;
        }
        let supervisor = start(parts.clone(), &hooks, &target).await?;
        Ok(Self { supervisor, parts, narrator, hooks, target })
    }

    fn is_at_rest(&self) -> bool {
        match self.breaker().state() {
            State::Closed => true,
            State::Open { .. } => self.replicas() == 0,
            State::Tripping { .. } | State::HalfOpen { .. } | State::Restoring { .. } => false,
        }
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        self.supervisor.breaker()
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.breaker().scale().map_or(0, |scale| scale.replicas)
    }

    /// Carries out `command`; returns once it is done and recorded.
    pub(crate) async fn carry_out(&mut self, command: Command) -> anyhow::Result<StopReason> {
        // A trip or reset that an earlier watcher left unfinished completes first. Then the state
        // in the Record and the scale agree when the command arrives.
        if !self.is_at_rest() {
            self.narrator.drive(&mut self.supervisor, no_commands(), RunUntil::Settled).await?;
            self.start_again().await?;
        }
        self.narrator.drive(&mut self.supervisor, one_command(command), RunUntil::Settled).await
    }

    /// Reads the scale and the Record again.
    async fn start_again(&mut self) -> anyhow::Result<()> {
        let starting = with_startup_timeout(start(self.parts.clone(), &self.hooks, &self.target));
        self.supervisor = until_signal(starting).await?;
        Ok(())
    }

    /// Sets the override back to `Auto` after a trip that the hook held, so that no later watcher
    /// carries it out.
    pub(crate) async fn clear_override(&mut self) -> anyhow::Result<()> {
        self.start_again().await?;
        let auto = one_command(Command::Override(Override::Auto));
        self.narrator.drive(&mut self.supervisor, auto, RunUntil::Settled).await.map(|_| ())
    }

    /// Waits until the pods of an open target have terminated, and prints the names of those that
    /// have not.
    pub(crate) async fn pods_gone(&mut self) -> anyhow::Result<StopReason> {
        self.narrator.drive(&mut self.supervisor, no_commands(), RunUntil::Tripped).await
    }
}
