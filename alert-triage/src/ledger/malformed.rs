//! Lines and records that could not be read.

use crate::fault::Fault;

/// How many malformed lines a report shows one by one; the rest is counted by kind.
pub const MALFORMED_KEPT: usize = 1_000;

/// A line or a record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) fault: Fault,
    /// Printable, and short.
    pub(crate) text: String,
}
