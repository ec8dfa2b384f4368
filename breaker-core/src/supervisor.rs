//! The supervisor: drives one breaker over any cluster.
//!
//! ```text
//!        watch, clock, commands, outcomes          actions
//! cluster ------------------------------> breaker --------> cluster, webhooks
//! ```

mod carry_out;
mod options;
mod wait;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};

use self::carry_out::{Completion, Context, StoredVersion, carry_out};
pub use self::options::{Dependencies, RecordStorage, RunUntil, StopReason, SupervisorOptions};
use self::wait::{Wait, describe};
use crate::action::{Action, Command, Input};
use crate::clock::shifted;
use crate::clock_steps::ClockSteps;
use crate::cluster::{PodWatchEvent, StoredRecord};
pub use crate::observer::Observer;
use crate::snapshot::{Blind, Snapshot};
use crate::state::State;
use crate::{Breaker, BreakerEvent, ClusterError, Policy, WorkloadRef};

/// How long the pods of a tripped target may take to terminate before the rest is listed.
const TERMINATION_TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Longest sleep before the wall clock is compared with the monotonic clock.
const MAX_SLEEP: SignedDuration = SignedDuration::from_secs(30);

/// How long a finished command waits until its notifications are acknowledged; the others stay in
/// the Record. Shorter than the first wait after the hook answers hold, so that a command that was
/// held ends before the hook is called again.
const NOTIFY_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// Drives one breaker over a [`ClusterClient`](crate::ClusterClient).
///
/// ```
/// # #[cfg(feature = "sim")] {
/// use std::sync::Arc;
///
/// use breaker_core::action::Command;
/// use breaker_core::jiff::Timestamp;
/// use breaker_core::sim::Sim;
/// use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
/// use breaker_core::{BreakerEvent, Classifier, Policy, Supervisor, WorkloadRef};
/// use futures::stream::{self, StreamExt};
///
/// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 2);
/// let dependencies = Dependencies {
///     client: Arc::new(sim.clone()),
///     clock: Arc::new(sim.clone()),
///     classifier: Arc::new(Classifier::default()),
///     webhooks: None,
/// };
/// let stopped = sim.run(async {
///     let target = sim.target().clone();
///     let options = SupervisorOptions::default();
///     let mut supervisor = Supervisor::start(dependencies, Policy::default(), target, options).await?;
///     let commands = stream::iter([Command::Press]).chain(stream::pending()).boxed();
///     let mut print = |at: Timestamp, event: &BreakerEvent| println!("{at} {event}");
///     supervisor.run(commands, RunUntil::Tripped, &mut print).await
/// });
/// assert!(matches!(stopped, Some(Ok(StopReason::Tripped { .. }))));
/// assert_eq!(sim.with(|world| world.replicas()), 0);
/// # }
/// ```
pub struct Supervisor {
    dependencies: Dependencies,
    heartbeat: Option<SignedDuration>,
    gather_evidence: bool,
    target: WorkloadRef,
    breaker: Breaker,
    /// The snapshot handed out last.
    snapshot: Option<Snapshot>,
    /// Version of the stored Record.
    version: Option<String>,
    tasks: FuturesUnordered<BoxFuture<'static, Completion>>,
    wakes: BTreeSet<Timestamp>,
    warned: HashSet<String>,
    would_trip: bool,
    lost: bool,
    next_heartbeat: Option<Timestamp>,
    /// What the present run waits for before it ends.
    wait: Option<Wait>,
    clock_steps: ClockSteps,
    watch_is_down: bool,
    report_watch: bool,
    /// The Record is kept in memory, and that is yet to be reported.
    warn_of_memory: bool,
    /// Permissions known to be missing, to be reported first.
    missing_permissions: Vec<ClusterError>,
    /// A refusal ends the run: a person waits for the outcome of a command.
    ends_on_refusal: bool,
    /// The last write was refused.
    refusal: Option<ClusterError>,
}

impl Supervisor {
    /// Reads the target's scale and its Record, and builds the breaker from them.
    ///
    /// # Errors
    /// The error of the first read of the scale or of the Record. With
    /// [`RecordStorage::Preferred`], a missing permission to read the Record is a warning later.
    pub async fn start(
        dependencies: Dependencies,
        policy: Policy,
        target: WorkloadRef,
        options: SupervisorOptions,
    ) -> Result<Self, ClusterError> {
        let scale = match dependencies.client.read_scale(&target).await {
            // A single 404 may come from a proxy or from an API server that is starting.
            Err(ClusterError::NotFound(_)) => dependencies.client.read_scale(&target).await?,
            scale => scale?,
        };
        let SupervisorOptions {
            dry_run,
            record,
            gather_evidence,
            heartbeat,
            restore_hint,
            missing_permissions,
            report_watch,
        } = options;
        let mut forbidden = None;
        let mut in_memory = dry_run || record == RecordStorage::Memory;
        let stored = match dependencies.client.load_record(&target).await {
            Ok(stored) => stored,
            Err(error) if error.missing_rule().is_some() && record != RecordStorage::Required => {
                in_memory = true;
                forbidden = Some(error);
                None
            }
            Err(error) => return Err(error),
        };
        let (record, version) = match stored {
            Some(StoredRecord { record, version }) => (Some(record), Some(version)),
            None => (None, None),
        };
        let mut breaker = Breaker::new(policy, target.clone(), scale, record);
        if in_memory {
            breaker = breaker.keeping_record_in_memory();
        }
        if dry_run {
            breaker = breaker.silent();
        }
        if let Some(hint) = restore_hint {
            breaker = breaker.with_restore_hint(hint);
        }
        Ok(Self {
            heartbeat,
            gather_evidence,
            target,
            breaker,
            snapshot: None,
            version,
            tasks: FuturesUnordered::new(),
            wakes: BTreeSet::new(),
            warned: HashSet::new(),
            would_trip: false,
            lost: false,
            next_heartbeat: None,
            wait: None,
            clock_steps: ClockSteps::new(&*dependencies.clock),
            dependencies,
            watch_is_down: false,
            report_watch,
            warn_of_memory: in_memory && !dry_run,
            ends_on_refusal: false,
            refusal: None,
            missing_permissions: forbidden.into_iter().chain(missing_permissions).collect(),
        })
    }

    /// The breaker it drives.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Watches, decides and acts until `until`. `observer` receives the events, in order, and the
    /// snapshots.
    ///
    /// # Errors
    /// With [`RunUntil::Settled`], a write that the API server refuses. Otherwise a refusal holds
    /// the trip, and is tried again.
    pub async fn run(
        &mut self,
        commands: BoxStream<'_, Command>,
        until: RunUntil,
        observer: &mut dyn Observer,
    ) -> Result<StopReason, ClusterError> {
        for error in std::mem::take(&mut self.missing_permissions) {
            self.warn_once(&error, observer);
        }
        if std::mem::take(&mut self.warn_of_memory) {
            let message = "the record is kept in memory only: after a restart of this process nobody \
                           knows the replicas to restore"
                .into();
            observer.event(self.dependencies.clock.now(), &BreakerEvent::Warning { message });
        }
        self.ends_on_refusal = until == RunUntil::Settled;
        let mut commands = commands.fuse();
        let mut waiting_commands = Vec::new();
        let clock = Arc::clone(&self.dependencies.clock);
        let mut selector = self.selector();
        let mut watch = self.dependencies.client.watch_pods(&self.target.namespace, &selector).fuse();
        let started_at = clock.now();
        self.breaker.watch_for_pods(started_at);
        self.wakes.insert(started_at + Blind::REPORTED_AFTER);
        self.next_heartbeat = self.heartbeat.map(|every| started_at + every);
        self.wait = None;
        loop {
            self.follow_clock(observer);
            // The target was created again with another selector, or its selector was changed.
            if self.breaker.scale().is_some_and(|scale| scale.selector != selector) {
                selector = self.selector();
                watch = self.dependencies.client.watch_pods(&self.target.namespace, &selector).fuse();
            }
            let now = clock.now();
            if self.breaker.is_started() {
                for command in std::mem::take(&mut waiting_commands) {
                    self.step(Input::Command(command), observer);
                }
            }
            // What is due comes before the next sleep, which must not end in the past.
            self.wake(now, observer);
            if let Some(end) = self.end(until, now, observer)? {
                return Ok(end);
            }
            let mut timer = clock.sleep_until(self.next_wake(now)).fuse();
            // Verdicts and acknowledgements come first: they are what a trip waits for.
            futures::select_biased! {
                done = self.tasks.select_next_some() => self.completed(done, observer),
                command = commands.select_next_some() => waiting_commands.push(command),
                news = watch.select_next_some() => self.pod_event(news, observer),
                () = timer => {}
            }
        }
    }

    /// When something is due next: always after `now`, and at most [`MAX_SLEEP`] later. What has
    /// passed was done, and must not end the sleep again.
    fn next_wake(&self, now: Timestamp) -> Timestamp {
        let waits = self.wait.iter().flat_map(Wait::due).chain([self.next_heartbeat]).flatten();
        let due = self.wakes.iter().copied().chain(waits).filter(|at| *at > now);
        due.fold(now + MAX_SLEEP, Timestamp::min)
    }

    /// Lets the breaker do what is due.
    fn wake(&mut self, now: Timestamp, observer: &mut dyn Observer) {
        let heartbeat = self.next_heartbeat.is_some_and(|at| at <= now);
        if !heartbeat && self.wakes.first().is_none_or(|at| *at > now) {
            return;
        }
        self.wakes.retain(|at| *at > now);
        self.step(Input::Tick, observer);
        if heartbeat {
            self.next_heartbeat = self.heartbeat.map(|every| now + every);
            self.step(Input::Heartbeat, observer);
        }
    }

    /// Shifts every wait after the wall clock was set. A wait takes as long as was decided.
    fn follow_clock(&mut self, observer: &mut dyn Observer) {
        let Some(by) = self.clock_steps.take(&*self.dependencies.clock) else { return };
        if let Some(at) = &mut self.next_heartbeat {
            *at = shifted(*at, by);
        }
        if let Some(wait) = &mut self.wait {
            wait.shift(by);
        }
        self.wakes = self.wakes.iter().map(|at| shifted(*at, by)).collect();
        self.step(Input::ClockStepped(by), observer);
    }

    fn selector(&self) -> String {
        self.breaker.scale().map(|scale| scale.selector.clone()).unwrap_or_default()
    }

    fn end(
        &mut self,
        until: RunUntil,
        now: Timestamp,
        observer: &mut dyn Observer,
    ) -> Result<Option<StopReason>, ClusterError> {
        let settled = self.breaker.is_started() && self.breaker.is_settled();
        if self.lost {
            return Ok(Some(StopReason::Lost));
        }
        if !self.breaker.is_writing()
            && let Some(error) = self.refusal.take()
        {
            return Err(error);
        }
        let delivered = self.breaker.pending_notifications() == 0;
        match until {
            RunUntil::Forever => Ok(None),
            RunUntil::Settled if settled && delivered && self.tasks.is_empty() => {
                Ok(Some(StopReason::Settled))
            }
            RunUntil::Settled => {
                let is_over = self.wait(settled.then_some(NOTIFY_TIMEOUT), now, vec![], observer);
                Ok(is_over.then_some(StopReason::Settled))
            }
            RunUntil::Tripped if self.would_trip => Ok(Some(StopReason::WouldTrip)),
            RunUntil::Tripped if !matches!(self.breaker.state(), State::Open { .. }) => {
                self.wait = None;
                Ok(None)
            }
            RunUntil::Tripped => {
                let left = self.breaker.pods_left();
                let is_over = (left.is_empty() && settled && delivered)
                    || self.wait(Some(TERMINATION_TIMEOUT), now, left.clone(), observer);
                Ok(is_over.then_some(StopReason::Tripped { left }))
            }
        }
    }

    /// Waits for at most `limit`, and reports what for. Returns whether the wait is over.
    fn wait(
        &mut self,
        limit: Option<SignedDuration>,
        now: Timestamp,
        pods: Vec<String>,
        observer: &mut dyn Observer,
    ) -> bool {
        if self.wait.is_none_or(|wait| wait.is_other(limit)) {
            self.wait = Some(Wait::new(now, limit));
        }
        let Some(wait) = &mut self.wait else { return false };
        let (breaker, requests) = (&self.breaker, self.tasks.len());
        let report = wait
            .report(now, || describe(breaker.is_started(), &pods, breaker.pending_notifications(), requests));
        if let Some(event) = report {
            observer.event(now, &event);
        }
        wait.is_over(now)
    }

    fn pod_event(&mut self, news: PodWatchEvent, observer: &mut dyn Observer) {
        let now = self.dependencies.clock.now();
        if let PodWatchEvent::Down(why) = &news {
            if !std::mem::replace(&mut self.watch_is_down, true) && self.report_watch {
                let message = format!("the pod watch is down: {why}");
                observer.event(now, &BreakerEvent::Warning { message });
            }
        } else {
            self.watch_is_down = false;
        }
        let input = match news {
            PodWatchEvent::Applied(pod) => Input::Pod(pod),
            PodWatchEvent::Deleted(uid) => Input::PodDeleted(uid),
            PodWatchEvent::Listed { pods, asked_at } => Input::PodsListed { pods, asked_at },
            PodWatchEvent::Alive => Input::WatchAlive,
            PodWatchEvent::Down(why) => Input::WatchDown(why),
        };
        self.step(input, observer);
    }

    fn completed(&mut self, done: Completion, observer: &mut dyn Observer) {
        if done.listed.is_some_and(|selector| selector != self.selector()) {
            // These were the pods of an earlier selector.
            self.tasks.push(self.carry_out(Action::ListPods));
            return;
        }
        if let StoredVersion::Now(version) = done.version {
            self.version = version;
        }
        for error in &done.warn {
            self.warn_once(error, observer);
        }
        if self.ends_on_refusal && done.refused.is_some() {
            self.refusal = done.refused;
        }
        self.step(done.input, observer);
    }

    fn warn_once(&mut self, error: &ClusterError, observer: &mut dyn Observer) {
        let message = error.with_fix();
        // The API server's sentence names the object: a missing rule is reported for the first
        // only.
        let key = error.missing_rule().unwrap_or_else(|| message.clone());
        if self.warned.insert(key) {
            observer.event(self.dependencies.clock.now(), &BreakerEvent::Warning { message });
        }
    }

    fn step(&mut self, input: Input, observer: &mut dyn Observer) {
        if !matches!(input, Input::ClockStepped(_)) {
            self.follow_clock(observer);
        }
        let now = self.dependencies.clock.now();
        let is_tick = matches!(input, Input::Tick);
        for action in self.breaker.step(input, now) {
            match action {
                Action::Emit(event) => {
                    self.would_trip |= matches!(event, BreakerEvent::WouldTrip(_));
                    self.lost |= matches!(event, BreakerEvent::Lost { .. });
                    observer.event(now, &event);
                }
                Action::Wake(at) => {
                    debug_assert!(!is_tick || at > now, "what is due was done");
                    self.wakes.insert(at);
                }
                other => self.tasks.push(self.carry_out(other)),
            }
        }
        if (self.breaker.is_started() || self.breaker.is_blind(now))
            && !self.snapshot.as_ref().is_some_and(|last| self.breaker.is_still(last, now))
        {
            let snapshot = self.breaker.snapshot(now);
            observer.snapshot(now, &snapshot);
            self.snapshot = Some(snapshot);
        }
    }

    fn carry_out(&self, action: Action) -> BoxFuture<'static, Completion> {
        let context = Context {
            dependencies: &self.dependencies,
            target: &self.target,
            selector: self.breaker.scale().map_or("", |scale| &scale.selector),
            version: &self.version,
            gather_evidence: self.gather_evidence,
        };
        carry_out(action, &context)
    }
}
