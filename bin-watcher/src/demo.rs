//! `watcher demo`: the outage of a payment gateway on an in-memory cluster, with the real breaker.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use breaker_core::sim::{Health, Sim};
use breaker_core::{Classifier, Clock, Command, End, Notice, Parts, Policy, Supervisor, Until, WorkloadRef};
use jiff::{SignedDuration, Timestamp};

use crate::exit::Exit;
use crate::narrator::{none, only};
use crate::output::{Format, Teller};

/// Between two lines on a terminal, so that the eye can follow; scripts do not wait.
const PACE: Duration = Duration::from_millis(120);

const BUG: &str = "panic: runtime error: index out of range [3] with length 3";
const OUTAGE: &str =
    "payment 4711: post https://swype-gateway/v1/charge: dial tcp 10.96.0.7:443: connect: connection refused";

pub(crate) fn demo(format: Format) -> anyhow::Result<Exit> {
    let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    let mut stage = Stage::new(format);

    stage.says("swype-app charges cards through swype-gateway. A watcher is started beside it:");
    stage.says("$ watcher run -n sre --deployment swype-app");
    sim.after_secs(90, |world| world.set_health(Health::dies(BUG)));
    sim.after_secs(93, |world| world.set_health(Health::well()));
    sim.after_secs(1500, |world| world.set_health(Health::dies(OUTAGE)));
    let end = sim.run(run(&sim, &mut stage, None, Until::Tripped)).transpose()?;
    anyhow::ensure!(matches!(end, Some(End::Tripped { .. })), "the demo ended with {end:?}");

    stage.says("The payments stopped instead of being lost. Once the provider is back:");
    stage.says("$ watcher reset -n sre --deployment swype-app");
    sim.with(|world| world.set_health(Health::well()));
    sim.run(sim.sleep_until(sim.now() + SignedDuration::from_mins(47)));
    sim.run(run(&sim, &mut stage, Some(Command::Reset), Until::Settled)).transpose()?;
    let (replicas, pods) = sim.with(|world| (world.replicas(), world.pods()));
    stage.says(&format!("swype-app has {replicas} replica again: {}", pods.join(", ")));
    Ok(Exit::Done)
}

async fn run(sim: &Sim, stage: &mut Stage, command: Option<Command>, until: Until) -> anyhow::Result<End> {
    let parts = Parts {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        messenger: Some(Arc::new(sim.clone())),
        heartbeat: None,
    };
    let mut supervisor = Supervisor::start(parts, Policy::default(), sim.target().clone(), false).await?;
    let commands = command.map_or_else(none, only);
    Ok(supervisor.run(commands, until, &mut |at, notice| stage.tells(at, notice)).await?)
}

/// Comments for people, notices as `run` prints them.
struct Stage {
    format: Format,
    teller: Teller<std::io::Stdout>,
    pace: Duration,
}

impl Stage {
    fn new(format: Format) -> Self {
        let pace = if std::io::stdout().is_terminal() { PACE } else { Duration::ZERO };
        Self { format, teller: Teller::new(format, std::io::stdout()), pace }
    }

    fn says(&mut self, comment: &str) {
        if matches!(self.format, Format::Text) {
            // A reader that went away takes nothing from the demo.
            let _ = writeln!(std::io::stdout(), "# {comment}");
            std::thread::sleep(self.pace);
        }
    }

    fn tells(&mut self, at: Timestamp, notice: &Notice) {
        // Told when the breaker is met open, which the reader has just seen happen.
        if !matches!(notice, Notice::AlreadyOpen { .. }) {
            self.teller.tell(at, notice);
            std::thread::sleep(self.pace);
        }
    }
}
