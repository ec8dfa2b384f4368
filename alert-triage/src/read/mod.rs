//! Readers of all input formats: from bytes to records.

mod alert;
mod detect;
mod input;
mod json;
mod line;
mod lines;
mod object;
mod syslog;
mod template;
mod time;
