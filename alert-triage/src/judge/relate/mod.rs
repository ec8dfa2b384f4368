//! Relates alerts of one scope to each other.
//!
//! ```text
//! ladders     the highest firing rung supersedes the lower ones
//! transients  a firing XFailure supersedes XTransientFailure
//! edges       a cause explains its symptoms, if their labels agree
//! instances   firing alerts of one name are one incident
//! ```
//!
//! Related alerts are joined, and each set of joined alerts becomes one incident.

mod agreeing_labels;
mod alerts_by_name;
mod edges;
mod family;
mod instances;
mod ladders;
mod transients;
mod union;

pub(super) use self::edges::edges;
pub(crate) use self::edges::is_linked;
pub(super) use self::instances::instances;
pub(crate) use self::instances::is_instance;
pub(crate) use self::ladders::is_laddered;
pub(super) use self::ladders::ladders;
pub(super) use self::union::Union;
