//! `watcher demo`: the outage of a payment gateway on an in-memory cluster, with the real breaker.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use breaker_core::action::Command;
use breaker_core::sim::{Health, Sim};
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
use breaker_core::webhook::{
    BeforeTrip, CloudEvent, Endpoint, HookDecision, Hooks, OnFailure, WebhookClient, WebhookError,
};
use breaker_core::{BreakerEvent, Classifier, Clock, Policy, Supervisor, WorkloadRef};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::cli::exit::Exit;
use crate::cli::format::LineFormat;
use crate::output::event::EventWriter;
use crate::workload::narrator::{no_commands, one_command};

/// Delay after each line on a terminal, for the reader. Without a terminal there is none.
const LINE_DELAY: Duration = Duration::from_millis(120);

const BUG: &str = "panic: runtime error: index out of range [3] with length 3";
const OUTAGE: &str =
    "payment 4711: post https://swype-gateway/v1/charge: dial tcp 10.96.0.7:443: connect: connection refused";

const ROLLBACK: &str = "http://swype-rollback.sre:8080/before-trip";

pub(crate) fn demo(format: LineFormat) -> anyhow::Result<Exit> {
    let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    let rollback = Rollback::new(sim.clone());
    let mut output = DemoOutput::new(format, sim.target(), rollback.clone());

    output.comment(
        "swype-app charges cards through swype-gateway; what it cannot charge waits at swype-rollback.",
    );
    output.comment("A watcher is started beside it:");
    output.comment(&format!("$ watcher run -n sre --deployment swype-app --before-trip {ROLLBACK}"));
    for n in 0..7 {
        let rollback = rollback.clone();
        sim.after_secs(1502 + 17 * n, move |_| rollback.queue(4711 + n));
    }
    sim.after_secs(90, |world| world.set_health(Health::dies(BUG)));
    sim.after_secs(93, |world| world.set_health(Health::well()));
    sim.after_secs(1500, |world| world.set_health(Health::dies(OUTAGE)));
    let end = sim.run(run(&sim, &rollback, &mut output, None, RunUntil::Tripped)).transpose()?;
    anyhow::ensure!(matches!(end, Some(StopReason::Tripped { .. })), "the demo ended with {end:?}");

    output.comment(
        "The payments were rolled back and stopped instead of being lost. Once the provider is back:",
    );
    output.comment("$ watcher reset -n sre --deployment swype-app");
    sim.with(|world| world.set_health(Health::well()));
    sim.run(sim.sleep_until(sim.now() + SignedDuration::from_mins(47)));
    sim.run(run(&sim, &rollback, &mut output, Some(Command::Reset), RunUntil::Settled)).transpose()?;
    let (replicas, pods) = sim.with(|world| (world.replicas(), world.pods()));
    output.comment(&format!("swype-app has {replicas} replica again: {}", pods.join(", ")));
    Ok(Exit::Done)
}

async fn run(
    sim: &Sim,
    rollback: &Rollback,
    output: &mut DemoOutput,
    command: Option<Command>,
    until: RunUntil,
) -> anyhow::Result<StopReason> {
    let dependencies = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(rollback.clone())),
    };
    let before_trip = BeforeTrip {
        to: Endpoint::new(ROLLBACK),
        timeout: SignedDuration::from_secs(10),
        on_failure: OnFailure::Proceed,
    };
    let hooks = Hooks { before_trip: Some(before_trip), notify: vec![] };
    let policy = Policy { hooks, ..Policy::default() };
    let options = SupervisorOptions::default();
    let mut supervisor = Supervisor::start(dependencies, policy, sim.target().clone(), options).await?;
    let commands = command.map_or_else(no_commands, one_command);
    let mut emit = |at: Timestamp, event: &BreakerEvent| output.emit(at, event);
    Ok(supervisor.run(commands, until, &mut emit).await?)
}

/// The service behind the before-trip hook: it rolls back the payments that could not be charged.
#[derive(Clone)]
struct Rollback {
    sim: Sim,
    queued: Arc<Mutex<Vec<i64>>>,
    comments: Arc<Mutex<Vec<String>>>,
}

impl Rollback {
    fn new(sim: Sim) -> Self {
        Self { sim, queued: Arc::default(), comments: Arc::default() }
    }

    fn queue(&self, payment: i64) {
        self.queued.lock().push(payment);
    }
}

#[async_trait]
impl WebhookClient for Rollback {
    async fn post(&self, _to: &Endpoint, _event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        let queued = std::mem::take(&mut *self.queued.lock());
        let payments: Vec<_> = queued.iter().map(ToString::to_string).collect();
        let pods = self.sim.with(|world| world.pods()).join(", ");
        let comment = format!(
            "swype-rollback, while {pods} still is there, rolls back payments {}",
            payments.join(", ")
        );
        self.comments.lock().push(comment);
        Ok(HookDecision::Proceed)
    }
}

/// Prints comments for people, and events as `run` prints them.
struct DemoOutput {
    format: LineFormat,
    writer: EventWriter<std::io::Stdout>,
    line_delay: Duration,
    rollback: Rollback,
}

impl DemoOutput {
    fn new(format: LineFormat, target: &WorkloadRef, rollback: Rollback) -> Self {
        let line_delay = if std::io::stdout().is_terminal() { LINE_DELAY } else { Duration::ZERO };
        let writer = EventWriter::new(format, std::io::stdout()).about_workload(target);
        Self { format, writer, line_delay, rollback }
    }

    fn comment(&mut self, comment: &str) {
        if matches!(self.format, LineFormat::Text) {
            // A closed pipe does not stop the demo.
            let _ = writeln!(std::io::stdout(), "# {comment}");
            std::thread::sleep(self.line_delay);
        }
    }

    fn emit(&mut self, at: Timestamp, event: &BreakerEvent) {
        let rolled_back = std::mem::take(&mut *self.rollback.comments.lock());
        rolled_back.iter().for_each(|line| self.comment(line));
        // The second supervisor finds the breaker open; the reader has just seen the trip.
        if !matches!(event, BreakerEvent::AlreadyOpen { .. }) {
            self.writer.emit(at, event);
            std::thread::sleep(self.line_delay);
        }
    }
}
