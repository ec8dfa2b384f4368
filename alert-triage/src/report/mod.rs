//! Reports: a view of the engine at one instant, for people and machines.

mod alternatives;
mod because;
mod caveats;
mod document;
mod group;
mod incident;
mod incident_view;
mod labels;
mod malformed;
mod malformed_groups;
mod member;
mod outline;
mod reason;
mod report_document;
mod row;
#[cfg(feature = "schema")]
mod schema;
mod totals;
mod unread;
mod view;
pub(crate) mod wording;

pub use self::document::IncidentRun;
pub use self::group::Group;
pub use self::incident::{Incident, Score};
pub use self::labels::Labels;
pub(crate) use self::labels::{labels, many_labels, maybe_labels, maybe_many_labels};
pub use self::malformed::Malformed;
pub use self::malformed_groups::MalformedGroup;
pub use self::member::{AlertRef, Cause, Member, Role, Seen, Silent};
pub(crate) use self::outline::IncidentOutline;
pub use self::report_document::ReportDocument;
pub use self::row::Row;
#[cfg(feature = "schema")]
pub use self::schema::report_schema;
pub use self::totals::{Overflow, Totals};
pub use self::unread::Unread;
pub use self::view::Report;
