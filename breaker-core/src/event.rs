//! The events of a breaker, as data and as one line of text.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::notification::NotificationKind;
pub use crate::restart_event::RestartEvent;
use crate::snapshot::{Blind, Counts, Hold};
use crate::state::{Phase, Trip, TripReason};
use crate::text::plural;

/// An event of a breaker.
///
/// Its JSON is an object with an `event` key. Its text is one line without a line feed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum BreakerEvent {
    /// The breaker has started to watch its target.
    Watching {
        /// `namespace/kind/name`.
        target: String,
        /// `spec.replicas`.
        replicas: u32,
        /// Number of live pods.
        pods: u32,
        /// The counts of the revision closest to a trip.
        #[serde(flatten)]
        counts: Counts,
        /// Restarts of that revision inside the window, counted or not, by cause.
        #[serde(default)]
        by_cause: BTreeMap<String, u32>,
        /// Restarts of that revision inside the window, counted or not, by the peer that they name:
        /// the 10 most frequent, and `other`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        by_peer: BTreeMap<String, u32>,
    },
    /// One restart, counted or not.
    Restart(RestartEvent),
    /// A periodic report of phase and counts.
    Heartbeat {
        /// Phase of the breaker.
        phase: Phase,
        /// Live pods.
        pods: u32,
        /// The counts of the revision closest to a trip.
        #[serde(flatten)]
        counts: Counts,
        /// Restarts of that revision inside the window, counted or not, by cause.
        #[serde(default)]
        by_cause: BTreeMap<String, u32>,
        /// Restarts of that revision inside the window, counted or not, by the peer that they name:
        /// the 10 most frequent, and `other`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        by_peer: BTreeMap<String, u32>,
        /// Why a trip is held; `None` when none is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Hold>,
        /// Since when the breaker does not see its pods; `None` while it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blind: Option<Blind>,
        /// For how many seconds it has been blind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blind_seconds: Option<i64>,
    },
    /// A trip is held.
    Held(Hold),
    /// A breaker that only observes would trip now.
    WouldTrip(TripReason),
    /// A trip was decided and recorded; the scale is written next.
    Tripping {
        /// Replicas that a reset restores.
        replicas: u32,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// The `before_trip` hook answered, or failed.
    Hook {
        /// Scheme and host.
        to: String,
        /// The outcome.
        answer: HookOutcome,
        /// Why it failed; empty when it did not.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
        /// Whether the trip proceeds.
        proceeds: bool,
    },
    /// A receiver acknowledged a notification.
    Notified {
        /// Scheme and host.
        to: String,
        /// The kind of the notification.
        what: NotificationKind,
    },
    /// The target is at zero.
    Scaled {
        /// Replicas that a reset restores.
        replicas: u32,
        /// Whether the target was at zero before the breaker wrote it.
        already: bool,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// A trip was abandoned before the target was scaled.
    Abandoned {
        /// Why it was abandoned.
        why: String,
    },
    /// Another client scaled the open target up; the breaker closes.
    Contested {
        /// Field manager of the client.
        by: String,
        /// Replicas found.
        replicas: u32,
    },
    /// The trial of a half-open breaker has started.
    Probing {
        /// Replicas on trial.
        replicas: u32,
    },
    /// The replicas were restored.
    Restored {
        /// Replicas now.
        replicas: u32,
    },
    /// A closed breaker was reset; counting starts from zero.
    Reset,
    /// The breaker is open already.
    AlreadyOpen {
        /// Replicas that a reset restores.
        replicas: u32,
        /// Why.
        #[serde(flatten)]
        because: TripReason,
    },
    /// A problem that does not end the watch.
    Warning {
        /// The problem, in one sentence.
        message: String,
    },
    /// A command is done, or a target is at zero, and the run waits before it ends.
    Waiting {
        /// What it waits for, as the end of the sentence "waiting for".
        what: String,
        /// After how many more seconds the run ends in any case; `None` without such a limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds_left: Option<i64>,
    },
    /// The target was deleted.
    Lost {
        /// `namespace/kind/name`.
        target: String,
    },
}

impl BreakerEvent {
    pub(crate) fn already_open(trip: Trip) -> Self {
        Self::AlreadyOpen { replicas: trip.replicas, because: trip.because }
    }
}

/// The outcome of a call of the `before_trip` hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HookOutcome {
    /// The trip may go on.
    Proceed,
    /// The trip must wait.
    Hold,
    /// There was no valid answer within the timeout.
    Failed,
}

impl HookOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Proceed, Self::Hold, Self::Failed];

    /// The name in snake case, as in JSON and in metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proceed => "proceed",
            Self::Hold => "hold",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for HookOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for BreakerEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watching { target, replicas, pods, counts, by_cause, .. } => write!(
                f,
                "watching {target}: {}, {}, counted restarts {}",
                plural(*replicas, "replica"),
                plural(*pods, "pod"),
                counts.with_causes(by_cause)
            ),
            Self::Restart(restart) => restart.fmt(f),
            Self::Heartbeat { phase, pods, counts, by_cause, held, blind, blind_seconds, .. } => {
                let phase = phase.as_str().to_lowercase();
                write!(f, "{} {phase}, {}", counts.with_causes(by_cause), plural(*pods, "pod"))?;
                if let Some(blind) = blind {
                    write!(f, "; blind for {} s: {}", blind_seconds.unwrap_or_default(), blind.why)?;
                }
                match held {
                    Some(held) => write!(f, "; held: {held}"),
                    None => Ok(()),
                }
            }
            Self::Held(held) => write!(f, "held: {held}"),
            Self::WouldTrip(because) => write!(f, "would trip: {because}"),
            Self::Tripping { replicas, because } => {
                write!(f, "tripping: scaling {} to 0: {because}", plural(*replicas, "replica"))
            }
            Self::Hook { to, answer: HookOutcome::Proceed, .. } => write!(f, "hook {to} answered: proceed"),
            Self::Hook { to, answer: HookOutcome::Hold, .. } => write!(f, "hook {to} answered: hold"),
            Self::Hook { to, why, proceeds: true, .. } => write!(f, "hook {to} failed, proceeding: {why}"),
            Self::Hook { to, why, .. } => write!(f, "hook {to} failed: {why}"),
            Self::Notified { to, what } => write!(f, "notified {to} of {what}"),
            Self::Scaled { replicas, already: false, because } => {
                write!(f, "scaled to 0 (was {replicas}): {because}")
            }
            Self::Scaled { replicas, already: true, .. } => {
                write!(f, "already at 0; a reset restores {}", plural(*replicas, "replica"))
            }
            Self::Abandoned { why } => write!(f, "trip abandoned: {why}"),
            Self::Contested { by, replicas } => {
                write!(
                    f,
                    "contested: {by} scaled it up to {replicas}; the breaker closes and counts from zero"
                )
            }
            Self::Probing { replicas } => write!(f, "half open: trying {}", plural(*replicas, "replica")),
            Self::Restored { replicas } => write!(f, "closed: restored {}", plural(*replicas, "replica")),
            Self::Reset => f.write_str("reset: counting from zero"),
            Self::AlreadyOpen { replicas, because } => {
                write!(f, "already open; a reset restores {}: {because}", plural(*replicas, "replica"))
            }
            Self::Warning { message } => write!(f, "warning: {message}"),
            Self::Waiting { what, seconds_left: Some(secs) } => {
                write!(f, "waiting up to {secs} s for {what}")
            }
            Self::Waiting { what, seconds_left: None } => write!(f, "waiting for {what}"),
            Self::Lost { target } => write!(f, "{target} is gone"),
        }
    }
}
