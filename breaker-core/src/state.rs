//! The state of a breaker.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a breaker is; see the crate's picture for the arrows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all_fields = "camelCase")]
pub enum State {
    /// Watching.
    #[default]
    Closed,
    /// Decided, and on its way to scale to zero.
    Tripping {
        /// Since when.
        since: Timestamp,
        /// Replicas to give back later.
        replicas: u32,
        /// Why.
        because: TripReason,
    },
    /// The target is at zero.
    Open {
        /// Since when.
        since: Timestamp,
        /// Replicas to give back.
        replicas: u32,
        /// Why.
        because: TripReason,
        /// The replicas are being given back.
        #[serde(default)]
        restoring: bool,
    },
    /// A few replicas are being tried.
    HalfOpen {
        /// Since when they run; while they are being scaled up, since the decision.
        since: Timestamp,
        /// Replicas to give back.
        replicas: u32,
        /// Replicas being tried.
        probe: u32,
        /// Why it was open.
        because: TripReason,
        /// The probe was scaled up and is being watched.
        #[serde(default)]
        probing: bool,
        /// The replicas are being given back.
        #[serde(default)]
        restoring: bool,
    },
}

impl State {
    /// `Closed`, `Tripping`, `Open` or `HalfOpen`.
    pub fn phase(&self) -> &'static str {
        match self {
            Self::Closed => "Closed",
            Self::Tripping { .. } => "Tripping",
            Self::Open { .. } => "Open",
            Self::HalfOpen { .. } => "HalfOpen",
        }
    }

    /// Why it is not closed.
    pub fn because(&self) -> Option<&TripReason> {
        match self {
            Self::Closed => None,
            Self::Tripping { because, .. } | Self::Open { because, .. } | Self::HalfOpen { because, .. } => {
                Some(because)
            }
        }
    }

    /// The replicas that a reset gives back.
    pub fn replicas(&self) -> Option<u32> {
        match self {
            Self::Closed => None,
            Self::Tripping { replicas, .. }
            | Self::Open { replicas, .. }
            | Self::HalfOpen { replicas, .. } => Some(*replicas),
        }
    }

    /// Further along than another state of the same episode.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Tripping { .. } => 1,
            Self::Open { .. } => 2,
            Self::HalfOpen { .. } => 3,
        }
    }
}

/// Why a breaker tripped, in the words that travel into log, Event and status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TripReason {
    /// A person pressed the button.
    #[serde(default)]
    pub pressed: bool,
    /// The trial replicas of a half-open breaker failed.
    #[serde(default)]
    pub probe_failed: bool,
    /// Restarts that counted.
    pub counted: u32,
    /// Restarts that were tolerated.
    pub threshold: u32,
    /// Pods that were failing.
    pub failing: u32,
    /// Pods that had to be.
    pub need: u32,
    /// The window, as written in the policy.
    #[serde(default)]
    pub window: String,
    /// Revision of the failing pods.
    #[serde(default)]
    pub revision: String,
    /// The most frequent counted cause: `network:refused`.
    #[serde(default)]
    pub cause: String,
    /// What the newest counted restart said.
    #[serde(default)]
    pub quote: String,
}

/// One sentence without a full stop.
impl fmt::Display for TripReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pressed {
            return f.write_str("the red button was pressed");
        }
        if self.probe_failed {
            f.write_str("the trial replicas failed: ")?;
        }
        write!(
            f,
            "{} restarts because of {}, more than {} tolerated",
            self.counted, self.cause, self.threshold
        )?;
        match self.window.as_str() {
            "" | "none" => {}
            window => write!(f, " within {window}")?,
        }
        write!(f, ", {} of {} needed pods failing", self.failing, self.need)?;
        if !self.quote.is_empty() {
            write!(f, "; the last one said \"{}\"", self.quote)?;
        }
        Ok(())
    }
}

/// What a person has set over the policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Override {
    /// The policy decides.
    #[default]
    Auto,
    /// The red button is pressed; stays open until reset.
    ForcedOpen,
    /// Count and tell, do nothing.
    Disabled,
}
