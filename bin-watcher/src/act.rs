//! One command of a person's, carried out and recorded.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::{
    Breaker, Classifier, Command, End, Notice, Parts, Policy, Supervisor, Until, Window, WorkloadRef,
};

use crate::args::ActArgs;
use crate::blind::Blind;
use crate::clock::SystemClock;
use crate::connect::{Cluster, in_time};
use crate::exit::Exit;
use crate::narrator::{Narrator, Stopped, none, only};
use crate::output::Aside;
use crate::signals::unless_stopped;

/// A supervisor that does as it is told and decides nothing.
pub(crate) struct Act {
    supervisor: Supervisor,
    narrator: Narrator,
    pub(crate) target: WorkloadRef,
}

/// Does not trip by itself, and forgets nothing that the Record holds.
fn idle() -> Policy {
    Policy { max_restarts: u32::MAX, window: Window::NONE, ..Policy::default() }
}

impl Act {
    /// `Err` is the exit code when a signal came first. A Record that may not be read is an error when
    /// the command `needs_record`.
    pub(crate) async fn begin(
        args: &ActArgs,
        needs_record: bool,
        tells: fn(&Notice) -> bool,
    ) -> anyhow::Result<Result<Self, Exit>> {
        let starting = in_time(async {
            let cluster = Cluster::connect(&args.cluster).await?;
            let target = args.target.in_namespace(&cluster.namespace)?;
            if needs_record {
                let record = cluster.client.load_record(&target).await;
                record.with_context(|| format!("reading what is to be given back to {target}"))?;
            }
            let parts = Parts {
                client: Arc::new(Blind(cluster.client)),
                clock: Arc::new(SystemClock),
                classifier: Arc::new(Classifier::default()),
                heartbeat: None,
            };
            let supervisor = Supervisor::start(parts, idle(), target.clone(), false)
                .await
                .with_context(|| format!("reading {target}"))?;
            Ok((supervisor, target))
        });
        let (supervisor, target) = match unless_stopped(starting).await? {
            Ok(started) => started?,
            Err(signal) => return Ok(Err(Exit::Signal(signal))),
        };
        let narrator = Narrator::new(&args.cluster, &target, args.output).telling_only(tells);
        Ok(Ok(Self { supervisor, narrator, target }))
    }

    pub(crate) fn breaker(&self) -> &Breaker {
        self.supervisor.breaker()
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.breaker().scale().map_or(0, |scale| scale.replicas)
    }

    /// Carries out `command`; returns once it is done and recorded.
    pub(crate) async fn command(&mut self, command: Command) -> anyhow::Result<Result<End, Stopped>> {
        self.narrator.follow(&mut self.supervisor, only(command), Until::Settled).await
    }

    /// Waits for the pods of an open target to go, and names those that do not.
    pub(crate) async fn pods_gone(&mut self) -> anyhow::Result<Result<End, Stopped>> {
        self.narrator.follow(&mut self.supervisor, none(), Until::Tripped).await
    }

    pub(crate) fn note(&mut self, message: String) {
        self.narrator.aside(&Aside::Note { message });
    }
}
