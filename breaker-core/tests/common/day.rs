//! A day of a watcher: what happens to its cluster, and what it does.

use std::sync::Arc;

use breaker_core::action::Command;
use breaker_core::policy::Mode;
use breaker_core::sim::{Fault, Health, Sim, World};
use breaker_core::supervisor::{Dependencies, Observer, RunUntil, SupervisorOptions};
use breaker_core::{BreakerEvent, Classifier, Policy, Snapshot, Supervisor, WorkloadRef};
use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use super::audit::Audit;
use super::{REFUSED, seconds};

/// How long a process manager waits before it starts the watcher again.
const RESTART_AFTER: SignedDuration = SignedDuration::from_secs(2);

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// The fault applies once, after it has let pass some calls.
    Fault(u32, Fault),
    /// The fault lasts for some seconds.
    Lasting(i64, Fault),
    /// All containers die by the network, or run again.
    Outage(bool),
    /// A roll-out of the revision with this number; its pods die by the network, or run.
    RollOut(u8, bool),
    /// The pods cannot be seen for some seconds.
    BreakWatch(i64),
    /// The watch is silent for some seconds.
    StallWatch(i64),
    /// The pods are listed, and the list comes some seconds later.
    LateList(i64),
    /// The wall clock of the watcher is set forward, or back, by some seconds.
    SetClock(i64),
    /// Another client scales the target.
    ScaleByHand(u32),
    /// The storage goes back by some seconds.
    GoBack(i64),
    /// The target is created again, with two replicas and another selector; its old pods take a
    /// while to terminate.
    Replace,
    /// The stored Record cannot be read for some seconds.
    DamageRecord(i64),
    /// New pods wait for a node for some seconds.
    Pending(i64),
    /// A person gives a command.
    Command(Command),
}

/// A world and a watcher that is started again whenever it ends.
pub(crate) struct Day {
    pub(crate) sim: Sim,
    pub(crate) policy: Policy,
    start: Timestamp,
    commands: mpsc::UnboundedSender<Command>,
    received: mpsc::UnboundedReceiver<Command>,
    pub(crate) seen: Log,
    /// How often the watcher ended by itself.
    pub(crate) ends: u32,
}

/// What the watcher said, with the seconds since the start by the clock of the cluster.
pub(crate) struct Log {
    sim: Sim,
    start: Timestamp,
    pub(crate) events: Vec<(i64, BreakerEvent)>,
    pub(crate) snapshots: Vec<(i64, Snapshot)>,
}

impl Log {
    fn now(&self) -> i64 {
        self.sim.now().duration_since(self.start).as_secs()
    }

    /// The newest lines, for a failed assertion.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines_with("");
        let heartbeats = |line: &&String| !line.contains(" closed, ") && !line.contains(" open, ");
        let lines: Vec<_> =
            lines.iter().filter(heartbeats).map(|line| line.get(..150).unwrap_or(line)).collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    pub(crate) fn lines_with(&self, what: &str) -> Vec<String> {
        let lines = self.events.iter().map(|(secs, event)| format!("{secs:>5} s {event}"));
        lines.filter(|line| line.contains(what)).collect()
    }

    /// The snapshot as of some seconds from the start.
    pub(crate) fn snapshot_at(&self, secs: i64) -> &Snapshot {
        &self.snapshots.iter().rfind(|(at, _)| *at <= secs).expect("a snapshot").1
    }

    pub(crate) fn last_snapshot(&self) -> &Snapshot {
        &self.snapshots.last().expect("a snapshot").1
    }
}

impl Observer for Log {
    fn event(&mut self, _: Timestamp, event: &BreakerEvent) {
        self.events.push((self.now(), event.clone()));
    }

    fn snapshot(&mut self, _: Timestamp, snapshot: &Snapshot) {
        self.snapshots.push((self.now(), snapshot.clone()));
    }
}

impl Day {
    pub(crate) fn new(replicas: u32, policy: Policy) -> Self {
        let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), replicas);
        let (commands, received) = mpsc::unbounded();
        let start = sim.now();
        let seen = Log { sim: sim.clone(), start, events: vec![], snapshots: vec![] };
        Self { sim, policy, start, commands, received, seen, ends: 0 }
    }

    /// Plans a step after some seconds from the start.
    pub(crate) fn plan(&self, secs: i64, step: Step) {
        let commands = self.commands.clone();
        let at = self.start + seconds(secs);
        self.sim.with(|world| {
            if at <= world.now() {
                happens(step, world, &commands);
            } else {
                world.at(at, move |world| happens(step, world, &commands));
            }
        });
    }

    /// Runs the watcher until some seconds from the start, over crashes and errors.
    pub(crate) fn run_until(&mut self, secs: i64) {
        let end = self.start + seconds(secs);
        loop {
            let left = end.duration_since(self.sim.now());
            if left.is_zero() || left.is_negative() {
                return;
            }
            let life = live(&self.sim, &self.policy, &mut self.received, &mut self.seen);
            let sim = self.sim.clone();
            let over = sim.run(async {
                match select(Box::pin(life), Box::pin(sim.sleep_for(left))).await {
                    Either::Left(_) => {
                        sim.sleep_for(RESTART_AFTER).await;
                        true
                    }
                    Either::Right(_) => false,
                }
            });
            match over {
                Some(true) => self.ends += 1,
                Some(false) => {}
                None => self.sim.sleep(RESTART_AFTER),
            }
        }
    }

    /// Nothing goes wrong any more.
    pub(crate) fn end_faults(&self) {
        self.sim.with(|world| {
            world.end_faults();
            world.mend_record();
        });
    }

    pub(crate) fn now(&self) -> i64 {
        self.sim.now().duration_since(self.start).as_secs()
    }

    pub(crate) fn command(&self, command: Command) {
        self.commands.unbounded_send(command).expect("the day goes on");
    }

    pub(crate) fn replicas(&self) -> u32 {
        self.sim.with(|world| world.replicas())
    }

    /// `spec.replicas` just before some seconds from the start, if it changed later.
    pub(crate) fn replicas_at(&self, secs: i64) -> u32 {
        let at = self.start + seconds(secs);
        self.sim.with(|world| {
            let next = world.changes().iter().find(|change| change.at >= at);
            next.map_or(world.replicas(), |change| change.replicas)
        })
    }

    pub(crate) fn scales(&self) -> Vec<u32> {
        self.sim.with(|world| world.scales_written().to_vec())
    }

    /// Ids of the events of this kind that were posted, each once.
    pub(crate) fn posted(&self, kind: &str) -> Vec<String> {
        let kind = format!("dev.bigredbutton.{kind}");
        let events = self.sim.with(|world| world.posted().to_vec());
        let mut ids: Vec<_> =
            events.into_iter().filter(|(event, _)| event.kind == kind).map(|(event, _)| event.id).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// The violations of the laws so far, by a breaker whose watch works.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations_of(SignedDuration::ZERO, false)
    }

    pub(crate) fn violations_of(&self, view_age: SignedDuration, may_repeat: bool) -> Vec<String> {
        let audit = Audit { policy: &self.policy, view_age, may_repeat };
        self.sim.with(|world| audit.violations(world))
    }

    /// Panics with the log if a law is violated.
    #[track_caller]
    pub(crate) fn audit(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "{violations:#?}\n{}", self.seen.text());
    }
}

/// One life of the watcher.
async fn live(sim: &Sim, policy: &Policy, commands: &mut mpsc::UnboundedReceiver<Command>, seen: &mut Log) {
    let dependencies = Dependencies {
        client: Arc::new(sim.clone()),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(sim.clone())),
    };
    let options = SupervisorOptions {
        dry_run: policy.mode == Mode::Observe,
        heartbeat: Some(seconds(60)),
        ..SupervisorOptions::default()
    };
    let started = Supervisor::start(dependencies, policy.clone(), sim.target().clone(), options).await;
    if let Ok(mut supervisor) = started {
        // How it ends does not matter: it is started again.
        drop(supervisor.run(commands.by_ref().boxed(), RunUntil::Forever, seen).await);
    }
}

pub(crate) fn health(ill: bool) -> Health {
    if ill { Health::dies(REFUSED) } else { Health::well() }
}

fn happens(step: Step, world: &mut World, commands: &mpsc::UnboundedSender<Command>) {
    match step {
        Step::Fault(calls, fault) => world.fault_after(calls, fault),
        Step::Lasting(secs, fault) => world.fault_for(seconds(secs), fault),
        Step::Outage(ill) => world.set_health(health(ill)),
        Step::RollOut(revision, ill) => {
            let replicas = world.replicas();
            world.roll_out(&format!("revision{revision}"), replicas, health(ill));
            // Its controller then removes the other old pods.
            world.delete_pod(0);
        }
        Step::BreakWatch(secs) => world.break_watch(seconds(secs)),
        Step::StallWatch(secs) => world.stall_watch(seconds(secs)),
        Step::LateList(secs) => world.relist_late(seconds(secs)),
        Step::SetClock(secs) => world.step_clock(seconds(secs)),
        Step::ScaleByHand(replicas) => world.scale_by_hand(replicas, "kubectl"),
        Step::GoBack(secs) => {
            let backup = world.backup();
            let at = world.now() + seconds(secs);
            world.at(at, move |world| world.restore(&backup));
        }
        Step::Replace => {
            world.set_grace(seconds(30));
            let name = world.now().as_second();
            world.replace_target(&format!("uid-{name}"), 2, &format!("app=app-{name}"));
        }
        Step::DamageRecord(secs) => {
            world.damage_record();
            let at = world.now() + seconds(secs);
            world.at(at, World::mend_record);
        }
        Step::Pending(secs) => world.set_pending(seconds(secs)),
        // The day is over if nobody receives it.
        Step::Command(command) => drop(commands.unbounded_send(command)),
    }
}
