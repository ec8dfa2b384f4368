//! Counted restarts and failing pods against the limits of the policy.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::plural;

/// Counted restarts and failing pods of one revision, each with its limit.
///
/// The breaker trips when `counted` is above `threshold` and `failing` has reached `need`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Restarts inside the window whose cause counts.
    pub counted: u32,
    /// Restarts tolerated: `maxRestarts` for each of `need` pods.
    pub threshold: u32,
    /// Live pods with a counted restart that are failing now.
    pub failing: u32,
    /// Pods that must be failing for a trip.
    pub need: u32,
}

impl Counts {
    /// Whether both conditions of a trip hold.
    pub fn exceed_limits(&self) -> bool {
        self.counted > self.threshold && self.failing >= self.need
    }

    /// `2/3 (network:refused 2, oom 1)`: the counts, followed by restarts by cause.
    pub fn with_causes(&self, by_cause: &BTreeMap<String, u32>) -> impl fmt::Display {
        let mut text = self.to_string();
        for (at, (label, count)) in by_cause.iter().enumerate() {
            let before = if at == 0 { " (" } else { ", " };
            text = format!("{text}{before}{label} {count}");
        }
        if by_cause.is_empty() { text } else { text + ")" }
    }

    /// `2 pods failing, 1 needed`.
    pub fn failing_pods(&self) -> impl fmt::Display + use<> {
        format!("{} failing, {} needed", plural(self.failing, "pod"), self.need)
    }

    /// Whether one more counted restart may trip.
    pub(crate) fn at_threshold(&self) -> bool {
        self.counted > 0 && self.counted >= self.threshold
    }
}

/// `2/3`: counted restarts and the threshold.
impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.counted, self.threshold)
    }
}
