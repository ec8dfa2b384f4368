//! The life of one breaker in a fleet: start, run, say why not, try again.
//!
//! A thousand lives wait at the same time, nearly all of them for news. What each does but rarely is boxed, so that
//! none holds room for it meanwhile.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::policy::Mode;
use breaker_core::state::Override;
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
use breaker_core::{Breaker, BreakerEvent, ClusterError, Record, Supervisor, WorkloadRef};
use jiff::Timestamp;
use tokio::sync::watch;

use super::Shared;
use super::client::{FleetClient, Token, resume_keda};
use super::desired::{Desired, commands};
use super::status::ConditionState;
use super::status_writer::StatusWriter;

/// First pause before a target that is missing, or refuses, is looked at again; it doubles.
const MIN_BACKOFF: Duration = Duration::from_secs(5);

/// The longest pause.
const MAX_BACKOFF: Duration = Duration::from_secs(300);

/// What changes within this time is written to the status at once.
const DEBOUNCE: Duration = Duration::from_millis(100);

/// Lives until it is dropped.
pub(crate) async fn run_forever(
    shared: Arc<Shared>,
    page: Arc<StatusWriter>,
    target: WorkloadRef,
    mut orders: watch::Receiver<Desired>,
    mut token: Option<Token>,
) {
    let mut pause = MIN_BACKOFF;
    loop {
        let why = run(&shared, &page, &target, &orders, token.take(), &mut pause).await;
        tracing::info!("{}: {}", page.name, why.message);
        if page.read(|sheet| sheet.ready != why) {
            shared.remark(Some(&page), true, why.reason, &why.message);
        }
        page.change(|sheet| {
            if matches!(why.reason, "TargetNotFound" | "NoScale" | "NoSelector") {
                sheet.target_found = Some(why.clone());
            }
            sheet.ready = why;
        });
        let prefix = format!("{}-", target.name);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.hub.wait_for_pod(&target.namespace, &prefix) => {}
            changed = orders.changed() => if changed.is_err() { return },
            () = write_status_on_change(&shared, &page) => {}
        }
        pause = (pause * 2).min(MAX_BACKOFF);
    }
}

/// Runs the breaker; answers why it does not any more.
async fn run(
    shared: &Arc<Shared>,
    page: &Arc<StatusWriter>,
    target: &WorkloadRef,
    orders: &watch::Receiver<Desired>,
    token: Option<Token>,
    pause: &mut Duration,
) -> ConditionState {
    let wanted = orders.borrow().clone();
    let door = FleetClient::new(
        shared.kube.clone(),
        shared.hub.clone(),
        Arc::clone(page),
        Arc::clone(&shared.keda),
        Arc::clone(&shared.lanes),
        shared.looked.subscribe(),
        token,
    );
    let parts = Dependencies {
        client: Arc::new(door),
        clock: Arc::clone(&shared.kube.clock),
        classifier: Arc::clone(&shared.options.classifier),
        webhooks: shared.options.messenger.clone(),
    };
    let options = SupervisorOptions {
        heartbeat: Some(shared.options.heartbeat),
        restore_hint: Some(format!(
            "To give back: watcher reset -n {} {}",
            page.name.namespace, page.name.name
        )),
        ..SupervisorOptions::default()
    };
    let mut supervisor = {
        let _few_at_once = shared.few.acquire().await;
        let start = Supervisor::start(parts, wanted.policy.clone(), target.clone(), options);
        match Box::pin(start).await {
            Ok(supervisor) => supervisor,
            Err(error) => return refusal(&error),
        }
    };
    let now = shared.kube.clock.now();
    if let Some(record) = instead_of_a_namesakes(page, supervisor.breaker(), now)
        && let Err(error) = Box::pin(page.replace(&record)).await
    {
        return refusal(&error);
    }
    *pause = MIN_BACKOFF;
    if let Some(newest) = supervisor.breaker().newest_counted(shared.kube.clock.now()) {
        shared.desk.seen(&page.name, newest);
    }
    page.change(|sheet| {
        sheet.target_found = Some(ConditionState::new(true, "Found", target.to_string()));
        sheet.ready = readiness(&wanted, target);
    });
    Box::pin(resume_keda(&shared.kube, page)).await;
    let mut tell = |at: Timestamp, notice: &BreakerEvent| shared.told(page, target, at, notice);
    let commands = commands(orders.clone(), Arc::clone(page), wanted.policy);
    let mut orders = orders.clone();
    let follow = async {
        while orders.changed().await.is_ok() {
            let wanted = orders.borrow_and_update().clone();
            page.change(|sheet| sheet.ready = readiness(&wanted, target));
        }
    };
    let end = tokio::select! {
        end = supervisor.run(commands, RunUntil::Forever, &mut tell) => end,
        () = write_status_on_change(shared, page) => return ConditionState::new(false, "Stopped", "its status is not written any more"),
        () = follow => return ConditionState::new(false, "Stopped", "it is not wanted any more"),
    };
    match end {
        Ok(StopReason::Lost) => not_found(&target.to_string()),
        Ok(_) => ConditionState::new(false, "Stopped", "it ended by itself"),
        Err(error) => refusal(&error),
    }
}

/// A Record of another object, be it one of the same name or the target before `targetRef` was changed, says nothing
/// about this one, and the status must not go on saying it.
fn instead_of_a_namesakes(page: &StatusWriter, breaker: &Breaker, now: Timestamp) -> Option<Record> {
    let uid = breaker.scale().map(|scale| scale.uid.as_str());
    let record = page.record().filter(|record| Some(record.target_uid.as_str()) != uid);
    record.map(|_| {
        page.change(|sheet| {
            let snapshot = breaker.snapshot(now);
            (sheet.count, sheet.by_cause) = (snapshot.counts, snapshot.by_cause);
        });
        breaker.record(now)
    })
}

/// Writes the status whenever it has something new to say; never returns.
pub(crate) async fn write_status_on_change(shared: &Shared, page: &StatusWriter) {
    let mut pause = MIN_BACKOFF;
    loop {
        page.changed().await;
        tokio::time::sleep(DEBOUNCE).await;
        while let Err(error) = write_in_turn(shared, page).await {
            if !error.is_retryable() {
                // Deleted, or not allowed: the breaker itself meets it too, and says so.
                tracing::debug!("{}", error.chain());
                break;
            }
            // Another controller wrote it: the breaker finds that out by its own next write.
            if matches!(error, ClusterError::Conflict(_)) {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_BACKOFF);
        }
        pause = MIN_BACKOFF;
    }
}

/// A fleet that starts has a status to write for each breaker, and each request at the same time wants a connection
/// of its own. Records do not wait here.
async fn write_in_turn(shared: &Shared, page: &StatusWriter) -> Result<(), ClusterError> {
    let _few_at_once = shared.few.acquire().await;
    // Boxed only now: all may wait here at the same time, and few write.
    Box::pin(page.write_if_new()).await
}

fn readiness(orders: &Desired, target: &WorkloadRef) -> ConditionState {
    let reason = match (orders.override_, orders.policy.mode) {
        (Override::Disabled, _) => "Disabled",
        (_, Mode::Observe) => "Observing",
        _ => "Watching",
    };
    ConditionState::new(true, reason, format!("{} {target}", reason.to_lowercase()))
}

fn not_found(target: &str) -> ConditionState {
    ConditionState::new(
        false,
        "TargetNotFound",
        format!("{target} does not exist; create it, or correct spec.targetRef"),
    )
}

fn refusal(error: &ClusterError) -> ConditionState {
    let reason = match error {
        ClusterError::NotFound(target) => return not_found(target),
        ClusterError::Forbidden { .. } => "Forbidden",
        ClusterError::NoSelector(_) => "NoSelector",
        ClusterError::NoScale(_) => "NoScale",
        ClusterError::BadRecord { .. } => "BadRecord",
        ClusterError::Conflict(_) | ClusterError::Unreachable { .. } => "Unreachable",
        ClusterError::Refused { .. } => "Refused",
    };
    let rule = error.missing_rule().map(|rule| format!("; missing rule: {rule}")).unwrap_or_default();
    ConditionState::new(false, reason, format!("{}{rule}", error.chain()))
}
