//! Reads whole inputs, blocks of inputs, and inputs without an end.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::wrapper::unwrapped;
use super::{json, lines, mapped, syslog, yaml};
use crate::format::{Format, MappedId};
use crate::formats::Shape;
use crate::ledger::Engine;
use crate::source_position::SourcePosition;

impl Engine {
    /// Reads a whole input, as a source of this name.
    pub fn read(&mut self, name: &str, format: Format, input: &[u8]) {
        let source = self.add_source(name);
        self.read_block(source, 0, format, input);
    }

    /// Reads one block of a source. Blocks must end at line ends. A format that is not [read by
    /// lines](Format::is_lines) has only one block.
    pub fn read_block(&mut self, source: usize, block: usize, format: Format, input: &[u8]) {
        self.read_at(SourcePosition::new(source, block, 0), format, input);
    }

    /// Reads the next part of a source that has no end, such as a log that is followed. The part
    /// consists of whole lines, whose numbers continue those of the last call; in a format that is
    /// not [read by lines](Format::is_lines) it is a whole document. The number of calls does not
    /// affect memory. Read a source with this or with [`read_block`](Engine::read_block), not with
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
            let before = self.last_line(source, MAX_PIECE_BYTES as u64);
            self.read_at(before, format, &rest[..end]);
            rest = &rest[end..];
        }
    }

    fn read_at(&mut self, position: SourcePosition, format: Format, input: &[u8]) {
        if let Some(trace) = &mut self.trace {
            trace.format(position.source(), format);
        }
        self.source_log.note_start(position, input);
        // The first block of lines may begin with headers, and a document with either.
        let plain = match format {
            Format::Lines | Format::Jsonl if !input.starts_with(b"HTTP/") => Cow::Borrowed(input),
            _ if position.block() == 0 && position.line() == 0 => unwrapped(input),
            _ => Cow::Borrowed(input),
        };
        let input = plain.as_ref();
        match format {
            Format::Lines => lines::read(self, position, input),
            Format::Syslog => syslog::read(self, position, input),
            Format::Jsonl => json::read_lines(self, position, false, input),
            Format::Yaml => yaml::read(self, position, input),
            Format::Mapped(id) => self.read_mapped(position, id, input),
            _ => json::read_document(self, position, false, input),
        }
        self.source_log.note_end(position.source());
    }

    fn read_mapped(&mut self, position: SourcePosition, id: MappedId, input: &[u8]) {
        let shape = self.rules.mapped_format(id.index).map(|format| format.shape);
        match (shape, id.by_lines) {
            (Some(Shape::Table), _) => mapped::read_table(self, position, id.index, input),
            (Some(Shape::Blocks), _) => mapped::read_blocks(self, position, id.index, input),
            (Some(Shape::Lines | Shape::Logfmt), _) => mapped::read_lines(self, position, id.index, input),
            (_, true) => json::read_lines(self, position, true, input),
            (_, false) => json::read_document(self, position, true, input),
        }
    }

    /// Sets the instant that gives times without a year, as in syslog, their year: the latest such
    /// time that is at most one day after `reference`. Without it they are ignored, and the report
    /// says so.
    pub fn set_reference(&mut self, reference: Timestamp) {
        self.times.reference = Some(reference);
    }

    /// Sets the zone of times that are written without one. It is UTC by default; the report says
    /// which zone was assumed.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules};
    /// use jiff::tz::{TimeZone, offset};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// engine.set_time_zone(TimeZone::fixed(offset(2)));
    /// engine.read("tickets.log", Format::Lines, b"2026-11-23 06:51:59 Zone AB: LLMModelStale\n");
    /// let report = engine.report(None);
    /// assert_eq!(report.now().unwrap().to_string(), "2026-11-23T04:51:59Z");
    /// assert!(report.caveats()[0].contains("taken for +02"));
    /// ```
    pub fn set_time_zone(&mut self, zone: TimeZone) {
        self.times.zone = zone;
    }
}

/// The size of a piece in bytes. It has at most as many lines, half of what a block can number.
const MAX_PIECE_BYTES: usize = 8 << 20;

/// The length in bytes of the whole lines of the next piece; at least one line.
fn piece(input: &[u8]) -> usize {
    let Some((head, tail)) = input.split_at_checked(MAX_PIECE_BYTES) else { return input.len() };
    match memchr::memrchr(b'\n', head) {
        Some(end) => end + 1,
        None => memchr::memchr(b'\n', tail).map_or(input.len(), |end| MAX_PIECE_BYTES + end + 1),
    }
}
