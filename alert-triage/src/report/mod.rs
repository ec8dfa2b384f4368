//! What is printed: a view of the engine as judged at one instant.

mod document;
mod group;
mod incident;
mod labels;
mod malformed;
mod row;
mod totals;
mod view;
pub(crate) mod words;

pub use self::document::Run;
pub use self::group::Group;
pub(crate) use self::incident::Outline;
pub use self::incident::{AlertRef, Cause, Incident, Member, Role, Score, Seen};
pub use self::labels::Labels;
pub(crate) use self::labels::{labels, many_labels, maybe_labels, maybe_many_labels};
pub use self::malformed::Malformed;
pub use self::row::Row;
pub use self::totals::{Overflow, Totals};
pub use self::view::Report;
