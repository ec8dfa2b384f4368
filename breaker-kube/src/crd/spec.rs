//! What the owner of a workload writes.
#![allow(clippy::duplicated_attributes)] // each printer column names its own type and priority

use std::borrow::Cow;

use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::status::CircuitBreakerStatus;

/// Longer than zero, as Go and CEL write spans: `1h30m`.
const SPAN: &str = "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) > duration('0s')";

/// What is no span is refused by its own field's rule alone.
const COOLDOWNS: &str = "[self.cooldown, self.maxCooldown].exists(span, span == '' || !span.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$')) || duration(self.cooldown) <= duration(self.maxCooldown)";

const URL: &str = "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != '' && !self.matches('^[^/]*//[^/?#]*@')";

/// A rule in CEL that the API server checks, and the words in which it refuses.
fn rule(rule: &str, message: &str) -> Value {
    json!({"rule": rule, "message": message})
}

/// Which workload this breaker watches, when it trips, and how it recovers.
#[derive(Debug, Clone, PartialEq, CustomResource, JsonSchema, Serialize, Deserialize)]
#[kube(
    group = "bigredbutton.dev",
    version = "v1alpha1",
    kind = "CircuitBreaker",
    plural = "circuitbreakers",
    shortname = "cb",
    namespaced,
    status = "CircuitBreakerStatus",
    doc = "Scales a workload to zero when failures of a dependency keep killing its containers, remembers how to bring it back, and says why.",
    printcolumn(
        name = "Phase",
        type_ = "string",
        json_path = ".status.phase",
        description = "Closed, Tripping, Open or HalfOpen"
    ),
    printcolumn(
        name = "Counted",
        type_ = "integer",
        json_path = ".status.counted",
        description = "Counted restarts inside the window; while not closed, those that tripped it"
    ),
    printcolumn(
        name = "Target",
        type_ = "string",
        json_path = ".spec.targetRef.name",
        description = "The workload it watches"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.targetRef.kind", priority = 1),
    printcolumn(
        name = "Threshold",
        type_ = "integer",
        json_path = ".status.threshold",
        priority = 1,
        description = "Counted restarts that are tolerated"
    ),
    printcolumn(
        name = "Original",
        type_ = "integer",
        json_path = ".status.originalReplicas",
        priority = 1,
        description = "Replicas that a reset gives back"
    ),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode", priority = 1),
    printcolumn(name = "Override", type_ = "string", json_path = ".spec.override", priority = 1),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = 1,
        description = "Why it watches, or why it does not"
    ),
    printcolumn(
        name = "Held",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Held\")].reason",
        priority = 1,
        description = "Why it does not act although restarts are many"
    ),
    printcolumn(
        name = "Cause",
        type_ = "string",
        json_path = ".status.lastTrip.cause",
        priority = 1,
        description = "Cause of the last trip"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreakerSpec {
    /// The workload: anything with a scale subresource, in the namespace of this breaker.
    pub target_ref: TargetRef,
    /// What counts, and how much is too much.
    #[serde(default)]
    pub trip: TripSpec,
    /// How the workload comes back after a trip.
    #[serde(default)]
    pub recovery: RecoverySpec,
    /// Enforce scales the workload; Observe is a dry run that only says what it would do.
    #[serde(default)]
    pub mode: ModeName,
    /// Auto follows the policy. ForcedOpen is the red button pressed: scaled to zero at once, once, until a reset. Disabled counts and tells, and does nothing.
    #[serde(default, rename = "override")]
    pub override_: OverrideName,
    /// Who is called before the workload is scaled down, and who is told.
    #[serde(default)]
    pub hooks: HooksSpec,
}

/// A workload in the namespace of the breaker.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// Group and version, for example apps/v1 or argoproj.io/v1alpha1. The group matters; the version may be any.
    #[serde(default = "apps_v1")]
    #[schemars(length(max = 128))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self == 'v1' || self.matches('^[a-z0-9][a-z0-9.-]*/v[a-z0-9]+$')", "apiVersion is written GROUP/VERSION, for example apps/v1")]))]
    pub api_version: String,
    /// Kind, for example Deployment, StatefulSet or Rollout.
    #[schemars(length(max = 63))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self.matches('^[A-Za-z][A-Za-z0-9]*$')", "kind is one word, for example Deployment")]))]
    pub kind: String,
    /// Name of the object.
    #[schemars(length(max = 253))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')", "name is the object's own: lower-case letters, digits, - and .")]))]
    pub name: String,
}

fn apps_v1() -> String {
    "apps/v1".into()
}

/// When the breaker trips: more than maxRestarts counted restarts for each pod that must be failing, inside the window, while those pods are failing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TripSpec {
    /// Causes whose restarts count. Any is the plain restart count.
    #[schemars(length(min = 1, max = 13))]
    pub causes: Vec<CauseName>,
    /// Counted restarts tolerated for each pod that must be failing; one more trips. With one replica and 3, the fourth restart trips.
    #[schemars(schema_with = "whole_number")]
    #[schemars(extend("x-kubernetes-validations" = [rule("self >= 0", "maxRestarts must not be negative"), rule("self <= 1000000", "maxRestarts is at most 1000000")]))]
    pub max_restarts: u32,
    /// How far back restarts count, such as 90s, 10m, 1h or 1h30m; none counts everything since the last trip or reset. Shorter than 15 min for each tolerated restart, it can overlook a steady crash loop: then condition WindowTooShort says so.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self == 'none' || (self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) > duration('0s'))", "window is a span longer than zero such as 90s, 10m or 1h30m, or none")]))]
    pub window: String,
    /// How many pods must be failing at the moment of the trip: a share such as 50% (rounded up), or a number of pods (no more than there are).
    #[schemars(extend("x-kubernetes-validations" = [rule("type(self) == int ? self >= 1 : self.matches('^([1-9][0-9]?|100)%$|^[1-9][0-9]{0,8}$')", "minFailingPods is a share from 1% to 100%, or a number of pods from 1 on")]))]
    pub min_failing_pods: IntOrPercent,
    /// What becomes of restarts that nobody saw: Inherit gives them the newest known cause where that is safe, Ignore leaves them unknown.
    pub unobserved: UnobservedName,
}

impl Default for TripSpec {
    fn default() -> Self {
        Self {
            causes: vec![CauseName::Network],
            max_restarts: 3,
            window: "1h".into(),
            min_failing_pods: IntOrPercent::default(),
            unobserved: UnobservedName::default(),
        }
    }
}

/// How the workload comes back. The spans matter for HalfOpen only.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(COOLDOWNS, "cooldown must not be longer than maxCooldown")]))]
pub struct RecoverySpec {
    /// Manual: a reset gives the replicas back. HalfOpen: after the cooldown a few replicas are tried, and if they live, all come back.
    pub mode: RecoveryMode,
    /// First wait before replicas are tried; doubles each time they fail.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(SPAN, "cooldown is a span longer than zero such as 90s, 5m or 1h30m")]))]
    pub cooldown: String,
    /// The longest wait.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(SPAN, "maxCooldown is a span longer than zero such as 30m or 1h")]))]
    pub max_cooldown: String,
    /// Replicas to try with.
    #[schemars(schema_with = "whole_number")]
    #[schemars(extend("x-kubernetes-validations" = [rule("self >= 1 && self <= 1000000", "probeReplicas is at least 1, and at most 1000000")]))]
    pub probe_replicas: u32,
    /// How long they must live without a counted restart.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(SPAN, "probeFor is a span longer than zero such as 90s or 5m")]))]
    pub probe_for: String,
}

impl Default for RecoverySpec {
    fn default() -> Self {
        Self {
            mode: RecoveryMode::default(),
            cooldown: "5m".into(),
            max_cooldown: "1h".into(),
            probe_replicas: 1,
            probe_for: "5m".into(),
        }
    }
}

/// HTTP calls around a trip, as CloudEvents 1.0 in JSON.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HooksSpec {
    /// Called after the decision and before the workload is scaled down, for example to roll back what is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_trip: Option<BeforeTrip>,
    /// Told of each trip, at least once, also across restarts of the controller.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub notify: Vec<Notify>,
}

/// A call before the trip.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeforeTrip {
    /// Where to, http or https.
    #[schemars(length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [rule(URL, "url is absolute, begins with http:// or https:// and names no user")]))]
    pub url: String,
    /// Key of the signature (HMAC-SHA256 over the body).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKey>,
    /// How long it has for an answer, from 1s to 30s.
    #[serde(default = "ten_seconds")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self.matches('^[0-9]{1,2}s$') && duration(self) >= duration('1s') && duration(self) <= duration('30s')", "timeout is a span from 1s to 30s")]))]
    pub timeout: String,
    /// When the call fails: Proceed scales down all the same, Hold does not trip until it succeeds.
    #[serde(default)]
    pub on_failure: OnFailure,
}

fn ten_seconds() -> String {
    "10s".into()
}

/// A receiver of notices.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// Where to, http or https.
    #[schemars(length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [rule(URL, "url is absolute, begins with http:// or https:// and names no user")]))]
    pub url: String,
    /// Key of the signature (HMAC-SHA256 over the body).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKey>,
}

/// A key of a Secret in the namespace of the breaker.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(length(max = 253))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self != ''", "secretRef needs the name of a Secret")]))]
    pub name: String,
    /// Its key.
    #[serde(default = "hmac_key")]
    #[schemars(length(max = 253))]
    pub key: String,
}

fn hmac_key() -> String {
    "key".into()
}

/// A share of the pods or a number of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrPercent {
    /// A number of pods.
    Pods(i64),
    /// `50%`, or a number as text.
    Text(String),
}

/// Half of them.
impl Default for IntOrPercent {
    fn default() -> Self {
        Self::Text("50%".into())
    }
}

impl JsonSchema for IntOrPercent {
    fn schema_name() -> Cow<'static, str> {
        "IntOrPercent".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true, "maxLength": 16})
    }
}

/// Refused below zero by a rule with words of its own.
fn whole_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64"})
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
        #[allow(missing_docs)] // a description of each variant would keep the schema from being a plain list
        pub enum $name { $($(#[$attr])* $variant),+ }
    };
}

names! {
    /// A cause of restarts.
    CauseName {
        #[default]
        Network, Oom, Application, Config, Image, Probe, Storage, Permission, Node, Eviction, Completed, Unknown, Any,
    }
}
names! {
    /// What becomes of restarts that nobody saw.
    UnobservedName { #[default] Inherit, Ignore }
}
names! {
    /// How the workload comes back.
    RecoveryMode { #[default] Manual, HalfOpen }
}
names! {
    /// Whether the breaker acts.
    ModeName { #[default] Enforce, Observe }
}
names! {
    /// What a person has set over the policy.
    OverrideName { #[default] Auto, ForcedOpen, Disabled }
}
names! {
    /// What happens when the call before a trip fails.
    OnFailure { #[default] Proceed, Hold }
}
