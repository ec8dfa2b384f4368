use std::fmt;

use serde::Serialize;

/// How bad an alert is by what is known of its name.
///
/// Deliberately not `Ord`: [`Unknown`](Severity::Unknown) is neither above nor below
/// [`Warning`](Severity::Warning). [`rank`](Severity::rank) says what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Users are hurt now.
    Critical,
    /// Something is broken and users will notice.
    Error,
    /// Something degrades.
    Warning,
    /// The name is not among those known.
    Unknown,
}

/// The UpCommerce names; the transient form of a failure is left out on purpose, for what it means depends on
/// its repeats and not on its name.
const KNOWN: [(&str, Severity); 5] = [
    ("TooFewEndpointsRegistered", Severity::Critical),
    ("EndpointRegistrationFailure", Severity::Error),
    ("LLMModelVeryStale", Severity::Error),
    ("LLMBatchProcessingJobFailures", Severity::Warning),
    ("LLMModelStale", Severity::Warning),
];

impl Severity {
    /// Looks the exact name up; case matters, and no part of a name is guessed at.
    pub fn of(alert: &str) -> Severity {
        KNOWN.iter().find(|(name, _)| *name == alert).map_or(Severity::Unknown, |(_, severity)| *severity)
    }

    /// Its place in the order of rows, 0 first. A warning and an unknown name share a place: not knowing an
    /// alert is no reason to put it last.
    pub fn rank(self) -> u8 {
        match self {
            Severity::Critical => 0,
            Severity::Error => 1,
            Severity::Warning | Severity::Unknown => 2,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Critical => "critical",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_known() {
        for (case, alert, want) in [
            ("listed", "TooFewEndpointsRegistered", Severity::Critical),
            ("the higher rung", "LLMModelVeryStale", Severity::Error),
            ("the lower rung", "LLMModelStale", Severity::Warning),
            ("another case", "llmmodelstale", Severity::Unknown),
            ("a longer name", "LLMModelStaleAgain", Severity::Unknown),
            ("the transient form", "EndpointRegistrationTransientFailure", Severity::Unknown),
        ] {
            assert_eq!(Severity::of(alert), want, "{case}");
        }
    }

    #[test]
    fn unknown_is_not_put_behind_a_warning() {
        assert_eq!(Severity::Unknown.rank(), Severity::Warning.rank());
    }
}
