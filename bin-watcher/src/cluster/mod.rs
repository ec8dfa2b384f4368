//! The connection to a cluster, the clock, and the signals that end both.

pub(crate) mod access;
pub(crate) mod clock;
pub(crate) mod connect;
pub(crate) mod signals;
