//! Inputs in a described format that are not JSON: lines and tables.

use std::borrow::Cow;

use serde_json::Value;

use super::enclosed::enclosed;
use super::json_reader::JsonReader;
use super::line::{each_line, without_cr};
use super::line_record::{record, text};
use crate::fault::Fault;
use crate::formats::{Applied, Block, Located, MappedFormat, Shape, apply, logfmt, table};
use crate::ledger::Engine;
use crate::record::Record;
use crate::rules::Rules;
use crate::source_position::SourcePosition;
use crate::time::Leading;

/// The maximum number of fields of a block that no format reads, as shown in its fault.
const MAX_SHOWN_KEYS: usize = 8;

/// Reads lines of a format.
pub(super) fn read_lines(engine: &mut Engine, before: SourcePosition, index: u16, input: &[u8]) {
    let rules = engine.rules().clone();
    let Some(format) = rules.mapped_format(index) else { return };
    let lines = each_line(input, |number, line| {
        let line = without_cr(line);
        let position = before.plus_lines(number);
        match text(line) {
            Err(fault) => engine.fault(position, fault, line),
            Ok("") => engine.blank += 1,
            Ok(text) => read_line(engine, position, format, &rules, text),
        }
    });
    engine.add_lines(before, lines);
}

fn read_line(
    engine: &mut Engine,
    position: SourcePosition,
    format: &MappedFormat,
    rules: &Rules,
    line: &str,
) {
    let row = match format.shape {
        Shape::Logfmt => logfmt(line).filter(|pairs| format.detects(pairs)),
        _ => format.line(line),
    };
    // A line of another format among them.
    let other = || rules.line_formats(line).find_map(|(_, other)| Some((other, other.line(line)?)));
    if let Some(row) = row {
        return take(engine, position, format, &row, || line.to_owned());
    }
    match by_template(engine, position, rules, line) {
        Ok(()) => {}
        Err(fault) => match other() {
            Some((other, row)) => take(engine, position, other, &row, || line.to_owned()),
            None => engine.fault(position, fault, line.as_bytes()),
        },
    }
}

fn by_template(
    engine: &mut Engine,
    position: SourcePosition,
    rules: &Rules,
    line: &str,
) -> Result<(), Fault> {
    let (at, rest) = match engine.times.leading(line) {
        Leading::None => (None, line),
        Leading::At(at, rest) => (Some(at), rest),
        Leading::Yearless(rest) => (None, rest),
    };
    let mut record = record(rest, rules, &engine.times)?;
    record.time = record.time.or(at);
    engine.ingest(position, &record);
    Ok(())
}

/// Takes the alert of a row. `shown` makes the text of a fault.
fn take(
    engine: &mut Engine,
    position: SourcePosition,
    format: &MappedFormat,
    row: &Value,
    shown: impl FnOnce() -> String,
) {
    match apply(format, &Located::new(row, row), &engine.times) {
        // The title of a ticket may be a line such as `Zone AB: LLMModelStale`.
        Ok(Applied { record: outer, message: None, .. })
            if matches!(format.shape, Shape::Table | Shape::Blocks)
                && let Ok(line) =
                    record(&outer.alert, engine.rules(), &engine.times).map(Record::into_owned) =>
        {
            engine.ingest(position, &enclosed(line, &outer));
        }
        Ok(applied) => JsonReader::new(engine, position, "", 0).take(applied, shown),
        Err(fault) => engine.fault(position, fault, shown().as_bytes()),
    }
}

/// An input that is read as one text, without a byte order mark. Its lines are counted.
fn whole<'i>(engine: &mut Engine, before: SourcePosition, input: &'i [u8]) -> Cow<'i, str> {
    let lines = each_line(input, |_, _| {});
    engine.add_lines(before, lines);
    String::from_utf8_lossy(input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input))
}

/// Reads a table with a header.
pub(super) fn read_table(engine: &mut Engine, before: SourcePosition, index: u16, input: &[u8]) {
    let rules = engine.rules().clone();
    let Some(format) = rules.mapped_format(index) else { return };
    let text = whole(engine, before, input);
    for (line, row) in table(&text).unwrap_or_default() {
        let position = before.plus_lines(line);
        match row {
            Ok(row) if row.as_object().is_some_and(|row| row.values().all(|cell| cell == "")) => {}
            Ok(row) => take(engine, position, format, &row, || row.to_string()),
            Err(problem) => {
                let fault = Fault::Mapped { format: format.id.clone(), problem };
                engine.fault(position, fault, b"");
            }
        }
    }
}

fn shown(block: &Block) -> String {
    block.lines().collect::<Vec<_>>().join(" ")
}

/// Reads a text of blocks. Each is read in the first format that has it, the one that was detected
/// before the others.
pub(super) fn read_blocks(engine: &mut Engine, before: SourcePosition, index: u16, input: &[u8]) {
    let rules = engine.rules().clone();
    let Some(format) = rules.mapped_format(index) else { return };
    let text = whole(engine, before, input);
    for block in rules.blocks(&text) {
        let position = before.plus_lines(block.line());
        let others = rules.block_formats().map(|(_, format)| format);
        let found = std::iter::once(format).chain(others).find_map(|format| {
            let fields = format.block(&block);
            format.detects(&fields).then_some((format, fields))
        });
        match found {
            Some((format, fields)) => take(engine, position, format, &fields, || shown(&block)),
            None => {
                let keys: Vec<&str> = block.pairs.keys().take(MAX_SHOWN_KEYS).map(String::as_str).collect();
                let problem = format!("no format of blocks has these fields: {}", keys.join(", "));
                let fault = Fault::Mapped { format: format.id.clone(), problem };
                engine.fault(position, fault, shown(&block).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_row_with_a_fault_is_written_as_text() {
        let rules = Rules::builtin();
        let columns = rules.formats().find(|(_, format)| format.id == "table/columns");
        let (_, format) = columns.unwrap();
        let mut engine = Engine::new(rules.clone());
        let position = SourcePosition::new(engine.add_source("table"), 0, 1);
        take(&mut engine, position, format, &json!({"alert": "TankFull"}), || unreachable!());
        take(&mut engine, position, format, &json!({"zone": "K1"}), || "the row".to_owned());
        let report = engine.report(None);
        assert_eq!((report.totals().records, report.totals().malformed), (1, 1));
        assert_eq!(report.malformed().next().unwrap().text, "the row");
    }
}
