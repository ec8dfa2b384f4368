//! Syslog files: one message a line, each with a `<priority>`.

use super::line::{each_line, without_cr};
use super::line_record::text;
#[cfg(feature = "syslog")]
use super::syslog_message::record;
#[cfg(not(feature = "syslog"))]
use crate::fault::Fault;
use crate::ledger::Engine;
#[cfg(not(feature = "syslog"))]
use crate::record::Record;
#[cfg(not(feature = "syslog"))]
use crate::rules::Rules;
use crate::source_position::SourcePosition;

pub(super) fn read(engine: &mut Engine, before: SourcePosition, input: &[u8]) {
    let count = each_line(input, |number, line| {
        let line = without_cr(line);
        let position = before.plus_lines(number);
        match text(line) {
            Err(fault) => engine.fault(position, fault, line),
            Ok("") => engine.blank += 1,
            Ok(text) => {
                let rules = engine.rules().clone();
                match record(text, &rules, engine) {
                    Err(fault) => engine.fault(position, fault, line),
                    Ok(record) => engine.ingest(position, &record),
                }
            }
        }
    });
    engine.add_lines(before, count);
}

/// Reports every message as malformed: this build cannot read syslog.
#[cfg(not(feature = "syslog"))]
fn record(_: &str, _: &Rules, _: &mut Engine) -> Result<Record<'static>, Fault> {
    Err(Fault::SyslogDisabled)
}
