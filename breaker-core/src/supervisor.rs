//! The supervisor: drives one breaker over any cluster.
//!
//! ```text
//!        watch, clock, commands, outcomes          actions
//! cluster ------------------------------> breaker --------> cluster, webhooks
//! ```

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};

use crate::action::{Action, Command, Input, Outcome};
use crate::action::{Attempt, Failure};
use crate::clock::shifted;
use crate::clock_steps::ClockSteps;
use crate::cluster::{PodWatchEvent, Scale, StoredRecord};
use crate::evidence;
pub use crate::observer::Observer;
use crate::snapshot::{Blind, Snapshot};
use crate::state::State;
use crate::webhook::WebhookClient;
use crate::webhook::delivery;
use crate::{Breaker, BreakerEvent, Classifier, Clock, ClusterClient, ClusterError, Policy, WorkloadRef};

/// How long the pods of a tripped target may take to terminate before the rest is listed.
const TERMINATION_TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// Longest sleep before the wall clock is compared with the monotonic clock.
const MAX_SLEEP: SignedDuration = SignedDuration::from_secs(30);

/// How long a finished command waits until its notifications are acknowledged; the others stay in
/// the Record. Shorter than the first wait after the hook answers hold, so that a command that was
/// held ends before the hook is called again.
const NOTIFY_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// When a [`Supervisor`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunUntil {
    /// The target is at zero and its pods have terminated, or two minutes have passed. In a dry
    /// run: the breaker would have tripped.
    Tripped,
    /// A command has been carried out and recorded.
    Settled,
    /// Never, unless the target is deleted.
    Forever,
}

/// Why a [`Supervisor`] stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The target is at zero.
    Tripped {
        /// Names of the pods that have not terminated in time.
        left: Vec<String>,
    },
    /// Dry run: the breaker would have tripped.
    WouldTrip,
    /// The command is done.
    Settled,
    /// The target was deleted.
    Lost,
}

/// The dependencies of a [`Supervisor`].
#[derive(Clone)]
pub struct Dependencies {
    /// The cluster.
    pub client: Arc<dyn ClusterClient>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The classifier of terminations.
    pub classifier: Arc<Classifier>,
    /// The client for the policy's webhooks; `None` if none may be called.
    pub webhooks: Option<Arc<dyn WebhookClient>>,
}

/// Options of a [`Supervisor`].
#[derive(Debug)]
pub struct SupervisorOptions {
    /// Write neither the Record nor Events, and send no notifications; for a policy that only
    /// observes. Default: false.
    pub dry_run: bool,
    /// Read logs and Events of terminated containers. If false, only the status of a pod decides
    /// the cause. Default: true.
    pub gather_evidence: bool,
    /// How often to emit a [`BreakerEvent::Heartbeat`]; `None` for never. Default: never.
    pub heartbeat: Option<SignedDuration>,
    /// A sentence that ends the Event of a trip: how to restore the replicas. Default: none.
    pub restore_hint: Option<String>,
    /// Permissions known to be missing; each is reported once. Default: none.
    pub missing_permissions: Vec<ClusterError>,
    /// Report a pod watch that fails as a [`BreakerEvent::Warning`]. False where one watch serves
    /// many breakers and is reported once. Default: true.
    pub report_watch: bool,
}

impl Default for SupervisorOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            gather_evidence: true,
            heartbeat: None,
            restore_hint: None,
            missing_permissions: Vec::new(),
            report_watch: true,
        }
    }
}

/// Drives one breaker over a [`ClusterClient`].
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
    /// Since when the breaker is open.
    opened_at: Option<Timestamp>,
    clock_steps: ClockSteps,
    /// Since when a command is done.
    settled_at: Option<Timestamp>,
    watch_is_down: bool,
    report_watch: bool,
    /// Permissions known to be missing, to be reported first.
    missing_permissions: Vec<ClusterError>,
    /// A refusal that ends the run once the breaker has recorded it.
    fatal: Option<ClusterError>,
}

/// The result of a task.
struct Completion {
    input: Input,
    version: StoredVersion,
    warn: Vec<ClusterError>,
    fatal: Option<ClusterError>,
    /// The selector of the pods that were listed.
    listed: Option<String>,
}

/// The version of the stored Record after a task.
enum StoredVersion {
    Unchanged,
    Now(Option<String>),
}

impl From<Input> for Completion {
    fn from(input: Input) -> Self {
        Self { input, version: StoredVersion::Unchanged, warn: Vec::new(), fatal: None, listed: None }
    }
}

impl Supervisor {
    /// Reads the target's scale and its Record, and builds the breaker from them.
    ///
    /// # Errors
    /// The error of the first read of the scale or of the Record. A missing permission to read the
    /// Record is a warning later, not an error.
    pub async fn start(
        dependencies: Dependencies,
        policy: Policy,
        target: WorkloadRef,
        options: SupervisorOptions,
    ) -> Result<Self, ClusterError> {
        let scale = dependencies.client.read_scale(&target).await?;
        let SupervisorOptions {
            dry_run,
            gather_evidence,
            heartbeat,
            restore_hint,
            missing_permissions,
            report_watch,
        } = options;
        let mut forbidden = None;
        let stored = match dependencies.client.load_record(&target).await {
            Ok(stored) => stored,
            Err(error @ ClusterError::Forbidden { .. }) => {
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
        if dry_run || forbidden.is_some() {
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
            opened_at: None,
            clock_steps: ClockSteps::new(&*dependencies.clock),
            dependencies,
            settled_at: None,
            watch_is_down: false,
            report_watch,
            fatal: None,
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
    /// A refusal after which no trip is possible: the target must not be scaled.
    pub async fn run(
        &mut self,
        commands: BoxStream<'_, Command>,
        until: RunUntil,
        observer: &mut dyn Observer,
    ) -> Result<StopReason, ClusterError> {
        for error in std::mem::take(&mut self.missing_permissions) {
            self.warn_once(&error, observer);
        }
        let mut commands = commands.fuse();
        let mut waiting_commands = Vec::new();
        let clock = Arc::clone(&self.dependencies.clock);
        let mut selector = self.selector();
        let mut watch = self.dependencies.client.watch_pods(&self.target.namespace, &selector).fuse();
        let started_at = clock.now();
        self.breaker.watch_for_pods(started_at);
        self.wakes.insert(started_at + Blind::REPORTED_AFTER);
        self.next_heartbeat = self.heartbeat.map(|every| started_at + every);
        self.opened_at = None;
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
            if let Some(end) = self.end(until, now)? {
                return Ok(end);
            }
            let look_again = now + MAX_SLEEP;
            let mut timer =
                clock.sleep_until(self.next_wake().map_or(look_again, |at| at.min(look_again))).fuse();
            // Verdicts and acknowledgements come first: they are what a trip waits for.
            futures::select_biased! {
                done = self.tasks.select_next_some() => self.completed(done, observer),
                command = commands.select_next_some() => waiting_commands.push(command),
                news = watch.select_next_some() => self.pod_event(news, observer),
                () = timer => {
                    self.follow_clock(observer);
                    let now = clock.now();
                    if self.next_wake().is_some_and(|at| at <= now) {
                        self.wake(now, observer);
                    }
                }
            }
        }
    }

    /// When something is due next.
    fn next_wake(&self) -> Option<Timestamp> {
        let limits = [
            self.wakes.first().copied(),
            self.next_heartbeat,
            self.opened_at.map(|at| at + TERMINATION_TIMEOUT),
            self.settled_at.map(|at| at + NOTIFY_TIMEOUT),
        ];
        limits.into_iter().flatten().min()
    }

    fn wake(&mut self, now: Timestamp, observer: &mut dyn Observer) {
        self.wakes.retain(|at| *at > now);
        self.step(Input::Tick, observer);
        if self.next_heartbeat.is_some_and(|at| at <= now) {
            self.next_heartbeat = self.heartbeat.map(|every| now + every);
            self.step(Input::Heartbeat, observer);
        }
    }

    /// Shifts every wait after the wall clock was set. A wait takes as long as was decided.
    fn follow_clock(&mut self, observer: &mut dyn Observer) {
        let Some(by) = self.clock_steps.take(&*self.dependencies.clock) else { return };
        let waits = [&mut self.next_heartbeat, &mut self.opened_at, &mut self.settled_at];
        for at in waits.into_iter().flatten() {
            *at = shifted(*at, by);
        }
        self.wakes = self.wakes.iter().map(|at| shifted(*at, by)).collect();
        self.step(Input::ClockStepped(by), observer);
    }

    fn selector(&self) -> String {
        self.breaker.scale().map(|scale| scale.selector.clone()).unwrap_or_default()
    }

    fn end(&mut self, until: RunUntil, now: Timestamp) -> Result<Option<StopReason>, ClusterError> {
        let settled = self.breaker.is_started() && self.breaker.is_settled();
        if self.lost {
            return Ok(Some(StopReason::Lost));
        }
        if settled && let Some(error) = self.fatal.take() {
            return Err(error);
        }
        match until {
            RunUntil::Forever => Ok(None),
            RunUntil::Settled => {
                if !settled {
                    self.settled_at = None;
                    return Ok(None);
                }
                let told = self.breaker.pending_notifications() == 0 && self.tasks.is_empty();
                let since = *self.settled_at.get_or_insert(now);
                Ok((told || now >= since + NOTIFY_TIMEOUT).then_some(StopReason::Settled))
            }
            RunUntil::Tripped => {
                if self.would_trip {
                    return Ok(Some(StopReason::WouldTrip));
                }
                if !matches!(self.breaker.state(), State::Open { .. }) {
                    self.opened_at = None;
                    return Ok(None);
                }
                let since = *self.opened_at.get_or_insert(now);
                let left = self.breaker.pods_left();
                let settled = settled && self.breaker.pending_notifications() == 0;
                let enough = left.is_empty() || now >= since + TERMINATION_TIMEOUT;
                Ok((enough && (settled || now >= since + TERMINATION_TIMEOUT))
                    .then_some(StopReason::Tripped { left }))
            }
        }
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
        if done.fatal.is_some() {
            self.fatal = done.fatal;
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
        for action in self.breaker.step(input, now) {
            match action {
                Action::Emit(event) => {
                    self.would_trip |= matches!(event, BreakerEvent::WouldTrip(_));
                    self.lost |= matches!(event, BreakerEvent::Lost { .. });
                    observer.event(now, &event);
                }
                Action::Wake(at) => {
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

    /// One attempt at one action; its outcome is the next input.
    fn carry_out(&self, action: Action) -> BoxFuture<'static, Completion> {
        let Dependencies { client, clock, classifier, webhooks } = self.dependencies.clone();
        let target = self.target.clone();
        match action {
            Action::GatherEvidence(request) if !self.gather_evidence => {
                let verdict = evidence::from_status(&classifier, &request.termination);
                futures::future::ready(Input::Verdict(request.id, verdict).into()).boxed()
            }
            Action::GatherEvidence(wanted) => async move {
                let id = wanted.id.clone();
                let evidence =
                    evidence::take(&*client, &*clock, &classifier, &target.namespace, *wanted).await;
                Completion {
                    warn: evidence.forbidden,
                    ..Input::Verdict(id, evidence.explanation.verdict).into()
                }
            }
            .boxed(),
            Action::ReadScale => async move {
                match client.read_scale(&target).await {
                    Ok(scale) => Input::Done(Outcome::ScaleRead(Some(scale))).into(),
                    Err(ClusterError::NotFound(_)) => Input::Done(Outcome::ScaleRead(None)).into(),
                    Err(error) => failed(Attempt::ReadScale, error),
                }
            }
            .boxed(),
            Action::ListPods => {
                let (selector, asked) = (self.selector(), clock.elapsed());
                async move {
                    let done = match client.list_pods(&target.namespace, &selector).await {
                        Ok(pods) => Input::PodsListed { pods, asked_at: clock.wall_time(asked) }.into(),
                        Err(error) => failed(Attempt::ListPods, error),
                    };
                    Completion { listed: Some(selector), ..done }
                }
                .boxed()
            }
            Action::LoadRecord => {
                async move { found(client.load_record(&target).await, Attempt::LoadRecord) }.boxed()
            }
            Action::SaveRecord(record) => {
                let over = self.version.clone();
                async move {
                    match client.save_record(&target, &record, over).await {
                        Ok(version) => Completion {
                            version: StoredVersion::Now(Some(version)),
                            ..Input::Done(Outcome::RecordSaved).into()
                        },
                        Err(ClusterError::Conflict(_)) => {
                            found(client.load_record(&target).await, Attempt::SaveRecord)
                        }
                        Err(error) => failed(Attempt::SaveRecord, error),
                    }
                }
                .boxed()
            }
            Action::WriteScale { seen, replicas } => {
                async move { written(&*client, &target, seen, replicas).await }.boxed()
            }
            Action::FindScaler => async move {
                match client.scaled_by(&target).await {
                    Ok(by) => Input::Done(Outcome::Scaler(by)).into(),
                    Err(error) => failed(Attempt::FindScaler, error),
                }
            }
            .boxed(),
            Action::Publish(event) => async move {
                match client.publish(&target, &event).await {
                    Ok(()) => Input::Done(Outcome::Published(event.key)).into(),
                    Err(error) => failed(Attempt::Publish, error),
                }
            }
            .boxed(),
            Action::CallHook { hook, event } => async move {
                let answer = delivery::until(webhooks, &*clock, &hook.to, &event, hook.timeout).await;
                Input::Done(Outcome::HookAnswered { id: event.id, answer }).into()
            }
            .boxed(),
            Action::Notify { to, event } => async move {
                let failure = delivery::once(webhooks, &*clock, &to, &event).await.err();
                Input::Done(Outcome::Notified { to, id: event.id, failure }).into()
            }
            .boxed(),
            Action::Emit(_) | Action::Wake(_) => futures::future::ready(Input::Tick.into()).boxed(),
        }
    }
}

async fn written(client: &dyn ClusterClient, target: &WorkloadRef, seen: Scale, replicas: u32) -> Completion {
    match client.write_scale(target, &seen, replicas).await {
        Ok(scale) => Input::Done(Outcome::ScaleWritten(scale)).into(),
        Err(error) => {
            let forbidden = matches!(error, ClusterError::Forbidden { .. });
            let mut done = failed(Attempt::WriteScale, error);
            if forbidden {
                done.fatal = done.warn.pop();
            }
            done
        }
    }
}

/// Whatever Record is stored now, with its version.
fn found(stored: Result<Option<StoredRecord>, ClusterError>, of: Attempt) -> Completion {
    match stored {
        Ok(Some(StoredRecord { record, version })) => Completion {
            version: StoredVersion::Now(Some(version)),
            ..Input::Done(Outcome::RecordFound(Some(Box::new(record)))).into()
        },
        Ok(None) => {
            Completion { version: StoredVersion::Now(None), ..Input::Done(Outcome::RecordFound(None)).into() }
        }
        Err(error) => failed(of, error),
    }
}

fn failed(of: Attempt, error: ClusterError) -> Completion {
    let failure = Failure {
        of,
        why: error.chain(),
        retryable: error.is_retryable(),
        conflict: matches!(error, ClusterError::Conflict(_)),
    };
    let warn = if matches!(error, ClusterError::Forbidden { .. }) { vec![error] } else { Vec::new() };
    Completion { warn, ..Input::Failed(failure).into() }
}
