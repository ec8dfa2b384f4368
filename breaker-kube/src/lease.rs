//! Leader election by a `coordination.k8s.io` Lease: of several controllers, one acts.
//!
//! ```text
//!            absent, given up, or unchanged here for its duration
//! Following ───────────────────────────────────────────────────────▶ Leading
//!     ▲                                                                │ renews each RENEW_EVERY
//!     └── held by another, or not renewed for LeaseParams::give_up ──────────┘ gives it up when told to stop
//! ```
//!
//! Clocks of two machines are never compared: a candidate takes the Lease over when *it* has not seen it change for
//! the Lease's duration, and a leader stops by its own clock, counted from before the renewal was sent, a margin
//! earlier. Every write names the `resourceVersion` that was seen, so of two candidates one wins.
//!
//! Own code because no published crate fits: kubert, kube-lease-manager and kube-leader-election are built on older
//! kube clients, and the last compares wall clocks. Being leader is for economy: what keeps two leaders from tripping
//! twice is the precondition of every write.

use std::time::Duration;

use breaker_core::ClusterError;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::PostParams;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::request::ApiRequest;
use crate::{FIELD_MANAGER, KubeClient};

/// Which Lease, and by which terms it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseParams {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease.
    pub name: String,
    /// Who asks. Must be another for each process, also for one that is started again in the same pod.
    pub identity: String,
    /// A Lease that did not change for so long may be taken over. Whole seconds.
    pub duration: Duration,
    /// A leader that could not renew for so long stops leading; well under `duration`.
    pub give_up: Duration,
    /// A leader renews so often.
    pub renew_every: Duration,
    /// A follower looks so often.
    pub look_every: Duration,
}

impl LeaseParams {
    /// LeaseParams by which a killed leader is followed within 12 s, and one that gives up within a second.
    pub fn new(namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            identity: identity.into(),
            duration: Duration::from_secs(10),
            give_up: Duration::from_secs(7),
            renew_every: Duration::from_secs(2),
            look_every: Duration::from_secs(1),
        }
    }

    /// One attempt may take so long: what hangs on a dead connection leaves time for a second one.
    fn answer_by(&self) -> Instant {
        Instant::now() + self.give_up / 2
    }
}

/// Where this candidate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leadership {
    /// It leads.
    Leading,
    /// Another one leads; `None` while nobody is known to.
    Following(Option<String>),
    /// It does not lead and cannot ask who does; says why.
    Unknown(String),
}

impl Leadership {
    /// Whether it leads.
    pub fn leads(&self) -> bool {
        *self == Self::Leading
    }
}

/// One candidate for a Lease.
pub struct Election {
    leases: Leases,
    terms: LeaseParams,
    seen: Option<ObservedLease>,
}

/// The Lease as last read or written, and since when it has been so, by this process' own clock.
#[derive(Debug, Clone)]
struct ObservedLease {
    lease: Lease,
    unchanged_since: Instant,
}

impl ObservedLease {
    fn holder(&self) -> Option<&str> {
        self.lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// When it may be taken from whoever holds it.
    fn free_at(&self, terms: &LeaseParams) -> Instant {
        let seconds = self.lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let written = seconds.and_then(|n| u64::try_from(n).ok()).map(Duration::from_secs);
        match self.holder() {
            Some(_) => self.unchanged_since + written.unwrap_or(terms.duration),
            None => self.unchanged_since,
        }
    }
}

/// What a candidate does next.
#[derive(Debug, PartialEq, Eq)]
enum Move {
    Create,
    Take,
    Follow,
}

fn next_move(seen: Option<&ObservedLease>, terms: &LeaseParams, now: Instant) -> Move {
    match seen {
        None => Move::Create,
        // Its own: an answer to its write was lost, or it stopped leading for want of answers.
        Some(seen) if seen.holder() == Some(&*terms.identity) => Move::Take,
        Some(seen) if seen.free_at(terms) <= now => Move::Take,
        Some(_) => Move::Follow,
    }
}

impl Election {
    /// A candidate that asks for nothing before [`Election::run`].
    pub fn new(client: &KubeClient, terms: LeaseParams) -> Self {
        Self { leases: Leases::new(client, &terms), terms, seen: None }
    }

    /// Stands for election until `stop` resolves, and gives the Lease up then, so that another leads at once.
    /// What acts as leader must have ended by then, and must end when `tell` says that it no longer leads.
    pub async fn run(mut self, tell: &watch::Sender<Leadership>, stop: impl Future<Output = ()>) {
        tokio::select! {
            () = stop => {}
            () = self.stand(tell) => {}
        }
        say(tell, Leadership::Following(None));
        if let Err(error) = self.give_up().await {
            tracing::warn!("{}; the next leader waits until the Lease runs out", error.chain());
        }
    }

    /// Never returns.
    async fn stand(&mut self, tell: &watch::Sender<Leadership>) {
        let mut leads_until = None;
        loop {
            leads_until = match leads_until {
                None => self.follow(tell).await,
                Some(end) => self.lead(tell, end).await,
            };
            let next = match leads_until {
                Some(end) => end.min(Instant::now() + self.terms.renew_every),
                None => {
                    let look = Instant::now() + self.terms.look_every;
                    let free = self.seen.as_ref().map_or(look, |seen| seen.free_at(&self.terms));
                    // When it is free already, somebody else was quicker, or the API server does not answer.
                    if free > Instant::now() { free.min(look) } else { look }
                }
            };
            sleep_until(next).await;
        }
    }

    /// One look of a follower; answers until when it leads now.
    async fn follow(&mut self, tell: &watch::Sender<Leadership>) -> Option<Instant> {
        match self.try_to_lead().await {
            Ok(Some(end)) => {
                say(tell, Leadership::Leading);
                Some(end)
            }
            Ok(None) => {
                let holder = self.seen.as_ref().and_then(ObservedLease::holder);
                say(tell, Leadership::Following(holder.map(str::to_owned)));
                None
            }
            Err(error) => {
                let rule = error.missing_rule().map(|rule| format!("; missing rule: {rule}"));
                say(tell, Leadership::Unknown(error.chain() + &rule.unwrap_or_default()));
                None
            }
        }
    }

    async fn try_to_lead(&mut self) -> Result<Option<Instant>, ClusterError> {
        let found = self.leases.read(self.terms.answer_by()).await?;
        self.saw(found);
        match next_move(self.seen.as_ref(), &self.terms, Instant::now()) {
            Move::Follow => Ok(None),
            Move::Create | Move::Take => match self.claim(self.terms.answer_by()).await {
                Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => Ok(None),
                answer => answer.map(Some),
            },
        }
    }

    /// One renewal of the leader, who leads until `end`; answers until when it leads now.
    async fn lead(&mut self, tell: &watch::Sender<Leadership>, end: Instant) -> Option<Instant> {
        let why = match self.claim(self.terms.answer_by().min(end)).await {
            Ok(end) => return Some(end),
            // Changed or removed by somebody: look who leads, at once.
            Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => return self.follow(tell).await,
            Err(error) => error,
        };
        if Instant::now() < end {
            tracing::warn!("{}; leading for {:.0?} more", why.chain(), end - Instant::now());
            return Some(end);
        }
        say(tell, Leadership::Unknown(why.chain()));
        None
    }

    /// Writes the Lease as this candidate's; answers until when it leads by that.
    async fn claim(&mut self, limit: Instant) -> Result<Instant, ClusterError> {
        let sent_at = Instant::now();
        let now = self.leases.now();
        let lease = claimed(self.seen.as_ref().map(|seen| &seen.lease), &self.terms, now);
        let lease = self.leases.write(lease, limit).await?;
        self.seen = Some(ObservedLease { lease, unchanged_since: Instant::now() });
        Ok(sent_at + self.terms.give_up)
    }

    fn saw(&mut self, found: Option<Lease>) {
        self.seen = found.map(|lease| {
            let unchanged = self.seen.take().filter(|seen| seen.lease.spec == lease.spec);
            let unchanged_since = unchanged.map_or_else(Instant::now, |seen| seen.unchanged_since);
            ObservedLease { lease, unchanged_since }
        });
    }

    /// So that the next one need not wait. Reads first: the answer to the last renewal may not have been waited for.
    async fn give_up(&self) -> Result<(), ClusterError> {
        let Some(mut lease) = self.leases.read(self.terms.answer_by()).await? else { return Ok(()) };
        match &mut lease.spec {
            Some(spec) if spec.holder_identity.as_deref() == Some(&self.terms.identity) => {
                spec.holder_identity = None;
                spec.renew_time = Some(MicroTime(self.leases.now()));
            }
            _ => return Ok(()),
        }
        match self.leases.write(lease, self.terms.answer_by()).await {
            // Somebody else's by now.
            Ok(_) | Err(ClusterError::Conflict(_) | ClusterError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn say(tell: &watch::Sender<Leadership>, standing: Leadership) {
    tell.send_if_modified(|told| {
        let changed = *told != standing;
        *told = standing;
        changed
    });
}

/// The Lease as this candidate holds it at `now`, over what is there.
fn claimed(before: Option<&Lease>, terms: &LeaseParams, now: Timestamp) -> Lease {
    let mut lease = before.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta {
            name: Some(terms.name.clone()),
            namespace: Some(terms.namespace.clone()),
            ..ObjectMeta::default()
        },
        spec: None,
    });
    let old = lease.spec.take().unwrap_or_default();
    let ours = old.holder_identity.as_deref() == Some(&terms.identity);
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(terms.identity.clone()),
        lease_duration_seconds: Some(i32::try_from(terms.duration.as_secs()).unwrap_or(i32::MAX)),
        acquire_time: if ours { old.acquire_time } else { Some(MicroTime(now)) },
        renew_time: Some(MicroTime(now)),
        lease_transitions: match before {
            None => Some(0),
            Some(_) if ours => old.lease_transitions,
            Some(_) => Some(old.lease_transitions.unwrap_or_default().saturating_add(1)),
        },
        ..LeaseSpec::default()
    });
    lease
}

/// The one Lease on the API server.
struct Leases {
    api: Api<Lease>,
    client: KubeClient,
    namespace: String,
    name: String,
}

impl Leases {
    fn new(client: &KubeClient, terms: &LeaseParams) -> Self {
        Self {
            api: Api::namespaced(client.client.clone(), &terms.namespace),
            client: client.clone(),
            namespace: terms.namespace.clone(),
            name: terms.name.clone(),
        }
    }

    fn now(&self) -> Timestamp {
        self.client.clock.now()
    }

    async fn read(&self, limit: Instant) -> Result<Option<Lease>, ClusterError> {
        let step = self.step("reading", "get");
        match within(&step, limit, self.api.get(&self.name)).await {
            Ok(lease) => Ok(Some(lease)),
            Err(ClusterError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Over the version that the Lease names, or as the first one.
    async fn write(&self, lease: Lease, limit: Instant) -> Result<Lease, ClusterError> {
        let params = PostParams { field_manager: Some(FIELD_MANAGER.into()), ..PostParams::default() };
        if lease.metadata.resource_version.is_none() {
            let step = self.step("creating", "create");
            return within(&step, limit, self.api.create(&params, &lease)).await;
        }
        let step = self.step("renewing", "update");
        within(&step, limit, self.api.replace(&self.name, &params, &lease)).await
    }

    fn step(&self, doing: &str, verb: &'static str) -> ApiRequest {
        ApiRequest {
            doing: format!("{doing} the Lease {}/{}", self.namespace, self.name),
            verb,
            resource: "leases.coordination.k8s.io".into(),
            namespace: self.namespace.clone(),
            object: format!("Lease {}/{}", self.namespace, self.name),
        }
    }
}

/// An attempt that must not outlast `limit`.
async fn within<T>(
    step: &ApiRequest,
    limit: Instant,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    timeout_at(limit, step.attempt(call)).await.unwrap_or_else(|_| {
        Err(ClusterError::Unreachable { step: step.doing.clone(), source: "no answer in time".into() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> LeaseParams {
        LeaseParams::new("brb", "controller", "a")
    }

    fn held_by(holder: &str, unchanged_since: Instant) -> ObservedLease {
        let lease = claimed(None, &LeaseParams { identity: holder.into(), ..terms() }, Timestamp::UNIX_EPOCH);
        ObservedLease { lease, unchanged_since }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_absent_free_its_own_or_unchanged_for_its_duration() {
        let start = Instant::now();
        let mut short = held_by("b", start);
        short.lease.spec.as_mut().unwrap().lease_duration_seconds = Some(3);
        for (case, seen, after, want) in [
            ("absent", None, 0, Move::Create),
            ("given up", Some(held_by("", start)), 0, Move::Take),
            ("its own", Some(held_by("a", start)), 0, Move::Take),
            ("another's, just seen", Some(held_by("b", start)), 0, Move::Follow),
            ("another's, nearly run out", Some(held_by("b", start)), 9_999, Move::Follow),
            ("another's, run out", Some(held_by("b", start)), 10_000, Move::Take),
            ("another's, whose terms are its own", Some(short), 3_000, Move::Take),
        ] {
            let now = start + Duration::from_millis(after);
            assert_eq!(next_move(seen.as_ref(), &terms(), now), want, "{case}");
        }
    }

    #[test]
    fn a_leader_stops_before_another_may_begin() {
        let LeaseParams { duration, give_up, renew_every, look_every, .. } = terms();
        assert!(give_up + Duration::from_secs(2) < duration, "a margin to stop in");
        assert!(renew_every * 3 < give_up, "three renewals may fail");
        assert!(duration + look_every < Duration::from_secs(15), "the hand-over that is promised");
    }

    #[test]
    fn transitions_count_changes_of_the_holder_alone() {
        let now = Timestamp::UNIX_EPOCH;
        let first = claimed(None, &terms(), now);
        let renewed = claimed(Some(&first), &terms(), now + Duration::from_secs(2));
        let other = claimed(Some(&renewed), &LeaseParams { identity: "b".into(), ..terms() }, now);
        let transitions = [&first, &renewed, &other].map(|l| l.spec.clone().unwrap().lease_transitions);
        assert_eq!(transitions, [Some(0), Some(0), Some(1)]);
        let acquired = |lease: &Lease| lease.spec.clone().unwrap().acquire_time;
        assert_eq!(acquired(&renewed), acquired(&first));
    }
}
