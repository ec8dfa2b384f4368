//! Inputs of which nothing could be read, as a report shows them.

use crate::report::view::Report;
use crate::source_position::SourcePosition;
use crate::unread::describe;

/// An input that is not empty and of which nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Unread {
    /// The name of the input; `None` if there is only one input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A short stable word for what the input looks like, such as `html` or `error-answer`.
    pub looks_like: String,
    /// What the input looks like and what to do, as the continuation of "it …".
    pub error: String,
    /// The number of its lines or records that could not be read.
    pub malformed: u64,
}

impl Report<'_> {
    /// The inputs that are not empty and of which nothing could be read. An empty list of alerts
    /// was read: it is not among them.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// engine.read("alerts.json", Format::Jsonl, br#"{"code": 401, "message": "unauthorized"}"#);
    /// let report = engine.report(None);
    /// let unread: Vec<_> = report.unread().collect();
    /// assert_eq!((unread.len(), unread[0].looks_like.as_str()), (1, "error-answer"));
    /// ```
    pub fn unread(&self) -> impl Iterator<Item = Unread> + '_ {
        let engine = self.evaluation.engine;
        engine.source_log.unread().map(|(source, head)| {
            let looks = describe(&head);
            Unread {
                source: engine.source_name(SourcePosition::new(source, 0, 0)),
                looks_like: looks.kind.to_owned(),
                error: looks.sentence,
                malformed: engine.source_log.faults_of(source),
            }
        })
    }
}
