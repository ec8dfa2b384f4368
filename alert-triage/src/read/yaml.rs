//! YAML documents of what is accepted as JSON.

use super::json;
use super::line::each_line;
use super::yaml_json::{before_line, to_json};
use crate::fault::Fault;
use crate::format::Format;
use crate::ledger::Engine;
use crate::source_position::SourcePosition;

/// Reads all documents of an input.
pub(super) fn read(engine: &mut Engine, before: SourcePosition, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (json, fault) = match to_json(text) {
        Ok(json) => (json, None),
        Err((line, message)) => {
            let json = to_json(before_line(text, line)).unwrap_or_default();
            (json, Some((line, Fault::NotYaml { message })))
        }
    };
    if json.trim().is_empty() && fault.is_none() && !text.trim().is_empty() {
        engine.fault(before.plus_lines(1), Fault::NotAnObject { found: "nothing" }, text.as_bytes());
    }
    // Detected as its JSON would be.
    let is_mapped = matches!(engine.rules().detect(json.as_bytes()), Format::Mapped(_));
    let lines = each_line(input, |_, _| {});
    let json_lines = each_line(json.as_bytes(), |_, _| {});
    json::read_document(engine, before, is_mapped, json.as_bytes());
    engine.add_lines(before.plus_lines(json_lines), lines.saturating_sub(json_lines));
    if let Some((line, fault)) = fault {
        let shown = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        engine.fault(before.plus_lines(line), fault, shown.as_bytes());
    }
}
