//! Lines and records that could not be read.

use crate::fault::Fault;

/// A line or a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MalformedInput {
    pub(crate) fault: Fault,
    /// The text of the line, printable and truncated.
    pub(crate) text: String,
}
