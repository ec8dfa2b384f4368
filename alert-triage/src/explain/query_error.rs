//! Why a query matches nothing, or too much.

use thiserror::Error;

use crate::report::wording::counted;

/// Why a [`Query`](super::Query) has no single subject.
///
/// Names, ids and choices are printable, and the choices are at most 8.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// No input was read.
    #[error("there is no input")]
    NoInput,
    /// No input has the name.
    #[error("no input is named {name}: the inputs are {inputs}")]
    UnknownInput {
        /// The name.
        name: String,
        /// The first inputs, as text.
        inputs: String,
    },
    /// Several inputs have the file name.
    #[error("{name} matches {inputs}: write the whole path")]
    AmbiguousInput {
        /// The name.
        name: String,
        /// The first inputs that match, as text.
        inputs: String,
    },
    /// The line number is 0.
    #[error("lines are counted from 1")]
    LineZero,
    /// The input has fewer lines.
    #[error("{input} has {} and no line {line}", counted(*.lines, "line"))]
    NoLineInInput {
        /// The name of the input.
        input: String,
        /// The number of its lines.
        lines: u64,
        /// The line of the query.
        line: String,
    },
    /// All inputs have fewer lines.
    #[error("no input has a line {line}")]
    NoLine {
        /// The line of the query.
        line: String,
    },
    /// Several inputs have the line.
    #[error("several inputs have a line {line}: write {choices}")]
    AmbiguousLine {
        /// The line of the query.
        line: String,
        /// What to write instead, as text.
        choices: String,
    },
    /// Several incidents have an id that begins with the prefix.
    #[error("{prefix} is the prefix of {matches} incident ids: {choices}")]
    AmbiguousId {
        /// The prefix, in lower case.
        prefix: String,
        /// The number of incidents.
        matches: usize,
        /// The first incidents, as text.
        choices: String,
    },
    /// The query is not a line, and there are no incidents.
    #[error("{query} is not a line, and this input has no incidents")]
    NoIncidents {
        /// The query.
        query: String,
    },
    /// The query is neither a line nor an id.
    #[error(
        "no incident has the id {query}, and it is not a line: write 12 or FILE:12 for a line; the incidents are {incidents}"
    )]
    UnknownIncident {
        /// The query.
        query: String,
        /// The first incidents, as text.
        incidents: String,
    },
    /// The query is the name of an alert.
    #[error("{alert} is the name of an alert: use the id of an incident that contains it, {incidents}")]
    AlertName {
        /// The name.
        alert: String,
        /// The first incidents that contain the alert, as text.
        incidents: String,
    },
}
