//! A report as owned data, to read its JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Group, Incident, Malformed, Overflow, Totals, Unread};

/// A `triage/v1` report, as [`Report`](super::Report) serializes it.
///
/// Reading a report and writing it again gives the same bytes.
///
/// ```
/// use alert_triage::report::ReportDocument;
/// use alert_triage::{Engine, Format, Rules};
///
/// let mut engine = Engine::new(Rules::builtin());
/// engine.read("night.log", Format::Lines, b"Zone AB: LLMModelStale\n");
/// let json = serde_json::to_string(&engine.report(None)).unwrap();
///
/// let document: ReportDocument = serde_json::from_str(&json).unwrap();
/// assert_eq!(document.incidents[0].headline, "LLMModelStale");
/// assert_eq!(serde_json::to_string(&document).unwrap(), json);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(title = "triage/v1"))]
#[non_exhaustive]
pub struct ReportDocument {
    /// Version of the format: `triage/v1`.
    pub schema: String,
    /// Time of judgement in UTC; null if no time is known.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>", extend("format" = "date-time")))]
    pub now: Option<Timestamp>,
    /// Sums over the input.
    pub totals: Totals,
    /// All incidents, the most urgent first.
    pub incidents: Vec<Incident>,
    /// Alerts that are active in several scopes.
    pub groups: Vec<Group>,
    /// Alerts beyond the limit of distinct alerts; null if there are none.
    pub overflow: Option<Overflow>,
    /// Notes about the whole report, in sentences.
    pub caveats: Vec<String>,
    /// The first 1,000 lines or records that could not be read.
    pub malformed: Vec<Malformed>,
    /// Number of malformed lines or records by the kind of error.
    pub malformed_by_error: BTreeMap<String, u64>,
    /// Inputs that are not empty and of which nothing could be read.
    #[serde(default)]
    pub unread: Vec<Unread>,
}
