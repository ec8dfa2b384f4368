//! One workload: its status, and commands carried out on it without a controller.

pub(crate) mod narrator;
pub(crate) mod nothing_to_restore;
pub(crate) mod standalone;
pub(crate) mod status;
mod status_text;
