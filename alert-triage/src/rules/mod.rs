//! What is known of alerts, as data: one YAML file of ours, extended by one of yours.

mod build;
mod file;
mod heuristics;
mod limits;
mod list;
mod matches;
mod rows;
mod rule_set;
mod table;
mod template;
mod varied;

pub(crate) use self::limits::Limits;
pub use self::list::Listed;
pub(crate) use self::matches::Matches;
pub(crate) use self::rows::{Edge, Row, SeverityBy};
pub use self::rule_set::Rules;
pub(crate) use self::table::Table;
pub(crate) use self::template::{Filled, Template};
