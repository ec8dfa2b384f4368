//! What alerts have to do with each other, inside one scope.
//!
//! ```text
//! ladders     the highest standing rung supersedes those below it
//! transients  a standing XFailure supersedes XTransientFailure
//! edges       a cause explains its symptoms, where their labels agree
//! ```
//!
//! Each of them joins what it connects; what is joined becomes one incident.

mod agree;
mod edges;
mod family;
mod kinds;
mod ladders;
mod transients;
mod union;

pub(super) use self::edges::edges;
pub(crate) use self::edges::is_linked;
pub(crate) use self::ladders::is_laddered;
pub(super) use self::ladders::ladders;
pub(super) use self::union::Union;
