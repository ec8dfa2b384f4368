//! [`KedaSwitch`]: pauses KEDA while a breaker keeps its workload at a number of replicas.
//!
//! ```text
//! Tripping: find the ScaledObject ─▶ store the owner's value ─▶ pause at 0 ─▶ write the scale
//! Open, HalfOpen: paused at 0, or at the trial replicas
//! Restoring: resume ─▶ write the scale          Closed: resumed, nothing to remember
//! ```
//!
//! A trip does not wait for a KEDA that cannot be asked. What has failed is tried again until KEDA
//! is as the stored Record asks, also by the next controller.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use breaker_core::backoff::Backoff;
use breaker_core::state::State;
use breaker_core::{ClusterError, WorkloadRef};
use jiff::SignedDuration;
use tokio::sync::{Mutex, Notify};

use super::status_writer::StatusWriter;
use crate::autoscalers::{self, PauseOutcome};
use crate::client::KubeClient;
use crate::crd::KedaPause;

/// Attempts before a trip goes on without KEDA.
const MAX_ATTEMPTS: u32 = 3;

/// Time between two of these attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Time between the attempts after that.
const BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(1), SignedDuration::from_mins(1));

/// Pauses and resumes the ScaledObject of one target.
pub(crate) struct KedaSwitch {
    kube: KubeClient,
    status: Arc<StatusWriter>,
    target: WorkloadRef,
    /// KEDA may not be as the Record asks.
    unsettled: Notify,
    /// The Record that was stored last is open.
    was_open: AtomicBool,
    /// Held while KEDA is paused or resumed.
    busy: Mutex<()>,
}

impl KedaSwitch {
    pub(crate) fn new(kube: &KubeClient, status: &Arc<StatusWriter>, target: &WorkloadRef) -> Self {
        Self {
            kube: kube.clone(),
            status: Arc::clone(status),
            target: target.clone(),
            unsettled: Notify::new(),
            was_open: AtomicBool::new(false),
            busy: Mutex::default(),
        }
    }

    /// Finds the ScaledObject before the Record of a trip is stored: the owner's value is stored
    /// with that Record.
    pub(crate) async fn find(&self) {
        if let Err(error) = retried(|| self.find_once()).await {
            let why = error.with_fix();
            tracing::warn!("{why}; KEDA is not paused and may scale {} up; trying again", self.target);
        }
    }

    /// Finds the ScaledObject. What is remembered of one that is paused stays: a list can be from
    /// the past, and show as the owner's value what the breaker had set, or as set what it has
    /// resumed. The annotation is read again before it is written.
    async fn find_once(&self) -> Result<(), ClusterError> {
        let Some(found) = autoscalers::find_scaled_object(&self.kube, &self.target).await? else {
            return Ok(());
        };
        self.status.change(|model| {
            let known = model.paused.take().filter(|known| known.scaled_object == found.scaled_object);
            model.paused = Some(known.map_or(found, |known| KedaPause { set: false, ..known }));
        });
        Ok(())
    }

    /// Pauses KEDA at the replicas of a trip or a trial, and resumes it before all are restored.
    pub(crate) async fn follow(&self, replicas: u32) {
        let _busy = self.busy.lock().await;
        let state = self.status.record().unwrap_or_default().state;
        let on_trial = matches!(state, State::HalfOpen { .. });
        let done = if replicas == 0 || on_trial {
            retried(|| self.pause(replicas)).await
        } else {
            retried(|| self.resume()).await
        };
        if let Err(error) = done {
            // KEDA may scale the workload up now. The breaker would report that as contested.
            tracing::warn!("{}; trying again", error.chain());
            self.unsettled.notify_one();
        }
    }

    /// This state was stored. A breaker that has just opened looks again for a ScaledObject: one
    /// answer that there is none may have come from a proxy.
    pub(crate) fn stored(&self, state: &State) {
        let is_open = matches!(state, State::Open { .. });
        let was_open = self.was_open.swap(is_open, Ordering::Relaxed);
        if self.status.read(|model| model.paused.is_some()) || (is_open && !was_open) {
            self.unsettled.notify_one();
        }
    }

    /// Keeps KEDA as the stored Record asks. Does not return.
    pub(crate) async fn keep_settled(&self) {
        loop {
            let mut failures = 0;
            while let Err(error) = self.settle().await {
                tracing::warn!("{}; trying again", error.chain());
                tokio::time::sleep(BACKOFF.delay(failures).unsigned_abs()).await;
                failures = failures.saturating_add(1);
            }
            self.unsettled.notified().await;
        }
    }

    async fn settle(&self) -> Result<(), ClusterError> {
        let _busy = self.busy.lock().await;
        // A Record that cannot be read says nothing.
        let Ok(record) = self.status.known_record() else { return Ok(()) };
        match record.map(|stored| stored.record.state).unwrap_or_default() {
            State::Closed => {
                self.resume().await?;
                self.remember(None);
                Ok(())
            }
            // A pause at 0 would scale the target down before the hook has answered.
            State::Tripping { .. } | State::Restoring { .. } => Ok(()),
            State::Open { .. } => self.find_and_pause(0).await,
            State::HalfOpen { probe, probing: true, .. } => self.find_and_pause(probe).await,
            State::HalfOpen { .. } => Ok(()),
        }
    }

    async fn find_and_pause(&self, replicas: u32) -> Result<(), ClusterError> {
        if self.status.read(|model| model.paused.is_none()) {
            self.find_once().await?;
        }
        self.pause(replicas).await
    }

    /// Pauses KEDA, unless it is paused. The owner's value is stored before it is overwritten.
    async fn pause(&self, replicas: u32) -> Result<(), ClusterError> {
        let ours = replicas.to_string();
        loop {
            let Some(pause) = self.status.read(|model| model.paused.clone()) else { return Ok(()) };
            if pause.set && pause.ours == ours {
                return Ok(());
            }
            let wanted = pause.at(&ours);
            self.remember(Some(wanted.clone()));
            self.status.write_if_changed().await?;
            match autoscalers::pause_keda(&self.kube, &self.target.namespace, &wanted, &pause.ours).await? {
                PauseOutcome::Done => {
                    self.remember(Some(KedaPause { set: true, former: None, ..wanted }));
                    return Ok(());
                }
                PauseOutcome::ChangedByOwner(before) => self.remember(Some(KedaPause { before, ..wanted })),
            }
        }
    }

    async fn resume(&self) -> Result<(), ClusterError> {
        match self.status.read(|model| model.paused.clone()) {
            Some(pause) => autoscalers::resume_keda(&self.kube, &self.target.namespace, &pause).await,
            None => Ok(()),
        }
    }

    fn remember(&self, pause: Option<KedaPause>) {
        if self.status.read(|model| model.paused != pause) {
            self.status.change(|model| model.paused = pause);
        }
    }
}

/// The result of `attempt`, after at most [`MAX_ATTEMPTS`].
async fn retried<T, F: Future<Output = Result<T, ClusterError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, ClusterError> {
    let mut attempts = 1;
    loop {
        match attempt().await {
            Err(error) if error.is_retryable() && attempts < MAX_ATTEMPTS => attempts += 1,
            answer => return answer,
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}
