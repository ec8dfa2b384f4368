//! A breaker whose actions succeed at once, and histories of pods for it to observe.

use std::collections::BTreeMap;

use breaker_core::action::{Action, Input, Outcome};
use breaker_core::cluster::Scale;
use breaker_core::ledger::EvidenceRequest;
use breaker_core::pod::{ContainerKind, ContainerReport, ContainerState, Owner, PodReport, Terminated};
use breaker_core::verdict::NetworkKind;
use breaker_core::{Breaker, Cause, Policy, Record, Verdict, WorkloadRef};
use jiff::{SignedDuration, Timestamp};

pub(crate) fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn scale(replicas: u32) -> Scale {
    Scale { uid: "target".into(), resource_version: "1".into(), replicas, selector: "app=app".into() }
}

/// Carries out every action at once, the last one first, so that answers overtake each other:
/// verdicts by termination message (`bug`, `network`, `network PEER`), scales and Records from
/// memory.
pub(crate) struct Harness {
    pub(crate) breaker: Breaker,
    pub(crate) replicas: u32,
    pub(crate) scaled: Vec<u32>,
    pub(crate) record: Option<Record>,
    /// The pods as the API server would list them.
    pods: BTreeMap<String, PodReport>,
}

impl Harness {
    pub(crate) fn new(policy: Policy, replicas: u32) -> Self {
        let target = WorkloadRef::deployment("sre", "swype-app");
        let breaker = Breaker::new(policy, target, scale(replicas), None);
        let mut harness = Self { breaker, replicas, scaled: vec![], record: None, pods: BTreeMap::new() };
        harness.give(Input::PodsListed { pods: vec![], asked_at: start() }, start());
        harness
    }

    /// Sets the pods that exist.
    pub(crate) fn list(&mut self, pods: Vec<PodReport>) {
        self.pods = pods.into_iter().map(|pod| (pod.uid.clone(), pod)).collect();
    }

    pub(crate) fn give(&mut self, input: Input, now: Timestamp) {
        if let Input::Pod(pod) = &input {
            self.pods.insert(pod.uid.clone(), pod.clone());
        }
        self.give_late(input, now);
    }

    /// As [`Self::give`], for an input that the cluster has left behind.
    pub(crate) fn give_late(&mut self, input: Input, now: Timestamp) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for action in self.breaker.step(input, now) {
                inputs.extend(self.grant(action, now));
            }
        }
    }

    fn grant(&mut self, action: Action, now: Timestamp) -> Option<Input> {
        let outcome = match action {
            Action::GatherEvidence(wanted) => {
                return Some(Input::Verdict(wanted.id.clone(), verdict(&wanted)));
            }
            Action::ReadScale => Outcome::ScaleRead(Some(scale(self.replicas))),
            Action::SaveRecord(record) => {
                self.record = Some(*record);
                Outcome::RecordSaved
            }
            Action::WriteScale { replicas, .. } => {
                self.scaled.push(replicas);
                self.replicas = replicas;
                Outcome::ScaleWritten(scale(replicas))
            }
            Action::Publish(event) => Outcome::Published(event.key),
            Action::LoadRecord => Outcome::RecordFound(self.record.clone().map(Box::new)),
            Action::FindScaler => Outcome::Scaler(None),
            Action::CallHook { event, .. } => Outcome::HookAnswered {
                id: event.id,
                answer: Ok(breaker_core::webhook::HookDecision::Proceed),
            },
            Action::Notify { to, event } => Outcome::Notified { to, id: event.id, failure: None },
            Action::ListPods => {
                let pods = self.pods.values().cloned().collect();
                return Some(Input::PodsListed { pods, asked_at: now });
            }
            Action::Emit(_) | Action::Wake(_) => return None,
        };
        Some(Input::Done(outcome))
    }
}

fn verdict(request: &EvidenceRequest) -> Verdict {
    let message = &request.termination.terminated.message;
    let mut words = message.split(' ');
    let mut verdict = match words.next() {
        Some("network") => Verdict::new(Cause::Network, Some(NetworkKind::Refused), "by-message"),
        _ => Verdict::new(Cause::Application, None, "by-message"),
    };
    verdict.peer = words.next().map(str::to_owned);
    verdict.quote = message.clone();
    verdict
}

/// One run of a container: how long it lasts, whether it ends by the network, and how long the next
/// run waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InstanceRun {
    pub(crate) seconds: i64,
    pub(crate) network: bool,
    pub(crate) backoff: i64,
}

/// The observations of a pod with one container, as the API server would show them.
pub(crate) fn history(pod: usize, runs: &[InstanceRun]) -> Vec<(Timestamp, PodReport)> {
    let mut reports = Vec::new();
    let mut at = start();
    let mut last: Option<Terminated> = None;
    for (n, run) in runs.iter().enumerate() {
        let id = format!("containerd://{pod:06x}{n:06x}");
        let count = u32::try_from(n).unwrap();
        let show =
            |state: ContainerState, last: &Option<Terminated>| report(pod, count, &id, state, last.clone());
        reports.push((at, show(ContainerState::Running { started_at: Some(at) }, &last)));
        let started = at;
        at += SignedDuration::from_secs(run.seconds);
        let terminated = Terminated {
            container_id: id.clone(),
            exit_code: 1,
            reason: "Error".into(),
            message: if run.network { "network".into() } else { "bug".into() },
            started_at: Some(started),
            finished_at: Some(at),
            signal: None,
        };
        reports.push((at, show(ContainerState::Terminated(Box::new(terminated.clone())), &last)));
        last = Some(terminated);
        reports.push((at, show(ContainerState::Waiting { reason: "CrashLoopBackOff".into() }, &last)));
        at += SignedDuration::from_secs(run.backoff);
    }
    reports
}

pub(crate) fn report(
    pod: usize,
    count: u32,
    id: &str,
    state: ContainerState,
    last: Option<Terminated>,
) -> PodReport {
    PodReport {
        uid: format!("uid-{pod}"),
        name: format!("swype-app-abc-{pod}"),
        node: "node".into(),
        created: start(),
        controller: Some(Owner { kind: "ReplicaSet".into(), name: "swype-app-abc".into(), uid: "rs".into() }),
        revision: "abc".into(),
        deleting: false,
        finished: false,
        ready: false,
        restarting_all: false,
        odd: vec![],
        containers: vec![ContainerReport {
            name: "app".into(),
            kind: ContainerKind::App,
            restart_count: count,
            container_id: id.into(),
            state,
            last: last.map(Box::new),
        }],
    }
}

/// All histories in the order in which they happened.
pub(crate) fn merged(histories: Vec<Vec<(Timestamp, PodReport)>>) -> Vec<(Timestamp, PodReport)> {
    let mut all: Vec<_> = histories.into_iter().flatten().collect();
    all.sort_by_key(|(at, _)| *at);
    all
}
