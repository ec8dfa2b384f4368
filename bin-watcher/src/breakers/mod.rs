//! CircuitBreakers by name: their status, `trip`, `reset`, and why each acted or did not.

pub(crate) mod command;
pub(crate) mod list;
mod liveness;
mod object;
pub(crate) mod report;
mod would_trip;
