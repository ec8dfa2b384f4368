//! The exit code of a termination that does not name one.

/// Neither success nor a signal, so that it decides no cause.
pub(crate) const UNKNOWN_EXIT_CODE: i32 = -1;
