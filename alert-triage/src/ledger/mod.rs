//! Accounts for every record: what each alert adds up to, in memory that grows with distinct alerts only.

mod alert_entry;
mod announced_ends;
mod arrival_span;
mod bursts;
mod engine;
mod label_set_history;
mod malformed;
mod offsets;
mod small_map;

pub(crate) use self::alert_entry::AlertEntry;
pub(crate) use self::arrival_span::{ArrivalSpan, Retired};
pub use self::engine::Engine;
pub(crate) use self::label_set_history::{LabelSetHistory, SuppressedBy, TimedPosition};
pub use self::malformed::MALFORMED_KEPT;
pub(crate) use self::malformed::Malformed;
pub(crate) use self::offsets::Offsets;
