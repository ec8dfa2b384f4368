//! Readers of all input formats: from bytes to records.

mod alert;
mod detect;
mod detect_mapped;
mod enclosed;
mod input;
mod invalid_byte;
mod json;
mod json_reader;
mod json_shape;
mod json_text;
mod label_map;
mod line;
mod line_record;
mod lines;
mod mapped;
mod matched_line;
mod no_name;
mod object;
mod pasted;
mod scalar;
mod stated_count;
mod status_field;
pub(crate) mod status_word;
mod syslog;
#[cfg(feature = "syslog")]
mod syslog_message;
mod template;
pub(crate) mod title;
mod wrapper;
mod yaml;
mod yaml_json;
