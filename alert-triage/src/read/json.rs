//! JSON inputs: one object per line, or whole documents.

use serde_json::value::RawValue;

use super::invalid_byte::{first_invalid, legible};
use super::json_reader::JsonReader;
use super::json_text::found;
use super::line::{each_line, without_cr};
use crate::fault::Fault;
use crate::ledger::Engine;
use crate::source_position::SourcePosition;

/// Reads one object a line. `is_mapped`: described formats are tried before the core ones.
pub(super) fn read_lines(engine: &mut Engine, before: SourcePosition, is_mapped: bool, input: &[u8]) {
    let lines = each_line(input, |number, line| {
        let position = before.plus_lines(number);
        let whole = without_cr(line);
        let line = if position.line() == 1 && position.block() == 0 {
            whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(whole)
        } else {
            whole
        };
        let lead = whole.len() - line.len();
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(fault) => {
                let byte = lead + fault.valid_up_to() + 1;
                return engine.fault(position, Fault::NotUtf8 { byte }, line);
            }
        };
        if text.trim().is_empty() {
            engine.blank += 1;
            return;
        }
        let mut reader = JsonReader::new(engine, position, text, lead);
        reader.prefers_mapped = is_mapped;
        let text = text.trim();
        if !text.starts_with('{') {
            return match serde_json::from_str::<&RawValue>(text) {
                Ok(value) => reader.fault(Fault::NotAnObject { found: found(value.get()) }, text),
                Err(error) => reader.not_json(&error, text, text),
            };
        }
        reader.object(text);
    });
    engine.add_lines(before, lines);
}

/// Reads one value or several, on any number of lines. `is_mapped`: described formats are tried
/// before the core ones.
pub(super) fn read_document(engine: &mut Engine, before: SourcePosition, is_mapped: bool, input: &[u8]) {
    let lines = each_line(input, |_, _| {});
    engine.add_lines(before, lines);
    let whole = input;
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let lead = whole.len() - input.len();
    let Some((at, found)) = first_invalid(input) else {
        let text = std::str::from_utf8(input).unwrap_or_default();
        let mut reader = JsonReader::new(engine, before.plus_lines(1), text, lead);
        reader.prefers_mapped = is_mapped;
        return reader.documents();
    };
    let text = legible(input);
    let mut reader = JsonReader::new(engine, before.plus_lines(1), &text, lead);
    reader.prefers_mapped = is_mapped;
    reader.raw = Some(input);
    reader.documents();
    if !reader.is_invalid_byte_reported {
        // The invalid byte is outside of all alerts.
        let begin = memchr::memrchr(b'\n', &input[..at]).map_or(0, |at| at + 1);
        let line = memchr::memchr_iter(b'\n', &input[..begin]).count() as u64;
        let byte = at - begin + 1 + if begin == 0 { lead } else { 0 };
        let shown = &input[begin..input.len().min(begin + 400)];
        engine.fault(before.plus_lines(line + 1), found.fault(byte), shown);
    }
}
