//! From a spec to what the breaker is built from; each error names the field.

use breaker_core::policy::{CauseSet, MinFailing, Mode, Recovery, Unobserved};
use breaker_core::state::Override;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, OnFailure};
use breaker_core::workload::TargetArg;
use breaker_core::{Cause, Policy, WorkloadRef};
use jiff::SignedDuration;
use serde_json::Value;

use super::spec::{
    self, CauseName, CircuitBreakerSpec, HooksSpec, IntOrPercent, ModeName, OverrideName, RecoveryMode,
    RecoverySpec, SecretKey, TargetRef, UnobservedName,
};

/// A spec in the terms of `breaker-core`.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSpec {
    /// Whom to watch.
    pub target: WorkloadRef,
    /// When to trip, and how to recover.
    pub policy: Policy,
    /// What a person has set.
    pub override_: Override,
}

/// A spec that cannot be used. The API server refuses nearly all of these; what was stored before the rules, or
/// past them, ends here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct BadSpec {
    /// `spec.trip.window`.
    pub field: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl CircuitBreakerSpec {
    /// Reads a spec as it is stored.
    ///
    /// # Errors
    /// [`BadSpec`] when it has another shape.
    pub fn read(spec: &Value) -> Result<Self, BadSpec> {
        serde_json::from_value(spec.clone())
            .map_err(|error| BadSpec { field: "spec", problem: error.to_string() })
    }

    /// What it asks for, of a breaker in `namespace`.
    ///
    /// # Errors
    /// [`BadSpec`] names the first field that cannot be used.
    pub fn wanted(&self, namespace: &str) -> Result<ParsedSpec, BadSpec> {
        let Self { target_ref, trip, recovery, mode, override_, hooks } = self;
        let policy = Policy {
            causes: causes(&trip.causes)?,
            max_restarts: trip.max_restarts,
            window: trip.window.parse().map_err(|error| bad("spec.trip.window", error))?,
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
        Ok(ParsedSpec { target: workload(target_ref, namespace)?, policy, override_ })
    }
}

fn bad(field: &'static str, problem: impl ToString) -> BadSpec {
    BadSpec { field, problem: problem.to_string() }
}

/// Kubernetes' own kinds by their name alone, others with their group.
fn workload(target: &TargetRef, namespace: &str) -> Result<WorkloadRef, BadSpec> {
    if target.kind.is_empty() {
        return Err(bad("spec.targetRef.kind", "it is empty; write for example Deployment"));
    }
    if target.name.is_empty() {
        return Err(bad("spec.targetRef.name", "it is empty; write the name of the workload"));
    }
    let group = target.api_version.split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    let typed: TargetArg = format!("{}{dot}{group}/{}", target.kind, target.name)
        .parse()
        .map_err(|error| bad("spec.targetRef", error))?;
    Ok(typed.in_namespace(namespace))
}

fn causes(names: &[CauseName]) -> Result<CauseSet, BadSpec> {
    if names.is_empty() {
        return Err(bad("spec.trip.causes", "it is empty; write at least one cause, or Any"));
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

fn min_failing(share: &IntOrPercent) -> Result<MinFailing, BadSpec> {
    let text = match share {
        IntOrPercent::Pods(pods) => pods.to_string(),
        IntOrPercent::Text(text) => text.clone(),
    };
    text.parse().map_err(|error| bad("spec.trip.minFailingPods", error))
}

fn recovery_of(spec: &RecoverySpec) -> Result<Recovery, BadSpec> {
    if spec.mode == RecoveryMode::Manual {
        return Ok(Recovery::Manual);
    }
    let cooldown = span("spec.recovery.cooldown", &spec.cooldown)?;
    let max_cooldown = span("spec.recovery.maxCooldown", &spec.max_cooldown)?;
    if cooldown > max_cooldown {
        return Err(bad("spec.recovery.cooldown", "it is longer than maxCooldown"));
    }
    Ok(Recovery::HalfOpen {
        cooldown,
        max_cooldown,
        probe_replicas: spec.probe_replicas.max(1),
        probe_for: span("spec.recovery.probeFor", &spec.probe_for)?,
    })
}

fn hooks_of(spec: &HooksSpec, namespace: &str) -> Result<Hooks, BadSpec> {
    let address = |url: &str, secret: &Option<SecretKey>| Endpoint {
        url: url.into(),
        secret: secret.as_ref().map(|secret| format!("{namespace}/{}/{}", secret.name, secret.key)),
    };
    let before_trip = match &spec.before_trip {
        None => None,
        Some(hook) => Some(BeforeTrip {
            to: address(&hook.url, &hook.secret_ref),
            timeout: span("spec.hooks.beforeTrip.timeout", &hook.timeout)?,
            on_failure: match hook.on_failure {
                spec::OnFailure::Proceed => OnFailure::Proceed,
                spec::OnFailure::Hold => OnFailure::Hold,
            },
        }),
    };
    Ok(Hooks { before_trip, notify: spec.notify.iter().map(|to| address(&to.url, &to.secret_ref)).collect() })
}

fn span(field: &'static str, text: &str) -> Result<SignedDuration, BadSpec> {
    match text.parse::<SignedDuration>() {
        Ok(span) if span > SignedDuration::ZERO => Ok(span),
        _ => Err(bad(
            field,
            format!("`{text}` is no span; write one longer than zero such as 90s, 5m or 1h30m"),
        )),
    }
}
