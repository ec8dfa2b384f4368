//! `watcher demo`: the outage of a payment gateway on an in-memory cluster, with the real breaker.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use breaker_core::action::Command;
use breaker_core::sim::{Health, Sim};
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason};
use breaker_core::webhook::{
    BeforeTrip, CloudEvent, Endpoint, HookDecision, Hooks, OnFailure, WebhookClient, WebhookError,
};
use breaker_core::{BreakerEvent, Classifier, Clock, Policy, Supervisor, WorkloadRef};
use jiff::{SignedDuration, Timestamp};

use crate::exit::Exit;
use crate::narrator::{none, only};
use crate::output::{Format, Teller};

/// Between two lines on a terminal, so that the eye can follow; scripts do not wait.
const PACE: Duration = Duration::from_millis(120);

const BUG: &str = "panic: runtime error: index out of range [3] with length 3";
const OUTAGE: &str =
    "payment 4711: post https://swype-gateway/v1/charge: dial tcp 10.96.0.7:443: connect: connection refused";

const ROLLBACK: &str = "http://swype-rollback.sre:8080/before-trip";

pub(crate) fn demo(format: Format) -> anyhow::Result<Exit> {
    let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    let rollback = Rollback::new(sim.clone());
    let mut stage = Stage::new(format, rollback.clone());

    stage.says(
        "swype-app charges cards through swype-gateway; what it cannot charge waits at swype-rollback.",
    );
    stage.says("A watcher is started beside it:");
    stage.says(&format!("$ watcher run -n sre --deployment swype-app --before-trip {ROLLBACK}"));
    for n in 0..7 {
        let rollback = rollback.clone();
        sim.after_secs(1502 + 17 * n, move |_| rollback.queue(4711 + n));
    }
    sim.after_secs(90, |world| world.set_health(Health::dies(BUG)));
    sim.after_secs(93, |world| world.set_health(Health::well()));
    sim.after_secs(1500, |world| world.set_health(Health::dies(OUTAGE)));
    let end = sim.run(run(&sim, &rollback, &mut stage, None, RunUntil::Tripped)).transpose()?;
    anyhow::ensure!(matches!(end, Some(StopReason::Tripped { .. })), "the demo ended with {end:?}");

    stage.says("The payments were rolled back and stopped instead of being lost. Once the provider is back:");
    stage.says("$ watcher reset -n sre --deployment swype-app");
    sim.with(|world| world.set_health(Health::well()));
    sim.run(sim.sleep_until(sim.now() + SignedDuration::from_mins(47)));
    sim.run(run(&sim, &rollback, &mut stage, Some(Command::Reset), RunUntil::Settled)).transpose()?;
    let (replicas, pods) = sim.with(|world| (world.replicas(), world.pods()));
    stage.says(&format!("swype-app has {replicas} replica again: {}", pods.join(", ")));
    Ok(Exit::Done)
}

async fn run(
    sim: &Sim,
    rollback: &Rollback,
    stage: &mut Stage,
    command: Option<Command>,
    until: RunUntil,
) -> anyhow::Result<StopReason> {
    let parts = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        messenger: Some(Arc::new(rollback.clone())),
        heartbeat: None,
    };
    let before_trip = BeforeTrip {
        to: Endpoint::new(ROLLBACK),
        timeout: SignedDuration::from_secs(10),
        on_failure: OnFailure::Proceed,
    };
    let hooks = Hooks { before_trip: Some(before_trip), notify: vec![] };
    let policy = Policy { hooks, ..Policy::default() };
    let mut supervisor = Supervisor::start(parts, policy, sim.target().clone(), false).await?;
    let commands = command.map_or_else(none, only);
    Ok(supervisor.run(commands, until, &mut |at, notice| stage.tells(at, notice)).await?)
}

/// The service that must hear of a trip before the pods go: it keeps the payments that could not be charged.
#[derive(Clone)]
struct Rollback {
    sim: Sim,
    queued: Arc<Mutex<Vec<i64>>>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Rollback {
    fn new(sim: Sim) -> Self {
        Self { sim, queued: Arc::default(), said: Arc::default() }
    }

    fn queue(&self, payment: i64) {
        locked(&self.queued).push(payment);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[async_trait]
impl WebhookClient for Rollback {
    async fn post(&self, _to: &Endpoint, _event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let queued = std::mem::take(&mut *locked(&self.queued));
        let payments: Vec<_> = queued.iter().map(ToString::to_string).collect();
        let pods = self.sim.with(|world| world.pods()).join(", ");
        let said = format!(
            "swype-rollback, while {pods} still is there, rolls back payments {}",
            payments.join(", ")
        );
        locked(&self.said).push(said);
        Ok(HookDecision::Proceed)
    }
}

/// Comments for people, notices as `run` prints them.
struct Stage {
    format: Format,
    teller: Teller<std::io::Stdout>,
    pace: Duration,
    rollback: Rollback,
}

impl Stage {
    fn new(format: Format, rollback: Rollback) -> Self {
        let pace = if std::io::stdout().is_terminal() { PACE } else { Duration::ZERO };
        Self { format, teller: Teller::new(format, std::io::stdout()), pace, rollback }
    }

    fn says(&mut self, comment: &str) {
        if matches!(self.format, Format::Text) {
            // A reader that went away takes nothing from the demo.
            let _ = writeln!(std::io::stdout(), "# {comment}");
            std::thread::sleep(self.pace);
        }
    }

    fn tells(&mut self, at: Timestamp, notice: &BreakerEvent) {
        let said = std::mem::take(&mut *locked(&self.rollback.said));
        said.iter().for_each(|line| self.says(line));
        // Told when the breaker is met open, which the reader has just seen happen.
        if !matches!(notice, BreakerEvent::AlreadyOpen { .. }) {
            self.teller.tell(at, notice);
            std::thread::sleep(self.pace);
        }
    }
}
