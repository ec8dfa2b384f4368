//! What the controller reports, and the Record it resumes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::autoscalers::KedaPause;

/// Where the breaker stands. Written by the controller alone.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CircuitBreakerStatus {
    /// Closed (watching), Tripping (on its way to zero), Open (at zero) or HalfOpen (a few replicas on trial).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// Counted restarts inside the window; while not closed, those that tripped it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub counted: Option<u32>,
    /// Counted restarts that are tolerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub threshold: Option<u32>,
    /// All restarts inside the window, by cause.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "numbers")]
    pub by_cause: BTreeMap<String, u32>,
    /// Replicas that a reset gives back; absent while closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "integer")]
    pub original_replicas: Option<u32>,
    /// The last trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_trip: Option<LastTrip>,
    /// Field manager that scaled the open workload up; it is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contested_by: Option<String>,
    /// The generation of the spec that this status is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, TargetFound, Tripped and Held always; Contested, Conflict, WindowTooShort and HPAMayScaleUp while they hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "conditions")]
    pub conditions: Vec<Condition>,
    /// The reset that was acted on last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_handled: Option<String>,
    /// The override of the spec that was acted on last: ForcedOpen presses the button once, not again after a restart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_handled: Option<String>,
    /// The ScaledObject of KEDA that is paused while the breaker is not closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<KedaPause>,
    /// What the controller resumes from after its own restart. Not for people; do not edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "anything")]
    pub record: Option<Value>,
}

/// A trip.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastTrip {
    /// When it was decided.
    #[schemars(schema_with = "time")]
    pub at: Timestamp,
    /// The most frequent counted cause, for example network:refused; button when a person pressed it.
    pub cause: String,
    /// What the newest counted restart said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub quote: String,
}

/// One aspect of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which.
    #[serde(rename = "type")]
    pub kind: String,
    /// True, False or Unknown.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, for people.
    pub message: String,
    /// When the status last changed.
    #[schemars(schema_with = "time")]
    pub last_transition_time: Timestamp,
    /// The generation of the spec that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
}

/// Types of conditions.
pub mod condition {
    /// The breaker watches its target.
    pub const READY: &str = "Ready";
    /// The target exists and its pods can be told.
    pub const TARGET_FOUND: &str = "TargetFound";
    /// The target is at zero, on its way there, or on trial.
    pub const TRIPPED: &str = "Tripped";
    /// Restarts are many, and yet the breaker does not act.
    pub const HELD: &str = "Held";
    /// Somebody else scaled the open target up.
    pub const CONTESTED: &str = "Contested";
    /// An older breaker has the same target.
    pub const CONFLICT: &str = "Conflict";
    /// The window can overlook a steady crash loop.
    pub const WINDOW_TOO_SHORT: &str = "WindowTooShort";
    /// A HorizontalPodAutoscaler may scale the open target up.
    pub const HPA_MAY_SCALE_UP: &str = "HPAMayScaleUp";
}

fn integer(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "integer", "format": "int64"})
}

fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// Replaced as a whole: one entry of managed fields instead of one for each cause.
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

/// Replaced as a whole; its shape is the controller's own affair.
fn anything(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "x-kubernetes-map-type": "atomic",
    })
}
