//! Accounts for every record: what each alert adds up to, in memory that grows with distinct alerts only.

mod announced;
pub(crate) mod bursts;
pub(crate) mod cut;
mod engine;
pub(crate) mod entry;
pub(crate) mod heard;
mod known;
mod malformed;
mod offsets;
pub(crate) mod plain;
pub(crate) mod set;
mod sorted;

pub use self::engine::Engine;
pub use self::malformed::MALFORMED_KEPT;
pub(crate) use self::malformed::Malformed;
pub(crate) use self::offsets::Offsets;
