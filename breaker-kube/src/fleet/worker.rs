//! The worker of one breaker: start, run, report why it stopped, and try again.
//!
//! A thousand workers wait at the same time, nearly all of them for events. Futures that are rarely
//! used are boxed, so that a waiting worker does not hold memory for them.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::backoff::Backoff;
use breaker_core::policy::Mode;
use breaker_core::state::{Override, State};
use breaker_core::supervisor::{
    Dependencies, Observer, RecordStorage, RunUntil, StopReason, SupervisorOptions,
};
use breaker_core::{Breaker, BreakerEvent, ClusterError, Record, Snapshot, Supervisor, WorkloadRef};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::client::FleetClient;
use super::desired::{Desired, commands};
use super::events::SharedFault;
use super::keda::KedaSwitch;
use super::press_end::end_presses;
use super::restarts::Restarts;
use super::shared::Shared;
use super::startup_barrier::StartupTicket;
use super::status::ConditionState;
use super::status_writer::StatusWriter;
use crate::crd::condition::reason;

/// Delays before a status is written again.
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(5), SignedDuration::from_secs(300));

/// Shortest time before a breaker whose target does not exist looks again when a pod of it is seen.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// How long changes of a status are collected before it is written.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Runs the breaker until the future is dropped, or nothing is desired of it any more.
pub(super) async fn run_forever(
    shared: Arc<Shared>,
    status: Arc<StatusWriter>,
    target: WorkloadRef,
    mut desired: watch::Receiver<Desired>,
    mut ticket: Option<StartupTicket>,
) {
    let mut restarts = Restarts::default();
    loop {
        let epoch = status.followed_epoch().await;
        let worker = Worker { shared: &shared, status: &status, target: &target, epoch };
        let started = Instant::now();
        let (stopped, fault) = tokio::select! {
            // The watch is late: what the breaker does and what it is asked for do not belong
            // together. It starts again once the fleet follows what was read.
            () = status.outdated(epoch) => continue,
            stopped = worker.run(&desired, ticket.take()) => stopped,
        };
        let pause = restarts.pause_after(started.elapsed(), stopped.reason == reason::UNREACHABLE);
        tracing::info!("{}: {}", status.name, stopped.message);
        if status.read(|model| model.ready != stopped) {
            shared.recorder.record_fault(&status, stopped.reason, &stopped.message, fault);
        }
        let is_missing = stopped.reason == reason::TARGET_NOT_FOUND;
        status.change(|model| {
            if [reason::TARGET_NOT_FOUND, reason::NO_SCALE, reason::NO_SELECTOR].contains(&stopped.reason) {
                model.target_found = Some(stopped.clone());
            }
            model.ready = stopped;
        });
        let target_exists = async {
            if !is_missing {
                return std::future::pending().await;
            }
            tokio::time::sleep(MIN_PAUSE).await;
            shared.pods.wait_for_pod(&target.namespace, &format!("{}-", target.name)).await;
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = target_exists => {}
            changed = desired.changed() => if changed.is_err() { return },
            () = write_status_on_change(&shared, &status) => {}
        }
    }
}

struct Worker<'a> {
    shared: &'a Arc<Shared>,
    status: &'a Arc<StatusWriter>,
    target: &'a WorkloadRef,
    /// What [`StatusWriter::followed_epoch`] returned.
    epoch: u64,
}

impl Worker<'_> {
    /// Runs the breaker once. Returns why it stopped, and whether other breakers may have that too.
    async fn run(
        &self,
        desired: &watch::Receiver<Desired>,
        ticket: Option<StartupTicket>,
    ) -> (ConditionState, Option<SharedFault>) {
        let Self { shared, status, target, .. } = self;
        let started_with = desired.borrow().clone();
        let keda = Arc::new(KedaSwitch::new(&shared.kube, status, target));
        let mut supervisor = match self.start(&started_with, &keda, ticket).await {
            Ok(supervisor) => supervisor,
            Err(error) => return (not_ready(&error), shared_fault(&error)),
        };
        shared.recorder.reachable();
        let now = shared.kube.clock.now();
        if let Some(record) = self.replacement_record(supervisor.breaker(), now)
            && let Err(error) = Box::pin(status.replace(&record)).await
        {
            return (not_ready(&error), shared_fault(&error));
        }
        for restart in supervisor.breaker().counted_restarts(now) {
            shared.guard.restarted(&status.name, restart);
        }
        status.change(|model| {
            model.target_found = Some(ConditionState::new(true, reason::FOUND, target.to_string()));
            model.ready = ready(&started_with, target);
        });
        let commands = commands(desired.clone(), started_with.policy);
        let (mut desired, presses) = (desired.clone(), desired.clone());
        let follow_desired = async {
            while desired.changed().await.is_ok() {
                let present = desired.borrow_and_update().clone();
                status.change(|model| model.ready = ready(&present, target));
            }
        };
        let mut observer = WorkerObserver { shared, status, target };
        let stopped = |why: &str| (ConditionState::new(false, reason::STOPPED, why), None);
        let end = tokio::select! {
            end = supervisor.run(commands, RunUntil::Forever, &mut observer) => end,
            () = write_status_on_change(shared, status) => return stopped("its status is no longer written"),
            () = Box::pin(keda.keep_settled()) => return stopped("KEDA is no longer paused or resumed"),
            () = Box::pin(end_presses(shared, status, presses)) => return stopped("its override is not followed"),
            () = follow_desired => return stopped("its CircuitBreaker is gone"),
        };
        match end {
            Ok(StopReason::Lost) => (target_not_found(&target.to_string()), None),
            Ok(_) => stopped("its supervisor ended"),
            Err(error) => (not_ready(&error), shared_fault(&error)),
        }
    }

    async fn start(
        &self,
        desired: &Desired,
        keda: &Arc<KedaSwitch>,
        ticket: Option<StartupTicket>,
    ) -> Result<Supervisor, ClusterError> {
        let Self { shared, status, target, epoch } = self;
        let dependencies = Dependencies {
            client: Arc::new(FleetClient::new(shared, status, keda, ticket, *epoch)),
            clock: Arc::clone(&shared.kube.clock),
            classifier: Arc::clone(&shared.options.classifier),
            webhooks: shared.options.webhooks.clone(),
        };
        let options = SupervisorOptions {
            heartbeat: Some(shared.options.status_interval),
            restore_hint: Some(format!(
                "To restore the replicas: watcher reset -n {} {}",
                status.name.namespace, status.name.name
            )),
            report_watch: false,
            record: RecordStorage::Required,
            ..SupervisorOptions::default()
        };
        let _permit = shared.limits.status().await;
        if acts_at_once(status, desired) {
            // The list that they came from may be from the past.
            Box::pin(status.load()).await?;
        }
        let start = Supervisor::start(dependencies, desired.policy.clone(), (*target).clone(), options);
        Box::pin(start).await
    }

    /// The Record to store when the stored one is about another object: a namesake of the target,
    /// or the target before `targetRef` was changed. The status must not show that one.
    fn replacement_record(&self, breaker: &Breaker, now: Timestamp) -> Option<Record> {
        let uid = breaker.scale().map(|scale| scale.uid.as_str());
        let record = self.status.record()?;
        if Some(record.target_uid.as_str()) == uid {
            return None;
        }
        self.status.change(|model| model.observe(&breaker.snapshot(now), now));
        Some(breaker.record(now))
    }
}

/// Hands the events and snapshots of one breaker to the fleet.
struct WorkerObserver<'a> {
    shared: &'a Arc<Shared>,
    status: &'a Arc<StatusWriter>,
    target: &'a WorkloadRef,
}

impl Observer for WorkerObserver<'_> {
    fn event(&mut self, at: Timestamp, event: &BreakerEvent) {
        self.shared.event(self.status, self.target, at, event);
    }

    fn snapshot(&mut self, _: Timestamp, snapshot: &Snapshot) {
        self.shared.snapshot(self.status, snapshot);
    }
}

/// Writes the status each time it changes; never returns.
pub(super) async fn write_status_on_change(shared: &Shared, status: &StatusWriter) {
    let mut reported = false;
    loop {
        status.changed().await;
        tokio::time::sleep(DEBOUNCE).await;
        let mut failures = 0;
        while let Err(error) = write_status(shared, status).await {
            if let Some(fault @ SharedFault::OldDefinition) = shared_fault(&error) {
                // No condition can say so: it is part of the status.
                if !std::mem::replace(&mut reported, true) {
                    shared.recorder.record_fault(status, reason::REFUSED, &error.with_fix(), Some(fault));
                }
            } else if !error.is_retryable() {
                // The object was deleted, or a right is missing. The breaker reports that itself.
                tracing::debug!("{}", error.chain());
                break;
            }
            // Another controller wrote the status. The breaker notices that at its own next write.
            if matches!(error, ClusterError::Conflict(_)) {
                break;
            }
            tokio::time::sleep(BACKOFF.delay(failures).unsigned_abs()).await;
            failures = failures.saturating_add(1);
        }
    }
}

/// Writes the status within the fleet's limits: a fleet that starts has one to write for each
/// breaker.
async fn write_status(shared: &Shared, status: &StatusWriter) -> Result<(), ClusterError> {
    let _permit = shared.limits.status().await;
    // Boxed after the wait: many workers may wait here, and few write.
    Box::pin(status.write_if_changed()).await?;
    shared.recorder.status_stored();
    Ok(())
}

/// Whether a breaker with the known Record acts before anything happens to its pods.
fn acts_at_once(status: &StatusWriter, desired: &Desired) -> bool {
    let Record { state, handled, .. } = status.record().unwrap_or_default();
    state != State::Closed
        || desired.override_ != handled.override_.unwrap_or_default()
        || (desired.reset.is_some() && desired.reset != handled.reset)
}

fn ready(desired: &Desired, target: &WorkloadRef) -> ConditionState {
    let reason = match (desired.override_, desired.policy.mode) {
        (Override::Disabled, _) => reason::DISABLED,
        (_, Mode::Observe) => reason::OBSERVING,
        _ => reason::WATCHING,
    };
    ConditionState::new(true, reason, format!("{} {target}", reason.to_lowercase()))
}

fn shared_fault(error: &ClusterError) -> Option<SharedFault> {
    match error {
        ClusterError::Unreachable { .. } | ClusterError::Unclear { .. } => Some(SharedFault::Unreachable),
        ClusterError::OldDefinition { .. } => Some(SharedFault::OldDefinition),
        error => error.missing_rule().map(SharedFault::MissingRule),
    }
}

fn target_not_found(target: &str) -> ConditionState {
    let message = format!("{target} does not exist; create it, or create a breaker of another target");
    ConditionState::new(false, reason::TARGET_NOT_FOUND, message)
}

fn not_ready(error: &ClusterError) -> ConditionState {
    let reason = match error {
        ClusterError::NotFound(target) => return target_not_found(target),
        ClusterError::Forbidden { .. } => reason::FORBIDDEN,
        ClusterError::NoSelector(_) => reason::NO_SELECTOR,
        ClusterError::NoScale(_) => reason::NO_SCALE,
        ClusterError::BadRecord { .. } => reason::BAD_RECORD,
        ClusterError::Conflict(_) | ClusterError::Unreachable { .. } | ClusterError::Unclear { .. } => {
            reason::UNREACHABLE
        }
        _ => reason::REFUSED,
    };
    ConditionState::new(false, reason, error.with_fix())
}
