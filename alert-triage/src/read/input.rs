//! Reads whole inputs, blocks of inputs, and inputs without an end.

use jiff::Timestamp;

use super::{json, lines, syslog};
use crate::format::Format;
use crate::ledger::Engine;
use crate::source_position::SourcePosition;

impl Engine {
    /// Reads a whole input.
    pub fn read(&mut self, name: &str, format: Format, input: &[u8]) {
        let source = self.add_source(name);
        self.read_block(source, 0, format, input);
    }

    /// Reads one block of a source; of formats that are not [lines](Format::is_lines) there is only one. Blocks of one
    /// source must not share a line.
    pub fn read_block(&mut self, source: usize, block: usize, format: Format, input: &[u8]) {
        self.read_below(SourcePosition::new(source, block, 0), format, input);
    }

    /// Reads on in a source that has no end, such as a log that is followed: whole lines, numbered on from where the last
    /// call left off; of a format that is not [lines](Format::is_lines) a whole document. However many calls there are,
    /// they take no memory of their own. One source is read by this or by [`read_block`](Engine::read_block), not by
    /// both.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// let log = engine.add_source("night.log");
    /// engine.read_on(log, Format::Lines, b"Zone AB: LLMModelStale\nZone AB: LLMModelStale\n");
    /// engine.read_on(log, Format::Lines, b"nonsense\n");
    /// assert_eq!(engine.report(None).malformed().next().unwrap().line, 3);
    /// ```
    pub fn read_on(&mut self, source: usize, format: Format, input: &[u8]) {
        let mut rest = input;
        while !rest.is_empty() {
            let end = if format.is_lines() { piece(rest) } else { rest.len() };
            let below = self.last_line(source, PIECE as u64);
            self.read_below(below, format, &rest[..end]);
            rest = &rest[end..];
        }
    }

    fn read_below(&mut self, position: SourcePosition, format: Format, input: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace.format(position.source(), format);
        }
        match format {
            Format::Lines => lines::read(self, position, input),
            Format::Syslog => syslog::read(self, position, input),
            Format::Jsonl => json::read_lines(self, position, input),
            document => json::read_document(self, position, document, input),
        }
    }

    /// Gives yearless times (syslog's) the year that brings them closest before `reference`. Without it they are no
    /// times, and the report says so.
    pub fn set_reference(&mut self, reference: Timestamp) {
        self.reference = Some(reference);
    }
}

/// So many lines at most have so many bytes, and a block has room for twice as many.
const PIECE: usize = 8 << 20;

/// The length of the whole lines that make up a piece; at least one line.
fn piece(input: &[u8]) -> usize {
    let Some((head, tail)) = input.split_at_checked(PIECE) else { return input.len() };
    match memchr::memrchr(b'\n', head) {
        Some(end) => end + 1,
        None => memchr::memchr(b'\n', tail).map_or(input.len(), |end| PIECE + end + 1),
    }
}
