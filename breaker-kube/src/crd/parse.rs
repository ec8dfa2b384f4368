//! A spec as `breaker-core` takes it. Each error names the field.

use breaker_core::guard::CommonPeerMode;
use breaker_core::policy::{CauseSet, MinFailingPods, Mode, PeerSet, Recovery, Unobserved};
use breaker_core::state::Override;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, NotifyFormat, OnFailure};
use breaker_core::workload::TargetArg;
use breaker_core::{Cause, Policy, WorkloadRef};
use jiff::SignedDuration;
use serde_json::Value;

use super::spec::{
    self, CauseName, CircuitBreakerSpec, CommonPeerName, HooksSpec, IntOrPercent, ModeName, Notify,
    NotifyFormatName, OverrideName, RecoveryMode, RecoverySpec, SecretKey, TargetRef, UnobservedName,
};

/// A spec in the terms of `breaker-core`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSpec {
    /// The workload to watch.
    pub target: WorkloadRef,
    /// When to trip, and how to recover.
    pub policy: Policy,
    /// What a person has set over the policy.
    pub override_: Override,
    /// What to do under the outage guard when every failing target names one peer; `None` leaves it
    /// to the controller.
    pub common_peer: Option<CommonPeerMode>,
}

/// A spec that cannot be used.
///
/// The API server refuses nearly all of these. The rest was stored before the rules were.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidSpec {
    /// The field, for example `spec.trip.window`.
    pub field: &'static str,
    /// What is wrong with it, and how to correct it.
    pub problem: String,
}

impl CircuitBreakerSpec {
    /// Decodes a spec as it is stored.
    ///
    /// # Errors
    /// [`InvalidSpec`] when it has another shape.
    pub fn read(spec: &Value) -> Result<Self, InvalidSpec> {
        serde_json::from_value(spec.clone())
            .map_err(|error| InvalidSpec { field: "spec", problem: error.to_string() })
    }

    /// The workload, policy and override that the spec of a breaker in `namespace` asks for.
    ///
    /// # Errors
    /// [`InvalidSpec`] names the first field that cannot be used.
    pub fn parse(&self, namespace: &str) -> Result<ParsedSpec, InvalidSpec> {
        let Self { target_ref, trip, recovery, mode, override_, outage_guard, hooks } = self;
        let policy = Policy {
            causes: causes(&trip.causes)?,
            peers: PeerSet::new(&trip.peers).map_err(|error| invalid("spec.trip.peers", error))?,
            max_restarts: trip.max_restarts,
            window: trip.window.parse().map_err(|error| invalid("spec.trip.window", error))?,
            min_failing_pods: min_failing(&trip.min_failing_pods)?,
            one_node: true,
            unobserved: match trip.unobserved {
                UnobservedName::Inherit => Unobserved::Inherit,
                UnobservedName::Ignore => Unobserved::Ignore,
            },
            recovery: recovery_of(recovery)?,
            mode: match mode {
                ModeName::Enforce => Mode::Enforce,
                ModeName::Observe => Mode::Observe,
            },
            hooks: hooks_of(hooks, namespace)?,
        };
        let override_ = match override_ {
            OverrideName::Auto => Override::Auto,
            OverrideName::ForcedOpen => Override::ForcedOpen,
            OverrideName::Disabled => Override::Disabled,
        };
        let common_peer = outage_guard.common_peer.map(|mode| match mode {
            CommonPeerName::Hold => CommonPeerMode::Hold,
            CommonPeerName::Trip => CommonPeerMode::Trip,
        });
        Ok(ParsedSpec { target: workload(target_ref, namespace)?, policy, override_, common_peer })
    }
}

fn invalid(field: &'static str, problem: impl ToString) -> InvalidSpec {
    InvalidSpec { field, problem: problem.to_string() }
}

/// The target by its kind: with the group, except for the core group.
fn workload(target: &TargetRef, namespace: &str) -> Result<WorkloadRef, InvalidSpec> {
    if target.kind.is_empty() {
        return Err(invalid("spec.targetRef.kind", "the kind is empty; write for example Deployment"));
    }
    if target.name.is_empty() {
        return Err(invalid("spec.targetRef.name", "the name is empty; write the name of the workload"));
    }
    let group = target.api_version.split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    let typed: TargetArg = format!("{}{dot}{group}/{}", target.kind, target.name)
        .parse()
        .map_err(|error| invalid("spec.targetRef", error))?;
    Ok(typed.in_namespace(namespace))
}

fn causes(names: &[CauseName]) -> Result<CauseSet, InvalidSpec> {
    if names.is_empty() {
        return Err(invalid("spec.trip.causes", "the list is empty; write at least one cause, or Any"));
    }
    if names.contains(&CauseName::Any) {
        return Ok(CauseSet::ANY);
    }
    Ok(names
        .iter()
        .map(|name| match name {
            CauseName::Network => Cause::Network,
            CauseName::Oom => Cause::Oom,
            CauseName::Application => Cause::Application,
            CauseName::Config => Cause::Config,
            CauseName::Image => Cause::Image,
            CauseName::Probe => Cause::Probe,
            CauseName::Storage => Cause::Storage,
            CauseName::Permission => Cause::Permission,
            CauseName::Node => Cause::Node,
            CauseName::Eviction => Cause::Eviction,
            CauseName::Completed => Cause::Completed,
            CauseName::Unknown | CauseName::Any => Cause::Unknown,
        })
        .collect())
}

fn min_failing(value: &IntOrPercent) -> Result<MinFailingPods, InvalidSpec> {
    let text = match value {
        IntOrPercent::Int(pods) => pods.to_string(),
        IntOrPercent::Percent(text) => text.clone(),
    };
    text.parse().map_err(|error| invalid("spec.trip.minFailingPods", error))
}

fn recovery_of(spec: &RecoverySpec) -> Result<Recovery, InvalidSpec> {
    if spec.mode == RecoveryMode::Manual {
        return Ok(Recovery::Manual);
    }
    let cooldown = duration("spec.recovery.cooldown", &spec.cooldown)?;
    let max_cooldown = duration("spec.recovery.maxCooldown", &spec.max_cooldown)?;
    if cooldown > max_cooldown {
        return Err(invalid("spec.recovery.cooldown", "the cooldown is longer than maxCooldown"));
    }
    Ok(Recovery::HalfOpen {
        cooldown,
        max_cooldown,
        probe_replicas: spec.probe_replicas.max(1),
        probe_for: duration("spec.recovery.probeFor", &spec.probe_for)?,
    })
}

/// Where a routing key may be sent.
const PAGERDUTY_URLS: [&str; 2] =
    ["https://events.pagerduty.com/v2/enqueue", "https://events.eu.pagerduty.com/v2/enqueue"];

fn hooks_of(spec: &HooksSpec, namespace: &str) -> Result<Hooks, InvalidSpec> {
    let endpoint = |url: &str, secret: &Option<SecretKey>| Endpoint {
        secret: secret.as_ref().map(|secret| format!("{namespace}/{}/{}", secret.name, secret.key)),
        ..Endpoint::new(url)
    };
    let receiver = |notify: &Notify| -> Result<Endpoint, InvalidSpec> {
        let format = match notify.format {
            NotifyFormatName::CloudEvents => NotifyFormat::CloudEvents,
            NotifyFormatName::Slack => NotifyFormat::Slack,
            NotifyFormatName::Teams => NotifyFormat::Teams,
            NotifyFormatName::PagerDuty => NotifyFormat::PagerDuty,
            NotifyFormatName::Alertmanager => NotifyFormat::Alertmanager,
        };
        let is_own = |url: &String| PAGERDUTY_URLS.contains(&url.as_str());
        let missing = match (format, &notify.url, &notify.secret_ref) {
            (NotifyFormat::PagerDuty, Some(url), Some(_)) if !is_own(url) => Some("a url of PagerDuty"),
            (NotifyFormat::Alertmanager, _, Some(_)) => Some("no secretRef"),
            (NotifyFormat::PagerDuty, _, None) => Some("the secretRef to the routing key"),
            (NotifyFormat::Slack | NotifyFormat::Teams, None, None) => Some("the url, or a secretRef to it"),
            (NotifyFormat::CloudEvents | NotifyFormat::Alertmanager, None, _) => Some("the url"),
            _ => None,
        };
        if let Some(missing) = missing {
            return Err(invalid("spec.hooks.notify", format!("a receiver of {format} needs {missing}")));
        }
        let url = notify.url.as_deref().unwrap_or_default();
        Ok(Endpoint { format, ..endpoint(url, &notify.secret_ref) })
    };
    let before_trip = match &spec.before_trip {
        None => None,
        Some(hook) => Some(BeforeTrip {
            to: endpoint(&hook.url, &hook.secret_ref),
            timeout: duration("spec.hooks.beforeTrip.timeout", &hook.timeout)?,
            on_failure: match hook.on_failure {
                spec::OnFailure::Proceed => OnFailure::Proceed,
                spec::OnFailure::Hold => OnFailure::Hold,
            },
        }),
    };
    Ok(Hooks { before_trip, notify: spec.notify.iter().map(receiver).collect::<Result<_, _>>()? })
}

fn duration(field: &'static str, text: &str) -> Result<SignedDuration, InvalidSpec> {
    match text.parse::<SignedDuration>() {
        Ok(duration) if duration > SignedDuration::ZERO => Ok(duration),
        _ => Err(invalid(
            field,
            format!("`{text}` is not a duration longer than zero; write for example 90s, 5m or 1h30m"),
        )),
    }
}
