//! Conditions of a CircuitBreaker: their shape, their types and their reasons.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One aspect of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which aspect.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 316))]
    pub kind: String,
    /// True, False or Unknown.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// Why, in one word.
    #[schemars(length(min = 1, max = 1024), regex(pattern = r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"))]
    pub reason: String,
    /// Why, for people.
    #[schemars(length(max = 32768))]
    pub message: String,
    /// When the status last changed.
    #[schemars(schema_with = "time")]
    pub last_transition_time: Timestamp,
    /// The generation of the spec that the condition is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
}

/// A point in time. `schemars` has no schema for jiff's type.
pub(super) fn time(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "date-time"})
}

/// The breaker watches its target.
pub const READY: &str = "Ready";
/// The target exists, and its scale names its pods.
pub const TARGET_FOUND: &str = "TargetFound";
/// The target is at zero, about to be scaled to zero, or on trial.
pub const TRIPPED: &str = "Tripped";
/// There are enough restarts for a trip, but the breaker does not act.
pub const HELD: &str = "Held";
/// Somebody else scaled the open target up.
pub const CONTESTED: &str = "Contested";
/// An older breaker has the same target.
pub const CONFLICT: &str = "Conflict";
/// The window can miss a steady crash loop.
pub const WINDOW_TOO_SHORT: &str = "WindowTooShort";
/// A HorizontalPodAutoscaler may scale the open target up.
pub const HPA_MAY_SCALE_UP: &str = "HPAMayScaleUp";

/// Reasons of conditions. Some are the reasons of Events too.
pub mod reason {
    /// Ready, false: the breaker was not started yet.
    pub const STARTING: &str = "Starting";
    /// Ready: the breaker watches and acts.
    pub const WATCHING: &str = "Watching";
    /// Ready: the breaker watches and does not act, by `mode: Observe`.
    pub const OBSERVING: &str = "Observing";
    /// Ready: the breaker watches and does not act, by `override: Disabled`.
    pub const DISABLED: &str = "Disabled";
    /// Ready, false: the breaker does not see its pods.
    pub const BLIND: &str = "Blind";
    /// Ready, false: the breaker's task ended.
    pub const STOPPED: &str = "Stopped";
    /// Ready, false: the spec cannot be used.
    pub const INVALID_SPEC: &str = "InvalidSpec";
    /// Ready, false: the target is the workload that runs the controller.
    pub const OWN_WORKLOAD: &str = "OwnWorkload";
    /// Ready, false: an older breaker has the same target.
    pub const CONFLICT: &str = "Conflict";
    /// Ready, false: the API server forbids a request. A right is missing, or a policy refuses.
    pub const FORBIDDEN: &str = "Forbidden";
    /// Ready, false: the stored Record cannot be read.
    pub const BAD_RECORD: &str = "BadRecord";
    /// Ready, false: the API server does not answer, or its answer is not understood.
    pub const UNREACHABLE: &str = "Unreachable";
    /// Ready, false: the API server refused a request.
    pub const REFUSED: &str = "Refused";
    /// TargetFound: the target exists.
    pub const FOUND: &str = "Found";
    /// TargetFound, false: the breaker has not looked yet.
    pub const NOT_CHECKED: &str = "NotChecked";
    /// Ready and TargetFound, false: the target does not exist.
    pub const TARGET_NOT_FOUND: &str = "TargetNotFound";
    /// Ready and TargetFound, false: the target has no scale subresource.
    pub const NO_SCALE: &str = "NoScale";
    /// Ready and TargetFound, false: the target's scale has no selector.
    pub const NO_SELECTOR: &str = "NoSelector";
    /// Tripped, false: the breaker is closed.
    pub const CLOSED: &str = "Closed";
    /// Tripped, false: the breaker only observes, and would have tripped.
    pub const WOULD_TRIP: &str = "WouldTrip";
    /// Tripped: the trip is decided and not finished.
    pub const TRIPPING: &str = "Tripping";
    /// Tripped: the target is at zero.
    pub const OPEN: &str = "Open";
    /// Tripped: a few replicas are on trial.
    pub const HALF_OPEN: &str = "HalfOpen";
    /// Tripped: all replicas are being restored.
    pub const RESTORING: &str = "Restoring";
    /// Held, false: no trip is held.
    pub const NOT_HELD: &str = "NotHeld";
    /// Contested: the workload was scaled up.
    pub const SCALED_UP: &str = "ScaledUp";
    /// Conflict: the other breaker is older.
    pub const OLDER_BREAKER: &str = "OlderBreaker";
    /// WindowTooShort: the window of the spec is short for its threshold.
    pub const SHORT_WINDOW: &str = "ShortWindow";
    /// HPAMayScaleUp: `minReplicas` of the autoscaler is 0.
    pub const MIN_REPLICAS_ZERO: &str = "MinReplicasZero";
}
