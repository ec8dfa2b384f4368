//! Why a breaker acted, or why it did not: its verdict, restarts and conditions.

use std::fmt;

use anyhow::Context;
use breaker_core::cluster::Scale;
use breaker_core::pod::PodReport;
use breaker_core::policy::{Mode, Window};
use breaker_core::printable::one_line;
use breaker_core::record::ContainerRecord;
use breaker_core::state::State;
use breaker_core::text::plural;
use breaker_core::{ClusterClient, ClusterError, Policy, Record, WorkloadRef};
use breaker_kube::crd::{BreakerName, Condition, ModeName, OverrideName, condition};
use jiff::Timestamp;
use serde::Serialize;

use super::liveness::Liveness;
use super::object::{BreakerObject, NotFoundHint};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::format::StatusFormat;
use crate::cli::reset_command;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::output::stdout::print;
use crate::workload::status::{RestartRow, Status, WorkloadState};

/// A breaker, its workload, and why it acted or did not.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BreakerReport {
    breaker: String,
    /// Why it tripped or did not, as a sentence.
    verdict: String,
    /// Why the rest may be old: no controller runs, or that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    controller: Option<String>,
    policy: String,
    #[serde(flatten)]
    status: Option<Status>,
    /// Why the workload cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unseen: Option<String>,
    /// Oldest first.
    restarts: Vec<CountedRestart>,
    conditions: Vec<Condition>,
}

/// A restart, and whether it counts.
#[derive(Debug, Serialize)]
struct CountedRestart {
    #[serde(flatten)]
    restart: RestartRow,
    counts: bool,
    /// Why it does not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
}

/// Reads the breaker `name` and its workload.
///
/// # Errors
/// [`ClusterError::NotFound`] in the chain when there is no such breaker.
pub(crate) async fn read_report(args: &ClusterArgs, name: &str) -> anyhow::Result<BreakerReport> {
    with_startup_timeout(async {
        let cluster = Cluster::connect(args).await?;
        let name = BreakerName { namespace: cluster.namespace.clone(), name: name.to_owned() };
        let breaker = BreakerObject::read(&cluster.kube, &name).await.with_not_found_hint()?;
        let spec = breaker.spec.clone().with_context(|| format!("reading {name}"))?;
        let wanted = spec.parse(&name.namespace).with_context(|| format!("reading {name}"))?;
        let workload = match read_workload(&*cluster.client, &wanted.target).await {
            Ok(workload) => Ok(workload),
            Err(error) if error.is_retryable() => {
                return Err(error).with_context(|| format!("reading {}", wanted.target));
            }
            Err(error) => Err(error.with_fix()),
        };
        let record: Option<Record> = breaker
            .status
            .record
            .clone()
            .map(serde_json::from_value)
            .transpose()
            .with_context(|| format!("the record in the status of {name} cannot be read"))?;
        let containers = record.as_ref().map(|record| record.containers.clone()).unwrap_or_default();
        let counts_from = record.as_ref().and_then(|record| record.counts_from);
        let state = record.as_ref().map(|record| record.state.clone()).unwrap_or_default();
        let now = Timestamp::now();
        let undo = reset_command::of_breaker(args, &name);
        let observing = Policy { mode: Mode::Observe, ..wanted.policy.clone() };
        let status = workload.map(|(scale, pods)| {
            WorkloadState::with_breaker_record(wanted.target.clone(), scale, pods, record, undo)
                .status(observing, now)
        });
        let controller = Liveness::of(&cluster.kube, &breaker).await;
        Ok(BreakerReport {
            breaker: name.to_string(),
            verdict: match &controller {
                Liveness::Stopped(_) => {
                    let verdict = verdict(&breaker, &state, status.as_ref());
                    format!("no controller runs; at last: {verdict}")
                }
                _ => verdict(&breaker, &state, status.as_ref()),
            },
            controller: controller.message().map(str::to_owned),
            policy: policy(&wanted.policy),
            restarts: count_restarts(&containers, &wanted.policy, &state, counts_from, now),
            conditions: breaker.status.conditions.clone(),
            unseen: status.as_ref().err().cloned(),
            status: status.ok(),
        })
    })
    .await
}

async fn read_workload(
    client: &dyn ClusterClient,
    target: &WorkloadRef,
) -> Result<(Scale, Vec<PodReport>), ClusterError> {
    let scale = client.read_scale(target).await?;
    let pods = client.list_pods(&target.namespace, &scale.selector).await?;
    Ok((scale, pods))
}

impl BreakerReport {
    /// Prints the report to standard output.
    ///
    /// # Errors
    /// A failure to write.
    pub(crate) fn print(&self, format: StatusFormat) -> anyhow::Result<()> {
        print(&match format {
            StatusFormat::Text | StatusFormat::Wide => self.to_string(),
            StatusFormat::Json => serde_json::to_string(self)? + "\n",
            StatusFormat::Yaml => serde_saphyr::to_string(self)?,
        })?;
        Ok(())
    }
}

/// The first of these that applies: not watched, tripped, contested, held, else what is missing
/// for a trip.
fn verdict(breaker: &BreakerObject, state: &State, status: Result<&Status, &String>) -> String {
    let holds = |kind: &str, status: &str| breaker.condition(kind).filter(|found| found.status == status);
    if let Some(ready) = holds(condition::READY, "False") {
        return format!("not watched, {}: {}", ready.reason, ready.message);
    }
    match state {
        State::Closed => {}
        State::HalfOpen { trip, .. } => {
            let because = &trip.because;
            return format!("on trial, one counted restart opens the breaker again; tripped: {because}");
        }
        State::Tripping { trip, .. } | State::Open { trip, .. } | State::Restoring { trip, .. } => {
            return format!("tripped: {}", trip.because);
        }
    }
    if let Some(contested) = holds(condition::CONTESTED, "True") {
        return format!("left alone: {}", contested.message);
    }
    if let Some(held) = holds(condition::HELD, "True") {
        return format!("held, {}: {}", held.reason, held.message);
    }
    if breaker.status.phase.is_none() {
        return "no controller has observed it yet".into();
    }
    let count = match status {
        Ok(status) => status.count(),
        Err(why) => return format!("not tripped; the workload cannot be read: {why}"),
    };
    if count.need == 0 {
        return "not tripped: there are no pods".into();
    }
    if count.counted <= count.threshold {
        return format!("not tripped: {} counted, more than {} would trip", count.counted, count.threshold);
    }
    if count.failing < count.need {
        return format!("not tripped: {} counted, but {}", count.counted, count.failing_pods());
    }
    let exceeded = format!("{} counted, more than {}", count.counted, count.threshold);
    match &breaker.spec {
        Ok(spec) if spec.override_ == OverrideName::Disabled => {
            format!("not tripped: {exceeded}, but spec.override is Disabled")
        }
        Ok(spec) if spec.mode == ModeName::Observe => {
            format!("not tripped: {exceeded}, but spec.mode is Observe: it only reports that it would trip")
        }
        _ => format!("{exceeded}: a trip is due"),
    }
}

fn policy(policy: &Policy) -> String {
    let window = match policy.window.length() {
        Some(_) => format!("within {}", policy.window),
        None => "since the last trip or reset".into(),
    };
    let observes = if policy.mode == Mode::Observe { "; observes only" } else { "" };
    let peers = match &policy.peers {
        peers if peers.is_any() => String::new(),
        peers => format!(" (peers {peers})"),
    };
    format!(
        "more than {} by {}{peers} {window} for each pod that must be failing ({}){observes}",
        plural(policy.max_restarts, "restart"),
        policy.causes,
        policy.min_failing_pods
    )
}

/// The restarts, each by the rule that the breaker applies in this state: the window and the start
/// of the episode do not matter on a trial.
fn count_restarts(
    containers: &[ContainerRecord],
    policy: &Policy,
    state: &State,
    counts_from: Option<Timestamp>,
    now: Timestamp,
) -> Vec<CountedRestart> {
    let (policy, counts_from) = match state.is_on_trial() {
        true => (&Policy { window: Window::NONE, ..policy.clone() }, None),
        false => (policy, counts_from),
    };
    let mut all: Vec<CountedRestart> = containers
        .iter()
        .flat_map(|container| container.restarts.iter().map(move |restart| (container, restart)))
        .map(|(container, restart)| {
            let why_not =
                policy.uncounted(restart.at, restart.cause, restart.peer.as_deref(), counts_from, now);
            CountedRestart {
                restart: RestartRow::new(container, restart),
                counts: why_not.is_none(),
                why_not: why_not.map(|why| why.to_string()),
            }
        })
        .collect();
    all.sort_by(|CountedRestart { restart: a, .. }, CountedRestart { restart: b, .. }| {
        (a.at, &a.pod, &a.container).cmp(&(b.at, &b.pod, &b.container))
    });
    all
}

impl fmt::Display for BreakerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fact = |name: &str, text: &str| writeln!(f, "{name:<11}{}", one_line(text));
        fact("Breaker", &self.breaker)?;
        fact("Verdict", &self.verdict)?;
        if let Some(controller) = &self.controller {
            fact("Controller", controller)?;
        }
        fact("Policy", &self.policy)?;
        for (n, CountedRestart { restart, why_not, .. }) in self.restarts.iter().enumerate() {
            let not_counted = why_not.as_ref().map_or(String::new(), |why| format!(" - not counted: {why}"));
            fact(if n == 0 { "Restarts" } else { "" }, &format!("{restart}{not_counted}"))?;
        }
        if let Some(status) = &self.status {
            write!(f, "{}", status.without_newest())?;
        }
        let mut fact = |name: &str, text: &str| writeln!(f, "{name:<11}{}", one_line(text));
        if let Some(why) = &self.unseen {
            fact("Workload", why)?;
        }
        for (n, Condition { kind, status, reason, message, .. }) in self.conditions.iter().enumerate() {
            let line = format!("{kind}={status} {reason}: {message}");
            fact(if n == 0 { "Conditions" } else { "" }, &line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::policy::{CauseSet, PeerSet};
    use breaker_core::state::Trip;

    use super::*;

    #[test]
    fn each_restart_says_whether_it_counts_and_why_not() {
        let container = serde_json::json!({
            "pod": "p1", "podName": "swype-1", "container": "app", "seen": 4, "observedAt": "2026-01-02T03:00:00Z",
            "restarts": [
                {"n": 0, "id": "a", "at": "2026-01-02T01:00:00Z", "cause": "network", "kind": "dns", "exit": 6},
                {"n": 1, "id": "b", "at": "2026-01-02T02:00:00Z", "cause": "network", "kind": "dns", "exit": 6},
                {"n": 2, "id": "c", "at": "2026-01-02T02:50:00Z", "cause": "oom", "exit": 137},
                {"n": 3, "id": "d", "at": "2026-01-02T02:55:00Z", "cause": "network", "kind": "refused", "exit": 7},
            ],
        });
        let marks = [serde_json::from_value(container).unwrap()];
        let policy = Policy { causes: CauseSet::default(), window: Window::mins(60), ..Policy::default() };
        let from = "2026-01-02T01:30:00Z".parse().unwrap();
        let now = "2026-01-02T03:10:00Z".parse().unwrap();
        let closed = State::Closed;
        let why: Vec<_> = count_restarts(&marks, &policy, &closed, Some(from), now)
            .into_iter()
            .map(|restart| restart.why_not)
            .collect();
        let want = [
            Some("before the last trip or reset"),
            Some("older than the window"),
            Some("not one of the counted causes"),
            None,
        ];
        assert_eq!(why, want.map(|why| why.map(str::to_owned)));
        let policy = Policy { peers: "swype-*".parse().unwrap(), ..policy };
        let restarts = count_restarts(&marks, &policy, &closed, None, now);
        let why: Vec<_> = restarts.iter().map(|restart| restart.why_not.as_deref()).collect();
        let want = [
            Some("older than the window"),
            Some("older than the window"),
            Some("not one of the counted causes"),
            Some("its peer is not known"),
        ];
        assert_eq!(why, want);
        // The end of a restart has whole seconds: this one may have ended after the reset.
        let from = "2026-01-02T02:55:00.9Z".parse().unwrap();
        let policy = Policy { peers: PeerSet::ANY, ..policy };
        let counted = count_restarts(&marks, &policy, &closed, Some(from), now);
        assert!(counted.last().is_some_and(|restart| restart.counts), "{counted:?}");
    }

    /// By the clock of their node they ended before the trial, or long ago.
    #[test]
    fn restarts_of_trial_replicas_count_whatever_their_time() {
        let container = serde_json::json!({
            "pod": "p1", "podName": "swype-1", "container": "app", "seen": 3, "observedAt": "2026-01-02T03:00:00Z",
            "restarts": [
                {"n": 0, "id": "a", "at": "2026-01-02T01:00:00Z", "cause": "network", "kind": "dns", "exit": 6},
                {"n": 1, "id": "b", "at": "2026-01-02T02:50:00Z", "cause": "oom", "exit": 137},
                {"n": 2, "id": "c", "at": "2026-01-02T03:06:00Z", "cause": "network", "kind": "dns", "exit": 6},
            ],
        });
        let marks = [serde_json::from_value(container).unwrap()];
        let policy = Policy { window: Window::mins(60), ..Policy::default() };
        let since: Timestamp = "2026-01-02T03:05:00Z".parse().unwrap();
        let now = "2026-01-02T03:10:00Z".parse().unwrap();
        let trip = Trip::default();
        let half_open = State::HalfOpen { since, trip: trip.clone(), probe: 1, probing: true, started: None };
        let counted = |state: &State| -> Vec<_> {
            let restarts = count_restarts(&marks, &policy, state, Some(since), now);
            restarts.into_iter().map(|restart| restart.counts).collect()
        };
        assert_eq!(counted(&half_open), [true, false, true]);
        assert_eq!(counted(&State::Open { since, trip }), [false, false, true]);
    }

    /// A breaker whose counts exceed the limits, with this spec beside its target.
    fn exceeded(more: serde_json::Value, failing: u32) -> String {
        let mut spec = serde_json::json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let object = serde_json::json!({
            "apiVersion": "bigredbutton.dev/v1alpha1", "kind": "CircuitBreaker",
            "metadata": {"name": "swype", "namespace": "sre"}, "spec": spec, "status": {"phase": "Closed"},
        });
        let breaker = BreakerObject::new(&serde_json::from_value(object).unwrap());
        let scale = Scale {
            uid: "u1".into(),
            resource_version: "1".into(),
            replicas: 1,
            selector: "app=swype-app".into(),
        };
        let target = WorkloadRef::deployment("sre", "swype-app");
        let mut status = WorkloadState::with_breaker_record(target, scale, Vec::new(), None, String::new())
            .status(Policy::default(), Timestamp::UNIX_EPOCH);
        status.count.counts = breaker_core::snapshot::Counts { counted: 4, threshold: 3, failing, need: 2 };
        verdict(&breaker, &State::Closed, Ok(&status))
    }

    #[test]
    fn a_breaker_that_may_not_scale_is_not_about_to_trip() {
        use serde_json::json;
        assert_eq!(exceeded(json!({}), 2), "4 counted, more than 3: a trip is due");
        assert_eq!(exceeded(json!({}), 1), "not tripped: 4 counted, but 1 pod failing, 2 needed");
        let observed = exceeded(json!({"mode": "Observe"}), 2);
        assert!(observed.starts_with("not tripped: 4 counted, more than 3, but spec.mode is Observe"));
        let disabled = exceeded(json!({"override": "Disabled"}), 2);
        assert_eq!(disabled, "not tripped: 4 counted, more than 3, but spec.override is Disabled");
    }

    #[test]
    fn a_policy_is_described_in_a_sentence() {
        let said = policy(&Policy { mode: Mode::Observe, ..Policy::default() });
        let want = "more than 3 restarts by network within 1h for each pod that must be failing (50%); observes only";
        assert_eq!(said, want);
        let peers = Policy { peers: "swype-*".parse().unwrap(), ..Policy::default() };
        let want = "more than 3 restarts by network (peers swype-*) within 1h for each pod that must be failing (50%)";
        assert_eq!(policy(&peers), want);
    }
}
