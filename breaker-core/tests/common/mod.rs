//! A watch on the in-memory cluster, and its events.
#![allow(dead_code, missing_docs)] // each test binary uses its part

pub(crate) mod audit;
pub(crate) mod day;
pub(crate) mod harness;
pub(crate) mod oracle;
pub(crate) mod policies;

use std::sync::Arc;

use breaker_core::action::Command;
use breaker_core::policy::Mode;
use breaker_core::sim::Sim;
use breaker_core::supervisor::{Dependencies, Observer, RunUntil, StopReason, SupervisorOptions};
use breaker_core::webhook::CloudEvent;
use breaker_core::{BreakerEvent, Classifier, ClusterError, Policy, Snapshot, Supervisor, WorkloadRef};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};

pub(crate) const REFUSED: &str = "dial tcp 10.96.0.7:8080: connect: connection refused";

pub(crate) fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

pub(crate) struct Watch {
    pub(crate) sim: Sim,
    pub(crate) policy: Policy,
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) lines: Vec<String>,
    pub(crate) notices: Vec<BreakerEvent>,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) end: Option<StopReason>,
    pub(crate) error: Option<ClusterError>,
}

impl Seen {
    pub(crate) fn tripped(&self) -> bool {
        matches!(self.end, Some(StopReason::Tripped { .. }))
    }

    pub(crate) fn lines_with(&self, what: &str) -> Vec<&str> {
        self.lines.iter().map(String::as_str).filter(|line| line.contains(what)).collect()
    }
}

impl Observer for Seen {
    fn event(&mut self, _: Timestamp, event: &BreakerEvent) {
        self.lines.push(event.to_string());
        self.notices.push(event.clone());
    }

    fn snapshot(&mut self, _: Timestamp, snapshot: &Snapshot) {
        self.snapshots.push(snapshot.clone());
    }
}

impl Watch {
    pub(crate) fn with_replicas(replicas: u32) -> Self {
        Self::with(replicas, Policy::default())
    }

    pub(crate) fn with(replicas: u32, policy: Policy) -> Self {
        Self { sim: Sim::new(WorkloadRef::deployment("sre", "swype-app"), replicas), policy }
    }

    pub(crate) fn until_tripped(&self) -> Seen {
        self.until(RunUntil::Tripped)
    }

    pub(crate) fn until(&self, until: RunUntil) -> Seen {
        self.drive(none(), until, None)
    }

    pub(crate) fn for_minutes(&self, minutes: i64) -> Seen {
        self.drive(none(), RunUntil::Forever, Some(minutes))
    }

    /// Watches for a number of seconds, with commands, each given after a number of seconds.
    pub(crate) fn with_commands(&self, commands: Vec<(i64, Command)>, minutes: i64) -> Seen {
        let start = self.sim.now();
        let sim = self.sim.clone();
        let commands = futures::stream::iter(commands).then(move |(secs, command)| {
            let sim = sim.clone();
            async move {
                sim.sleep_for((start + seconds(secs)).duration_since(sim.now())).await;
                command
            }
        });
        self.drive(commands.boxed(), RunUntil::Forever, Some(minutes))
    }

    pub(crate) fn command(&self, command: Command) -> Seen {
        self.drive(futures::stream::iter([command]).boxed(), RunUntil::Settled, None)
    }

    fn drive(&self, commands: Commands, until: RunUntil, minutes: Option<i64>) -> Seen {
        let mut seen = Seen::default();
        let end = self.sim.sleep_for(SignedDuration::from_mins(minutes.unwrap_or(24 * 60)));
        let watched = one(&self.sim, &self.policy, commands, until, &mut seen);
        // None if the process was killed.
        self.sim.run(futures::future::select(Box::pin(watched), Box::pin(end)));
        seen
    }

    pub(crate) fn posted(&self, kind: &str) -> Vec<CloudEvent> {
        let kind = format!("dev.bigredbutton.{kind}");
        let posted = self.sim.with(|world| world.posted().to_vec());
        posted.into_iter().map(|(event, _)| event).filter(|event| event.kind == kind).collect()
    }

    pub(crate) fn two_until_tripped(&self) -> (Seen, Seen) {
        let (mut first, mut second) = (Seen::default(), Seen::default());
        let a = one(&self.sim, &self.policy, none(), RunUntil::Tripped, &mut first);
        let b = one(&self.sim, &self.policy, none(), RunUntil::Tripped, &mut second);
        self.sim.run(async move { futures::future::join(a, b).await });
        (first, second)
    }
}

type Commands = BoxStream<'static, Command>;

fn none() -> Commands {
    futures::stream::pending().boxed()
}

async fn one(sim: &Sim, policy: &Policy, commands: Commands, until: RunUntil, seen: &mut Seen) {
    let parts = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(sim.clone())),
    };
    let options = SupervisorOptions { dry_run: policy.mode == Mode::Observe, ..SupervisorOptions::default() };
    let mut supervisor = match Supervisor::start(parts, policy.clone(), sim.target().clone(), options).await {
        Ok(supervisor) => supervisor,
        Err(error) => return seen.error = Some(error),
    };
    let end = supervisor.run(commands, until, seen).await;
    match end {
        Ok(end) => seen.end = Some(end),
        Err(error) => seen.error = Some(error),
    }
}
