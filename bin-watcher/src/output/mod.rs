//! Standard output and the log on standard error.

pub(crate) mod event;
pub(crate) mod log;
pub(crate) mod stdout;
pub(crate) mod table;
