//! The status: what the controller reports, and the Record from which it resumes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::{Condition, time};

/// The state of the breaker. Only the controller writes it.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CircuitBreakerStatus {
    /// Closed (watching), Tripping (being scaled to zero), Open (at zero) or HalfOpen (a few
    /// replicas on trial).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Why the breaker does not trip although its limits are exceeded: the reason of the condition
    /// Held, only while that is True.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Counted restarts inside the window. While the breaker is not closed, the restarts that
    /// tripped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub counted: Option<u32>,
    /// Counted restarts up to which the breaker does not trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub threshold: Option<u32>,
    /// All restarts inside the window, by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "numbers")]
    pub by_cause: BTreeMap<String, u32>,
    /// All restarts inside the window that name a peer, by peer: the 10 most frequent, and "other".
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "numbers")]
    pub by_peer: BTreeMap<String, u32>,
    /// Replicas that a reset restores. Absent while the breaker is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub original_replicas: Option<u32>,
    /// The last trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_trip: Option<LastTrip>,
    /// Outages at which the breaker would have tripped if it did not only observe: the last 10,
    /// newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub would_trip: Vec<WouldTrip>,
    /// Field manager that scaled the open workload up; "another client" if the API server does not
    /// keep its name. The breaker does not scale it down again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contested_by: Option<String>,
    /// Generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, TargetFound, Tripped and Held are always present; Contested, Conflict, WindowTooShort
    /// and HPAMayScaleUp only while they are true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
    /// Value of the reset annotation that was acted on last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_handled: Option<String>,
    /// Override of the spec that was acted on last. ForcedOpen trips the breaker once, and not
    /// again after a restart of the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_handled: Option<String>,
    /// Lease by which the controller is elected, as NAMESPACE/NAME; absent without an election. If
    /// nobody renews it, no controller runs and this status is old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<String>,
    /// KEDA's ScaledObject that is paused while the breaker is not closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<KedaPause>,
    /// State from which the controller resumes after its own restart. Do not edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub record: Option<Value>,
}

/// The last trip of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastTrip {
    /// When the trip was decided.
    #[schemars(schema_with = "time")]
    pub at: Timestamp,
    /// The most frequent counted cause, for example network:refused; `button` when a person tripped
    /// it.
    pub cause: String,
    /// The peer that most of the counted restarts name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Log line or message of the newest counted restart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quote: String,
}

/// An outage at which a breaker that only observes would have tripped.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WouldTrip {
    /// When it would have tripped.
    #[schemars(schema_with = "time")]
    pub at: Timestamp,
    /// When its counts were within the limits again; absent before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "time")]
    pub until: Option<Timestamp>,
    /// Counted restarts when it would have tripped.
    #[schemars(schema_with = "integer")]
    pub counted: u32,
    /// Counted restarts up to which it does not trip.
    #[schemars(schema_with = "integer")]
    pub threshold: u32,
    /// The most frequent counted cause, for example network:refused.
    pub cause: String,
    /// The peer that most of the counted restarts name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Log line or message of the newest counted restart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quote: String,
}

/// KEDA's autoscaler of the target, paused by the breaker.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KedaPause {
    /// Name of the ScaledObject.
    pub scaled_object: String,
    /// The owner's value of paused-replicas; absent when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// The value that the breaker sets.
    pub ours: String,
    /// A value that the breaker has set before, and that may still be there while `set` is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<String>,
    /// Whether the breaker has set it.
    #[serde(default)]
    pub set: bool,
}

impl KedaPause {
    /// Whether the annotation has a value of the breaker. A new number is stored before it is set;
    /// until then the annotation has a former one, or zero.
    pub(crate) fn is_ours(&self, annotation: Option<&str>) -> bool {
        annotation
            .is_some_and(|value| value == self.ours || value == "0" || Some(value) == self.former.as_deref())
    }

    /// The pause at `replicas`, before it is set. Zero is always a value of the breaker, so only
    /// the number of a trial has to be remembered.
    pub(crate) fn at(&self, replicas: &str) -> Self {
        let former = match self.ours.as_str() {
            ours if ours == replicas || ours == "0" => self.former.clone(),
            ours => Some(ours.to_owned()),
        };
        Self { ours: replicas.to_owned(), former, set: false, ..self.clone() }
    }
}

fn integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64"})
}

/// A map that is replaced as a whole, so that managed fields do not list each cause.
fn numbers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": {"type": "integer", "format": "int64"},
        "x-kubernetes-map-type": "atomic",
    })
}

fn conditions(generator: &mut SchemaGenerator) -> Schema {
    let one = generator.subschema_for::<Condition>();
    json_schema!({
        "type": "array",
        "items": one,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}

/// An object of any shape that is replaced as a whole.
fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "x-kubernetes-map-type": "atomic",
    })
}
