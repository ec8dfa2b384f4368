//! [`Election`]: one candidate for a Lease, from following to leading and back.

use breaker_core::ClusterError;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::api::LeaseApi;
use super::observed::{NextStep, ObservedLease, claimed, next_step};
use super::params::LeaseParams;
use crate::client::KubeClient;

/// Whether a candidate leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// This candidate leads.
    Leading,
    /// It does not lead. The holder of the Lease; `None` while no holder is known.
    Following(Option<String>),
    /// It does not lead and cannot read who does. Why.
    Unknown(String),
}

impl Leadership {
    /// Whether this candidate leads.
    pub fn leads(&self) -> bool {
        *self == Self::Leading
    }
}

/// One candidate for a Lease.
///
/// ```no_run
/// use breaker_kube::KubeClient;
/// use breaker_kube::lease::{Election, LeaseParams, Leadership};
/// use tokio::sync::{oneshot, watch};
///
/// # async fn example(client: KubeClient) {
/// let params = LeaseParams::new("sre", "controller", "pod-1_4711");
/// let (sender, mut leadership) = watch::channel(Leadership::Following(None));
/// let (stop, stopped) = oneshot::channel::<()>();
/// let election = Election::new(&client, params).run(&sender, async {
///     let _ = stopped.await;
/// });
/// let work = async {
///     if leadership.wait_for(Leadership::leads).await.is_ok() {
///         println!("this process acts now");
///     }
///     // Ends the election and releases the Lease.
///     drop(stop);
/// };
/// tokio::join!(election, work);
/// # }
/// ```
pub struct Election {
    leases: LeaseApi,
    params: LeaseParams,
    observed: Option<ObservedLease>,
}

impl Election {
    /// A candidate that sends no request before [`Election::run`].
    pub fn new(client: &KubeClient, params: LeaseParams) -> Self {
        Self { leases: LeaseApi::new(client, &params), params, observed: None }
    }

    /// Runs the election until `stop` resolves, then releases the Lease, so that another candidate
    /// leads at once. Each change of the leadership is sent to `leadership`.
    ///
    /// Work that needs the leadership must have ended when `stop` resolves, and must end when
    /// `leadership` is no longer [`Leadership::Leading`].
    pub async fn run(mut self, leadership: &watch::Sender<Leadership>, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.campaign(leadership) => {}
        }
        send(leadership, Leadership::Following(None));
        if let Err(error) = self.release().await {
            tracing::warn!("{}; the next leader waits until the Lease expires", error.chain());
        }
    }

    /// Follows and leads in turns; never returns.
    async fn campaign(&mut self, leadership: &watch::Sender<Leadership>) {
        let mut leads_until = None;
        loop {
            leads_until = match leads_until {
                None => self.follow(leadership).await,
                Some(end) => self.lead(leadership, end).await,
            };
            let next = match leads_until {
                Some(end) => end.min(Instant::now() + self.params.retry_period),
                None => {
                    let poll = Instant::now() + self.params.poll_interval;
                    let free = self.observed.as_ref().map_or(poll, |lease| lease.free_at(&self.params));
                    // A Lease that is free already was taken by somebody else, or the API server
                    // does not answer.
                    if free > Instant::now() { free.min(poll) } else { poll }
                }
            };
            sleep_until(next).await;
        }
    }

    /// One step of a follower. Returns until when it leads, if it leads now.
    async fn follow(&mut self, leadership: &watch::Sender<Leadership>) -> Option<Instant> {
        match self.try_to_lead().await {
            Ok(Some(end)) => {
                send(leadership, Leadership::Leading);
                Some(end)
            }
            Ok(None) => {
                let holder = self.observed.as_ref().and_then(ObservedLease::holder);
                send(leadership, Leadership::Following(holder.map(str::to_owned)));
                None
            }
            Err(error) => {
                send(leadership, Leadership::Unknown(error.with_fix()));
                None
            }
        }
    }

    async fn try_to_lead(&mut self) -> Result<Option<Instant>, ClusterError> {
        let found = self.leases.read(self.params.request_deadline()).await?;
        self.observe(found);
        match next_step(self.observed.as_ref(), &self.params, Instant::now()) {
            NextStep::Follow => Ok(None),
            NextStep::Create | NextStep::Take => match self.claim(self.params.request_deadline()).await {
                Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => Ok(None),
                answer => answer.map(Some),
            },
        }
    }

    /// One renewal of a leader that leads until `end`. Returns until when it leads now.
    async fn lead(&mut self, leadership: &watch::Sender<Leadership>, end: Instant) -> Option<Instant> {
        let error = match self.claim(self.params.request_deadline().min(end)).await {
            Ok(end) => return Some(end),
            // Somebody changed or deleted the Lease: read at once who leads.
            Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => {
                return self.follow(leadership).await;
            }
            Err(error) => error,
        };
        if Instant::now() < end {
            tracing::warn!("{}; leading for another {:.0?}", error.chain(), end - Instant::now());
            return Some(end);
        }
        send(leadership, Leadership::Unknown(error.chain()));
        None
    }

    /// Writes the Lease with this candidate as its holder. Returns until when it leads.
    async fn claim(&mut self, deadline: Instant) -> Result<Instant, ClusterError> {
        let sent_at = Instant::now();
        let before = self.observed.as_ref().map(|observed| &observed.lease);
        let lease = claimed(before, &self.params, self.leases.now());
        let lease = self.leases.write(lease, deadline).await?;
        self.observed = Some(ObservedLease { lease, unchanged_since: Instant::now() });
        Ok(sent_at + self.params.renew_deadline)
    }

    fn observe(&mut self, found: Option<Lease>) {
        self.observed = found.map(|lease| {
            let unchanged = self.observed.take().filter(|observed| observed.lease.spec == lease.spec);
            let unchanged_since = unchanged.map_or_else(Instant::now, |observed| observed.unchanged_since);
            ObservedLease { lease, unchanged_since }
        });
    }

    /// Releases the Lease, so that the next leader need not wait until it expires. Reads it first:
    /// the last renewal may have been accepted without an answer.
    async fn release(&self) -> Result<(), ClusterError> {
        let Some(mut lease) = self.leases.read(self.params.request_deadline()).await? else { return Ok(()) };
        match &mut lease.spec {
            Some(spec) if spec.holder_identity.as_deref() == Some(&self.params.identity) => {
                spec.holder_identity = None;
                spec.renew_time = Some(MicroTime(self.leases.now()));
            }
            _ => return Ok(()),
        }
        match self.leases.write(lease, self.params.request_deadline()).await {
            // Another candidate holds it by now.
            Ok(_) | Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn send(leadership: &watch::Sender<Leadership>, new: Leadership) {
    leadership.send_if_modified(|current| {
        let changed = *current != new;
        *current = new;
        changed
    });
}
