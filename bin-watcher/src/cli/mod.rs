//! What a user types: the command line, its values, and the exit codes.

pub(crate) mod args;
pub(crate) mod cluster_args;
pub(crate) mod controller_args;
pub(crate) mod counting_args;
pub(crate) mod exit;
pub(crate) mod format;
pub(crate) mod hooks;
pub(crate) mod program_name;
pub(crate) mod reset_command;
pub(crate) mod rules;
pub(crate) mod run_args;
pub(crate) mod signal;
pub(crate) mod values;
