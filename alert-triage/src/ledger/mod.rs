//! Adds every record up to its alert, in memory that grows with distinct alerts only.

mod alert_entry;
mod announced_ends;
mod arrival_span;
mod bursts;
mod engine;
mod keyed_end;
mod label_set_history;
mod line_offsets;
mod malformed;
mod newest;
mod small_map;
mod source_log;
mod source_set;
mod stated_counts;

pub(crate) use self::alert_entry::AlertEntry;
pub(crate) use self::arrival_span::{ArrivalSpan, RetiredRecords};
pub use self::engine::Engine;
pub(crate) use self::keyed_end::KeyedEnd;
pub(crate) use self::label_set_history::{FiredAgain, LabelSetHistory, SuppressedBy, TimedPosition};
pub(crate) use self::line_offsets::LineOffsets;
pub(crate) use self::malformed::MalformedInput;
pub(crate) use self::source_set::SourceSet;
