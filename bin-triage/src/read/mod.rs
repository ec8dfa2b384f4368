//! Inputs of alerts, and how several threads read them.

mod blocks;
mod decode;
mod input;
mod progress;
mod reader;
#[cfg(test)]
mod tests;

pub(crate) use self::blocks::{DETECT_BYTES, MAX_JSON_LINE_LEN, whole};
pub(crate) use self::input::{Input, inputs, require_files};
pub(crate) use self::reader::{add_sources, read, read_into, read_with, set_time_zone};
