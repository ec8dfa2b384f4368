//! The supervisor: drives one breaker over any cluster. The only caller of [`ClusterClient`].
//!
//! ```text
//!        watch, clock, commands, outcomes          actions
//! cluster ------------------------------> breaker --------> cluster, people
//! ```

use std::collections::{BTreeSet, HashSet};
use std::pin::pin;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{BoxStream, FuturesUnordered};
use futures::{FutureExt, StreamExt};
use jiff::{SignedDuration, Timestamp};

use crate::action::{Action, Command, Input, Outcome};
use crate::action::{Attempt, Failure};
use crate::cluster::{PodWatchEvent, Scale, Stored};
use crate::evidence;
use crate::state::State;
use crate::webhook::WebhookClient;
use crate::webhook::delivery;
use crate::{Breaker, BreakerEvent, Classifier, Clock, ClusterClient, ClusterError, Policy, WorkloadRef};

/// After a trip the pods get so long to leave before those left are named.
pub const PODS_LEAVE_WITHIN: SignedDuration = SignedDuration::from_secs(120);

/// A command that is done waits so long for its notices to be acknowledged; the rest stays in the Record. Shorter
/// than the hook's first pause, so that a command ends before what it was refused is asked again.
pub const NOTICES_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// When a [`Supervisor`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunUntil {
    /// The target is at zero and its pods are gone, or two minutes have passed; in a dry run, once it
    /// would have tripped.
    Tripped,
    /// A command has been carried out and recorded.
    Settled,
    /// Never by itself.
    Forever,
}

/// Why a [`Supervisor`] stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// The target is at zero; names of the pods that are still there.
    Tripped {
        /// Pods that have not left in time.
        left: Vec<String>,
    },
    /// Dry run: it would have tripped.
    WouldTrip,
    /// What was asked for is done.
    Settled,
    /// The target is gone.
    Lost,
}

/// Everything a [`Supervisor`] is given besides its target.
#[derive(Clone)]
pub struct Dependencies {
    /// The door.
    pub client: Arc<dyn ClusterClient>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Who reads the evidence.
    pub classifier: Arc<Classifier>,
    /// The way out of the cluster, for the policy's hooks; `None` where it has none.
    pub messenger: Option<Arc<dyn WebhookClient>>,
    /// How often to say where things stand; `None` for never.
    pub heartbeat: Option<SignedDuration>,
}

/// Drives one breaker.
pub struct Supervisor {
    parts: Dependencies,
    target: WorkloadRef,
    breaker: Breaker,
    /// Version of the stored Record.
    version: Option<String>,
    tasks: FuturesUnordered<BoxFuture<'static, Completion>>,
    wakes: BTreeSet<Timestamp>,
    warned: HashSet<String>,
    would_trip: bool,
    lost: bool,
    /// Since when a command is done.
    settled_at: Option<Timestamp>,
    watch_is_down: bool,
    /// Rights known to be missing; told first thing.
    missing: Vec<ClusterError>,
    /// A refusal that ends the run once the breaker has recorded it.
    fatal: Option<ClusterError>,
}

/// What a task brought back.
struct Completion {
    input: Input,
    version: Option<Option<String>>,
    warn: Vec<ClusterError>,
    fatal: Option<ClusterError>,
}

impl From<Input> for Completion {
    fn from(input: Input) -> Self {
        Self { input, version: None, warn: Vec::new(), fatal: None }
    }
}

impl Supervisor {
    /// Reads the target's scale and its Record, and builds the breaker from them. With `write_nothing`
    /// (a dry run) neither Record nor Events are written.
    ///
    /// # Errors
    /// Whatever the first read of the scale or of the Record says; a Record that may not be read is a
    /// warning later, not an error.
    pub async fn start(
        parts: Dependencies,
        policy: Policy,
        target: WorkloadRef,
        write_nothing: bool,
    ) -> Result<Self, ClusterError> {
        let scale = parts.client.read_scale(&target).await?;
        let mut forbidden = None;
        let stored = match parts.client.load_record(&target).await {
            Ok(stored) => stored,
            Err(error @ ClusterError::Forbidden { .. }) => {
                forbidden = Some(error);
                None
            }
            Err(error) => return Err(error),
        };
        let (record, version) = match stored {
            Some(Stored { record, version }) => (Some(record), Some(version)),
            None => (None, None),
        };
        let mut breaker = Breaker::new(policy, target.clone(), scale, record);
        if write_nothing || forbidden.is_some() {
            breaker = breaker.keeping_record_in_memory();
        }
        if write_nothing {
            breaker = breaker.silent();
        }
        Ok(Self {
            parts,
            target,
            breaker,
            version,
            tasks: FuturesUnordered::new(),
            wakes: BTreeSet::new(),
            warned: HashSet::new(),
            would_trip: false,
            lost: false,
            settled_at: None,
            watch_is_down: false,
            fatal: None,
            missing: forbidden.into_iter().collect(),
        })
    }

    /// It drives the CircuitBreaker of this name, see [`Breaker::known_as`].
    #[must_use]
    pub fn known_as(mut self, name: &str) -> Self {
        self.breaker = self.breaker.known_as(name);
        self
    }

    /// The breaker it drives.
    pub fn breaker(&self) -> &Breaker {
        &self.breaker
    }

    /// Rights found missing before the start; each is told once, now or when it is first missed.
    pub fn warn_of(&mut self, missing: Vec<ClusterError>) {
        self.missing.extend(missing);
    }

    /// Watches, decides and acts. `commands` are a person's wishes, `tell` is called with everything
    /// that people should know, in order.
    ///
    /// # Errors
    /// A refusal that makes it pointless to go on: scaling is not allowed.
    pub async fn run(
        &mut self,
        commands: BoxStream<'_, Command>,
        until: RunUntil,
        tell: &mut (dyn FnMut(Timestamp, &BreakerEvent) + Send),
    ) -> Result<StopReason, ClusterError> {
        for error in std::mem::take(&mut self.missing) {
            self.warn_once(&error, tell);
        }
        let mut commands = commands.fuse();
        let mut waiting_commands = Vec::new();
        let selector = self.selector();
        let mut watch = self.parts.client.watch_pods(&self.target.namespace, &selector).fuse();
        let mut next_heartbeat = self.parts.heartbeat.map(|every| self.parts.clock.now() + every);
        let mut opened_at: Option<Timestamp> = None;
        loop {
            let now = self.parts.clock.now();
            if self.breaker.is_started() {
                for command in std::mem::take(&mut waiting_commands) {
                    self.step(Input::Command(command), tell);
                }
            }
            if let Some(end) = self.end(until, &mut opened_at, now)? {
                return Ok(end);
            }
            let wake = self.wakes.first().copied().into_iter().chain(next_heartbeat);
            let limits =
                [opened_at.map(|at| at + PODS_LEAVE_WITHIN), self.settled_at.map(|at| at + NOTICES_WITHIN)];
            let wake = wake.chain(limits.into_iter().flatten()).min();
            let clock = Arc::clone(&self.parts.clock);
            let mut timer = pin!(
                async {
                    match wake {
                        Some(at) => clock.sleep_until(at).await,
                        None => futures::future::pending().await,
                    }
                }
                .fuse()
            );
            // Verdicts and acknowledgements come first: they are what a trip waits for.
            futures::select_biased! {
                finished = self.tasks.select_next_some() => self.finished(finished, tell),
                command = commands.select_next_some() => waiting_commands.push(command),
                news = watch.select_next_some() => self.news(news, tell),
                () = timer => {
                    let now = self.parts.clock.now();
                    self.wakes.retain(|at| *at > now);
                    self.step(Input::Tick, tell);
                    if next_heartbeat.is_some_and(|at| at <= now) {
                        next_heartbeat = self.parts.heartbeat.map(|every| now + every);
                        self.step(Input::Heartbeat, tell);
                    }
                }
            }
        }
    }

    fn selector(&self) -> String {
        self.breaker.scale().map(|scale| scale.selector.clone()).unwrap_or_default()
    }

    fn end(
        &mut self,
        until: RunUntil,
        opened_at: &mut Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<StopReason>, ClusterError> {
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
                let told = self.breaker.notices_left() == 0 && self.tasks.is_empty();
                let since = *self.settled_at.get_or_insert(now);
                Ok((told || now >= since + NOTICES_WITHIN).then_some(StopReason::Settled))
            }
            RunUntil::Tripped => {
                if self.would_trip {
                    return Ok(Some(StopReason::WouldTrip));
                }
                if !matches!(self.breaker.state(), State::Open { restoring: false, .. }) {
                    *opened_at = None;
                    return Ok(None);
                }
                let since = *opened_at.get_or_insert(now);
                let left = self.breaker.pods_left();
                let settled = settled && self.breaker.notices_left() == 0;
                let enough = left.is_empty() || now >= since + PODS_LEAVE_WITHIN;
                Ok((enough && (settled || now >= since + PODS_LEAVE_WITHIN))
                    .then_some(StopReason::Tripped { left }))
            }
        }
    }

    fn news(&mut self, news: PodWatchEvent, tell: &mut (dyn FnMut(Timestamp, &BreakerEvent) + Send)) {
        let now = self.parts.clock.now();
        if let PodWatchEvent::Down(why) = &news {
            if !std::mem::replace(&mut self.watch_is_down, true) {
                tell(now, &BreakerEvent::Warning { message: format!("the watch is down: {why}") });
            }
            return;
        }
        self.watch_is_down = false;
        let input = match news {
            PodWatchEvent::Applied(pod) => Input::Pod(pod),
            PodWatchEvent::Gone(uid) => Input::PodGone(uid),
            PodWatchEvent::Listed(pods) => Input::PodsListed(pods),
            PodWatchEvent::Alive | PodWatchEvent::Down(_) => Input::ViewAlive,
        };
        self.step(input, tell);
    }

    fn finished(&mut self, finished: Completion, tell: &mut (dyn FnMut(Timestamp, &BreakerEvent) + Send)) {
        if let Some(version) = finished.version {
            self.version = version;
        }
        for error in &finished.warn {
            self.warn_once(error, tell);
        }
        if finished.fatal.is_some() {
            self.fatal = finished.fatal;
        }
        self.step(finished.input, tell);
    }

    fn warn_once(&mut self, error: &ClusterError, tell: &mut (dyn FnMut(Timestamp, &BreakerEvent) + Send)) {
        let mut message = error.chain();
        if let Some(rule) = error.missing_rule() {
            message.push_str(&format!("; missing rule: {rule}"));
        }
        if self.warned.insert(message.clone()) {
            tell(self.parts.clock.now(), &BreakerEvent::Warning { message });
        }
    }

    fn step(&mut self, input: Input, tell: &mut (dyn FnMut(Timestamp, &BreakerEvent) + Send)) {
        let now = self.parts.clock.now();
        for action in self.breaker.step(input, now) {
            match action {
                Action::Emit(notice) => {
                    self.would_trip |= matches!(notice, BreakerEvent::WouldTrip(_));
                    self.lost |= matches!(notice, BreakerEvent::Lost { .. });
                    tell(now, &notice);
                }
                Action::Wake(at) => {
                    self.wakes.insert(at);
                }
                other => self.tasks.push(self.carry_out(other)),
            }
        }
    }

    /// One attempt at one action; its outcome is the next input.
    fn carry_out(&self, action: Action) -> BoxFuture<'static, Completion> {
        let Dependencies { client, clock, classifier, messenger, .. } = self.parts.clone();
        let target = self.target.clone();
        match action {
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
                let selector = self.selector();
                async move {
                    match client.list_pods(&target.namespace, &selector).await {
                        Ok(pods) => Input::PodsListed(pods).into(),
                        Err(error) => failed(Attempt::ListPods, error),
                    }
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
                            version: Some(Some(version)),
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
                let answer = delivery::until(messenger, &*clock, &hook.to, &event, hook.timeout).await;
                Input::Done(Outcome::HookAnswered { id: event.id, answer }).into()
            }
            .boxed(),
            Action::Notify { to, event } => async move {
                let failure = delivery::once(messenger, &*clock, &to, &event).await.err();
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
            let mut finished = failed(Attempt::WriteScale, error);
            if forbidden {
                finished.fatal = finished.warn.pop();
            }
            finished
        }
    }
}

/// Whatever Record is stored now, with its version.
fn found(stored: Result<Option<Stored>, ClusterError>, of: Attempt) -> Completion {
    match stored {
        Ok(Some(Stored { record, version })) => Completion {
            version: Some(Some(version)),
            ..Input::Done(Outcome::RecordFound(Some(Box::new(record)))).into()
        },
        Ok(None) => Completion { version: Some(None), ..Input::Done(Outcome::RecordFound(None)).into() },
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
