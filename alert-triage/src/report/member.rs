//! Members of incidents.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::labels::{self, Labels};
use crate::judge::alert_state::SilentSpan;
use crate::printable;
use crate::severity::Severity;
use crate::verdict::Verdict;

/// One alert of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Member {
    /// The name of the alert.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The labels of its identity. Labels that differ between senders or restarts are left out.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
    /// The free text after the name, with ids and times masked.
    #[serde(default, skip_serializing_if = "String::is_empty", serialize_with = "printable::serialize")]
    pub text: String,
    /// The severity. A sustained transient has that of its lasting form.
    pub severity: Severity,
    /// The number of records, without duplicates.
    pub count: u64,
    /// The number of episodes.
    pub episodes: u32,
    /// The first verdict that holds.
    pub verdict: Verdict,
    /// The other verdicts that hold, and further conditions.
    pub flags: Vec<Cow<'static, str>>,
    /// How long its events have been missing, if they came in a regular rhythm; with the flag
    /// `silent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Silent>,
    /// Its relation to the other members.
    pub role: Role,
    /// The alert that supersedes it.
    pub by: Option<AlertRef>,
    /// The alert that explains it.
    pub cause: Option<Cause>,
    /// The id of the rule or the heuristic behind the verdict; `triage rules` lists them.
    pub rule: String,
    /// The reason for the verdict, in words.
    pub why: String,
    /// The end of the silence.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub until: Option<Timestamp>,
    /// When somebody acknowledged it; see also the flag `acknowledged`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub acknowledged: Option<Timestamp>,
    /// Texts and links for people, as its newest record has them: a summary, a description, a
    /// runbook, a graph, a dashboard. A link is complete; a text is cut as any other.
    #[serde(default, skip_serializing_if = "Labels::is_empty", serialize_with = "labels::annotations")]
    pub annotations: Labels,
    /// At most 5 values that are not part of the identity.
    #[serde(serialize_with = "printable::serialize_all")]
    pub examples: Vec<String>,
    /// The URL of its runbook, from the rules or else from its annotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Its earliest record.
    pub first: Seen,
    /// Its latest record.
    pub last: Seen,
}

/// An event that came in a regular rhythm and has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Silent {
    /// For how many seconds it has not come.
    pub seconds: i64,
    /// How often it came, in seconds.
    pub every: i64,
}

impl std::fmt::Display for Silent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "silent for {}, came every {}", rounded(self.seconds), rounded(self.every))
    }
}

impl From<SilentSpan> for Silent {
    fn from(silence: SilentSpan) -> Self {
        Self { seconds: silence.lasts.as_secs(), every: silence.every.as_secs() }
    }
}

/// A duration in its largest fitting unit: `45 s`, `5 min`, `8 h`, `3 days`.
fn rounded(seconds: i64) -> String {
    const UNITS: [(i64, i64, &str); 3] = [(60, 1, "s"), (3_600, 60, "min"), (48 * 3_600, 3_600, "h")];
    let unit = UNITS.into_iter().find(|(below, ..)| seconds < *below);
    let (_, length, name) = unit.unwrap_or((0, 24 * 3_600, "days"));
    format!("{} {name}", seconds / length)
}

/// The relation of a member to the other members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Explains other members, and no member explains it.
    Cause,
    /// Another member explains it.
    Symptom,
    /// Neither cause nor symptom.
    Member,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Role::Cause => "cause",
            Role::Symptom => "symptom",
            Role::Member => "member",
        })
    }
}

/// A reference to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct AlertRef {
    /// The name of the alert.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The labels of its identity.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
}

/// The alert that explains this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Cause {
    /// The name of the alert.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// The labels of its identity.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
    /// The id of the edge.
    pub rule: String,
}

/// The location and the time of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Seen {
    /// The name of the input; `None` if there is only one input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The line number, counted from 1.
    pub line: u64,
    /// The time of the record; `None` if it has none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn durations_are_in_one_unit() {
        for (seconds, want) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_599, "59 min"),
            (3_600, "1 h"),
            (8 * 3_600 + 1_799, "8 h"),
            (47 * 3_600, "47 h"),
            (48 * 3_600, "2 days"),
        ] {
            assert_eq!(rounded(seconds), want);
        }
    }
}
