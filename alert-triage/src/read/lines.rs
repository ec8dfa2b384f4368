//! Plain lines: an optional leading time, then a template.

use super::line_record::{record, text};
use super::stated_count;
use crate::ledger::Engine;
use crate::line_cache::{LineBatch, LineSlice};
use crate::source_position::SourcePosition;
use crate::time::Leading;

pub(super) fn read(engine: &mut Engine, before: SourcePosition, input: &[u8]) {
    engine.start_block(before);
    let mut batch = LineBatch::new();
    let mut rest = input;
    while !rest.is_empty() {
        rest = batch.fill(rest);
        let mut unknown = engine.count_cached(&batch, before);
        if batch.len() as u32 > unknown.count_ones() {
            engine.source_log.note_record(before.source());
        }
        if unknown != 0 {
            for (number, slice) in batch.iter() {
                let position = before.plus_lines(number);
                if unknown & 1 == 1 && !engine.count_if_cached(slice, position) {
                    parse(engine, position, slice);
                }
                unknown >>= 1;
            }
        }
    }
    engine.add_lines(before, batch.lines());
}

fn parse(engine: &mut Engine, position: SourcePosition, slice: &LineSlice<'_>) {
    let line = slice.line;
    match text(line) {
        Err(fault) => engine.fault(position, fault, line),
        Ok("") => engine.blank += 1,
        Ok(text) => {
            let (at, is_yearless, text) = match engine.times.leading(text) {
                Leading::None => (None, false, text),
                Leading::At(at, rest) => (Some(at), false, rest),
                Leading::Yearless(rest) => (None, true, rest),
            };
            engine.yearless += u64::from(is_yearless);
            let rules = engine.rules().clone();
            match record(text, &rules, &engine.times) {
                Err(fault) => engine.fault(position, fault, line),
                Ok(mut record) => {
                    record.time = at;
                    let stated = stated_count::take(line, &mut record);
                    if let Some(times) = stated {
                        engine.stated.add_line(times);
                    }
                    // A time without a year and a count are added each time, so their lines are not
                    // cached.
                    if is_yearless || stated.is_some() {
                        engine.ingest(position, &record);
                    } else {
                        engine.ingest_line(slice, position, &record);
                    }
                }
            }
        }
    }
}
