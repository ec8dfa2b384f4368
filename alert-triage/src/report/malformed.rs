//! Lines and records that could not be read, as a report shows them.

use crate::ledger::{self, Engine, LineOffsets};
use crate::source_position::SourcePosition;

/// A line or a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Malformed {
    /// The name of the input; `None` if there is only one input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The line number, counted from 1.
    pub line: u64,
    /// What is wrong and how to fix it, as the continuation of "it …".
    pub error: String,
    /// The text, made printable and truncated.
    pub text: String,
}

impl Malformed {
    pub(crate) fn new(
        engine: &Engine,
        offsets: &LineOffsets,
        position: SourcePosition,
        malformed: &ledger::MalformedInput,
    ) -> Self {
        Self {
            source: engine.source_name(position),
            line: offsets.line(position),
            error: malformed.fault.to_string(),
            text: malformed.text.clone(),
        }
    }
}
