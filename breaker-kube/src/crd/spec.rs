//! The spec: what the owner of a workload writes.
#![allow(clippy::duplicated_attributes)] // each printer column names its own type and priority

use std::borrow::Cow;

use kube::CustomResource;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::status::CircuitBreakerStatus;

/// A duration longer than zero in the syntax of Go and CEL: `1h30m`.
const DURATION: &str = "self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) > duration('0s')";

/// `cooldown` is at most `maxCooldown`. A text that is not a duration is refused by its field's own
/// rule.
const COOLDOWNS: &str = "[self.cooldown, self.maxCooldown].exists(d, d == '' || !d.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$')) || duration(self.cooldown) <= duration(self.maxCooldown)";

/// An http or https URL without a user.
const URL: &str = "isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHost() != '' && !self.matches('^[^/]*//[^/?#]*@')";

/// A lower-case name of DNS labels, as Kubernetes names objects.
const OBJECT_NAME: &str =
    "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')";

/// A rule in CEL that the API server checks, and its message when it refuses.
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
    category = "all",
    category = "bigredbutton",
    namespaced,
    status = "CircuitBreakerStatus",
    doc = "Scales a workload to zero when failures of a dependency keep restarting its containers, remembers how to restore it, and reports why.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether it watches its target"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Why it does or does not watch"
    ),
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
        description = "Counted restarts inside the window; while not closed, the restarts that tripped it"
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
        description = "Counted restarts up to which it does not trip"
    ),
    printcolumn(
        name = "Original",
        type_ = "integer",
        json_path = ".status.originalReplicas",
        priority = 1,
        description = "Replicas that a reset restores"
    ),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode", priority = 1),
    printcolumn(name = "Override", type_ = "string", json_path = ".spec.override", priority = 1),
    printcolumn(
        name = "Held",
        type_ = "string",
        json_path = ".status.held",
        priority = 1,
        description = "Why it does not trip although the threshold is exceeded"
    ),
    printcolumn(
        name = "WouldTrip",
        type_ = "date",
        json_path = ".status.wouldTrip[0].at",
        priority = 1,
        description = "Time since it would last have tripped, of a breaker that only observes"
    ),
    printcolumn(
        name = "Cause",
        type_ = "string",
        json_path = ".status.lastTrip.cause",
        priority = 1,
        description = "Cause of the last trip"
    ),
    printcolumn(
        name = "Peer",
        type_ = "string",
        json_path = ".status.lastTrip.peer",
        priority = 1,
        description = "Peer of the last trip"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreakerSpec {
    /// The workload: anything with a scale subresource, in the namespace of this breaker. It cannot
    /// be changed: delete the breaker and create another one.
    #[schemars(extend("x-kubernetes-validations" = [rule("self == oldSelf", "targetRef is immutable; delete the breaker and create another one")]))]
    pub target_ref: TargetRef,
    /// Which restarts count, and how many trip the breaker.
    #[serde(default)]
    pub trip: TripSpec,
    /// How the workload comes back after a trip.
    #[serde(default)]
    pub recovery: RecoverySpec,
    /// Enforce scales the workload. Observe is a dry run that only reports what it would do.
    /// Default: Enforce.
    #[serde(default)]
    pub mode: ModeName,
    /// Auto follows the policy. ForcedOpen scales the workload to zero at once, one time; the
    /// controller sets it back to Auto when the breaker is closed again, for example after a reset.
    /// Disabled counts and reports restarts but never scales. Default: Auto.
    #[serde(default, rename = "override")]
    pub override_: OverrideName,
    /// What happens while most breakers of the controller fail at once.
    #[serde(default, skip_serializing_if = "OutageGuardSpec::is_default")]
    pub outage_guard: OutageGuardSpec,
    /// Webhooks that are called before the workload is scaled down, and webhooks that are notified.
    #[serde(default)]
    pub hooks: HooksSpec,
}

/// A workload in the namespace of the breaker.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// Group and version, for example apps/v1 or argoproj.io/v1alpha1. Only the group is used.
    /// Default: apps/v1.
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
    #[schemars(extend("x-kubernetes-validations" = [rule(OBJECT_NAME, "name is the name of an object: lower-case letters, digits, - and ., each part between two . begins and ends with a letter or digit")]))]
    pub name: String,
}

fn apps_v1() -> String {
    "apps/v1".into()
}

/// When the breaker trips: with more than maxRestarts counted restarts inside the window for each
/// pod that must be failing, while those pods are failing.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TripSpec {
    /// Causes whose restarts count. With Any, every restart counts. Default: Network.
    #[schemars(length(min = 1, max = 13))]
    pub causes: Vec<CauseName>,
    /// Peers whose failures count, as globs with * and ?, such as swype-* or *.swype.com:443. A
    /// network restart then counts only if the peer that its log names matches. Empty, the
    /// default: any peer.
    #[schemars(length(max = 32))]
    #[schemars(inner(length(max = 260)))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self.all(peer, peer.matches('^[^ ,/]+$'))", "peers are hosts with or without a port, for example swype-* or *.swype.com:443")]))]
    pub peers: Vec<String>,
    /// Counted restarts, for each pod that must be failing, up to which the breaker does not trip.
    /// With 1 replica and maxRestarts 3, the fourth restart trips it. Default: 3.
    #[schemars(schema_with = "whole_number", extend("minimum" = 0))]
    pub max_restarts: u32,
    /// How far back restarts count, such as 90s, 10m, 1h or 1h30m. With none, every restart since
    /// the last trip or reset counts. A window shorter than 15 min times maxRestarts can miss a
    /// steady crash loop; the condition WindowTooShort warns of it. Default: 1h.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self == 'none' || (self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) > duration('0s'))", "window is a duration longer than zero such as 90s, 10m or 1h30m, or none")]))]
    pub window: String,
    /// Pods that must be failing at the moment of the trip: a percentage such as 50% (rounded up),
    /// or a number (at most all pods). Default: 50%.
    #[schemars(extend("x-kubernetes-validations" = [rule("type(self) == int ? self >= 1 : self.matches('^([1-9][0-9]?|100)%$|^[1-9][0-9]{0,8}$')", "minFailingPods is a percentage from 1% to 100%, or a number of pods of at least 1")]))]
    pub min_failing_pods: IntOrPercent,
    /// How to count restarts that the controller did not observe. Inherit gives them the newest
    /// known cause where that is safe. Ignore leaves their cause unknown. Default: Inherit.
    pub unobserved: UnobservedName,
}

impl Default for TripSpec {
    fn default() -> Self {
        Self {
            causes: vec![CauseName::Network],
            peers: Vec::new(),
            max_restarts: 3,
            window: "1h".into(),
            min_failing_pods: IntOrPercent::default(),
            unobserved: UnobservedName::default(),
        }
    }
}

/// How the workload comes back. The durations and probeReplicas are used by HalfOpen only.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(COOLDOWNS, "cooldown must not be longer than maxCooldown")]))]
pub struct RecoverySpec {
    /// With Manual, a reset restores the replicas. With HalfOpen, a few replicas are tried after
    /// the cooldown, and all are restored when those keep running. Default: Manual.
    pub mode: RecoveryMode,
    /// Time before the first trial. It doubles after each trial that fails. Default: 5m.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(DURATION, "cooldown is a duration longer than zero such as 90s, 5m or 1h30m")]))]
    pub cooldown: String,
    /// Upper limit of the time before a trial. Default: 1h.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(DURATION, "maxCooldown is a duration longer than zero such as 30m or 1h")]))]
    pub max_cooldown: String,
    /// Replicas of a trial. Default: 1.
    #[schemars(schema_with = "whole_number", extend("minimum" = 1))]
    pub probe_replicas: u32,
    /// How long these replicas must run without a counted restart. Default: 5m.
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule(DURATION, "probeFor is a duration longer than zero such as 90s or 5m")]))]
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

/// The part of this breaker in an outage of most targets, while the controller holds every trip.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OutageGuardSpec {
    /// What happens if the restarts of all failing targets name one peer that is not a part of the
    /// cluster itself (its DNS, its API server, a node). Trip lets this breaker trip; Hold holds it
    /// as in any other outage. Default: that of the controller, which is Hold unless
    /// --outage-guard-common-peer says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_peer: Option<CommonPeerName>,
}

impl OutageGuardSpec {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// HTTP calls around a trip, as CloudEvents 1.0 in JSON.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HooksSpec {
    /// Called after the decision and before the workload is scaled down, for example to roll back
    /// queued work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_trip: Option<BeforeTrip>,
    /// Notified of each trip at least once, also across restarts of the controller.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub notify: Vec<Notify>,
}

/// The webhook that is called before a trip.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeforeTrip {
    /// URL of the webhook, http or https.
    #[schemars(length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [rule(URL, "url is absolute, begins with http:// or https:// and names no user")]))]
    pub url: String,
    /// Secret that signs the body (HMAC-SHA256).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKey>,
    /// Total time allowed for the call, from 1s to 30s. Default: 10s.
    #[serde(default = "ten_seconds")]
    #[schemars(length(max = 32))]
    #[schemars(extend("x-kubernetes-validations" = [rule("self.matches('^[0-9]{1,2}s$') && duration(self) >= duration('1s') && duration(self) <= duration('30s')", "timeout is a duration from 1s to 30s")]))]
    pub timeout: String,
    /// What happens when the call fails. Proceed scales the workload down; Hold does not trip until
    /// the call succeeds. Default: Proceed.
    #[serde(default)]
    pub on_failure: OnFailure,
}

fn ten_seconds() -> String {
    "10s".into()
}

/// Which of `url` and `secretRef` each format needs. A secret that is sent goes nowhere but to its
/// own service: who may write a CircuitBreaker need not be allowed to read Secrets.
const RECEIVER: &str = "self.format in ['Slack', 'Teams'] ? has(self.url) != has(self.secretRef) : (self.format == 'PagerDuty' ? has(self.secretRef) && (!has(self.url) || self.url in ['https://events.pagerduty.com/v2/enqueue', 'https://events.eu.pagerduty.com/v2/enqueue']) : has(self.url) && (self.format != 'Alertmanager' || !has(self.secretRef)))";

/// A receiver that is notified.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [rule(RECEIVER, "Slack and Teams need either url or a secretRef to it, PagerDuty needs a secretRef to the routing key and takes no other url than its own, CloudEvents and Alertmanager need a url, and Alertmanager takes no secretRef")]))]
pub struct Notify {
    /// What the receiver takes: CloudEvents 1.0; the message of a Slack incoming webhook; an
    /// Adaptive Card for a webhook of a Teams workflow; PagerDuty's Events API v2; the API v2 of
    /// Alertmanager. Default: CloudEvents.
    #[serde(default)]
    pub format: NotifyFormatName,
    /// URL of the receiver, http or https. For Alertmanager its root. For PagerDuty
    /// `https://events.pagerduty.com/v2/enqueue` (default) or
    /// `https://events.eu.pagerduty.com/v2/enqueue`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 2048))]
    #[schemars(extend("x-kubernetes-validations" = [rule(URL, "url is absolute, begins with http:// or https:// and names no user")]))]
    pub url: Option<String>,
    /// Secret of the receiver. For CloudEvents it signs the body (HMAC-SHA256), for Slack and Teams
    /// it is the URL, and for PagerDuty the routing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKey>,
}

/// A key of a Secret in the namespace of the breaker.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(length(max = 253))]
    #[schemars(extend("x-kubernetes-validations" = [rule(OBJECT_NAME, "secretRef needs the name of a Secret: lower-case letters, digits, - and .")]))]
    pub name: String,
    /// Key in the Secret. Default: key.
    #[serde(default = "hmac_key")]
    #[schemars(length(max = 253), regex(pattern = r"^[-._a-zA-Z0-9]+$"))]
    pub key: String,
}

fn hmac_key() -> String {
    "key".into()
}

/// A number of pods, or a percentage of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IntOrPercent {
    /// A number of pods.
    Int(i64),
    /// `50%`, or a number as text.
    Percent(String),
}

/// `50%`.
impl Default for IntOrPercent {
    fn default() -> Self {
        Self::Percent("50%".into())
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

/// An integer of at most a million. Each field adds its minimum.
fn whole_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64", "maximum": 1_000_000})
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
    /// How restarts that were not observed count.
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
    /// What happens when every failing target names one peer.
    CommonPeerName { #[default] Hold, Trip }
}
names! {
    /// What a receiver of notifications takes.
    NotifyFormatName { #[default] CloudEvents, Slack, Teams, PagerDuty, Alertmanager }
}
names! {
    /// What happens when the webhook before a trip fails.
    OnFailure { #[default] Proceed, Hold }
}
