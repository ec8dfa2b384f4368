//! Lines and records that could not be read.

use crate::fault::Fault;

/// At most this number of malformed lines is listed in a report; the others are only counted by
/// kind.
pub const MAX_MALFORMED_KEPT: usize = 1_000;

/// A line or a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MalformedInput {
    pub(crate) fault: Fault,
    /// The text of the line, printable and truncated.
    pub(crate) text: String,
}
