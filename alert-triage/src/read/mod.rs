//! Readers of all input formats: from bytes to records.

mod alert;
mod detect;
mod input;
mod invalid_byte;
mod json;
mod json_reader;
mod json_shape;
mod json_text;
mod label_map;
mod line;
mod lines;
mod no_name;
mod object;
mod scalar;
mod status_field;
mod syslog;
#[cfg(feature = "syslog")]
mod syslog_message;
mod template;
mod time;
