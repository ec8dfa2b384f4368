//! Reads the values of one JSON text.

use serde_json::Value;
use serde_json::value::RawValue;

use super::alert;
use super::detect_mapped::WATCHER;
use super::enclosed::enclosed;
use super::invalid_byte::first_invalid;
use super::json_shape::shape;
use super::json_text::{MAX_DEPTH, alerts_of, found, is_too_deep, next_document, offset};
use super::line_record;
use super::no_name::explained;
use super::object::Object;
use super::scalar::Scalar;
use super::status_field::StatusField;
use crate::fault::Fault;
use crate::format::Format;
use crate::formats::{Applied, Located, apply};
use crate::ledger::Engine;
use crate::record::Record;
use crate::rules::Rules;
use crate::source_position::SourcePosition;
use crate::time::{self, TimeReader};

/// The maximum number of nested payloads that are searched in a truncated document. The deepest
/// real nesting is alerts of a group in a response inside an event.
const MAX_PAYLOAD_DEPTH: usize = 6;

/// Reads the values of one text and tracks their positions.
pub(super) struct JsonReader<'e, 't> {
    pub(super) engine: &'e mut Engine,
    pub(super) position: SourcePosition,
    text: &'t str,
    /// The number of bytes before the text in its first line.
    lead: usize,
    /// The number of the text's first line.
    first: u64,
    /// The offset up to which line ends are counted.
    line_at: usize,
    lines: u64,
    line_begin: usize,
    /// The input bytes, if some of them are invalid.
    pub(super) raw: Option<&'t [u8]>,
    pub(super) is_invalid_byte_reported: bool,
    /// The number of payloads around the current one.
    depth: usize,
    /// Whether described formats are tried before the core ones.
    pub(super) prefers_mapped: bool,
    /// The record around this text.
    outer: Option<Record<'static>>,
    /// Where the current document begins.
    document: SourcePosition,
}

impl<'e, 't> JsonReader<'e, 't> {
    pub(super) fn new(engine: &'e mut Engine, position: SourcePosition, text: &'t str, lead: usize) -> Self {
        Self {
            engine,
            position,
            text,
            lead,
            first: position.line(),
            line_at: 0,
            lines: 0,
            line_begin: 0,
            raw: None,
            is_invalid_byte_reported: false,
            depth: 0,
            prefers_mapped: false,
            outer: None,
            document: position,
        }
    }

    pub(super) fn fault(&mut self, fault: Fault, shown: &str) {
        self.engine.fault(self.position, fault, shown.as_bytes());
    }

    /// Reports a parse error in `json`, which is a slice of the text.
    pub(super) fn not_json(&mut self, error: &serde_json::Error, json: &'t str, shown: &str) {
        let at = self.offset_of(json) + offset(json, error);
        self.move_to(at);
        let column = self.column(at);
        let fault = if error.is_eof() {
            Fault::Cut { byte: column }
        } else {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            if message.starts_with("recursion limit") {
                Fault::TooDeep
            } else {
                Fault::NotJson { column, message }
            }
        };
        self.fault(fault, shown);
    }

    fn offset_of(&self, json: &'t str) -> usize {
        (json.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    /// Moves the position to the line of a byte of the text. Offsets must not decrease.
    fn move_to(&mut self, at: usize) {
        if at >= self.line_at {
            let passed = &self.text.as_bytes()[self.line_at..at];
            self.lines += memchr::memchr_iter(b'\n', passed).count() as u64;
            if let Some(end) = memchr::memrchr(b'\n', passed) {
                self.line_begin = self.line_at + end + 1;
            }
            self.line_at = at;
        }
        self.position =
            SourcePosition::new(self.position.source(), self.position.block(), self.first + self.lines);
    }

    /// The column of a byte in the current line, from 1.
    fn column(&self, at: usize) -> usize {
        let lead = if self.line_begin == 0 { self.lead } else { 0 };
        lead + at.saturating_sub(self.line_begin) + 1
    }

    /// Reads consecutive values. After a broken value, reading resumes at the next line that starts
    /// one, or at the next element of the broken array.
    pub(super) fn documents(&mut self) {
        let text = self.text;
        let mut from = 0;
        let mut is_resumed = false;
        loop {
            let rest = &text[from..];
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
            let broken = loop {
                let begin = values.byte_offset();
                match values.next() {
                    None => return,
                    Some(Ok(value)) => {
                        self.move_to(self.offset_of(value.get()));
                        self.document = self.position;
                        self.value(value.get());
                    }
                    Some(Err(error)) => break (begin, error),
                }
            };
            let (begin, error) = broken;
            if is_resumed {
                // Skips the separators between elements of the broken value.
                let between = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}');
                let behind = rest[begin..].trim_start_matches(between);
                if !rest[begin..].trim_start().starts_with(['{', '[']) && behind.len() < rest.len() - begin {
                    from = text.len() - behind.len();
                    continue;
                }
            }
            let at = offset(rest, &error);
            // The text after the break is not scanned here: a text with many breaks would take
            // quadratic time.
            let end = if error.is_eof() { rest.len() } else { at };
            self.salvage(rest[begin.min(end)..end].trim_start());
            self.move_to(from + at);
            let shown = text[self.line_begin..].lines().next().unwrap_or_default();
            self.not_json(&error, rest, shown);
            match next_document(rest, at) {
                Some(next) if !error.is_eof() => (from, is_resumed) = (from + next, true),
                _ => return,
            }
        }
    }

    /// Reads an array of alerts, groups or events, or a single value.
    fn value(&mut self, json: &'t str) {
        if !json.starts_with('[') {
            return self.object(json);
        }
        match serde_json::from_str::<Vec<&'t RawValue>>(json) {
            Ok(values) => self.elements(&values),
            Err(error) => self.not_json(&error, json, json),
        }
    }

    pub(super) fn object(&mut self, json: &'t str) {
        if self.prefers_mapped && self.mapped(json) {
            return;
        }
        let Some(mut object) = self.parsed(json) else { return };
        match shape(&object) {
            Some(shape) => self.payload(shape, object, json),
            None => {
                if let Some(record) = self.alert(&mut object, json) {
                    self.ingest(self.position, record);
                }
            }
        }
    }

    fn parsed(&mut self, json: &'t str) -> Option<Object<'t>> {
        if !json.starts_with('{') {
            self.fault(Fault::NotAnObject { found: found(json) }, json);
            return None;
        }
        match serde_json::from_str(json) {
            Ok(object) => Some(object),
            Err(error) => {
                if error.is_eof() {
                    self.salvage(json);
                }
                self.not_json(&error, json, json);
                None
            }
        }
    }

    fn alert(&mut self, object: &mut Object<'t>, json: &'t str) -> Option<Record<'t>> {
        if self.is_unfit(json) {
            return None;
        }
        match alert::alert(object, &self.engine.times) {
            Ok(record) => Some(record),
            Err(fault) => {
                self.unless_mapped(fault, json);
                None
            }
        }
    }

    /// Reports an alert that nests too deep or contains an invalid byte. Only that alert of a
    /// payload is lost.
    fn is_unfit(&mut self, json: &'t str) -> bool {
        if is_too_deep(json) {
            self.fault(Fault::TooDeep, json);
            return true;
        }
        let Some(raw) = self.raw else { return false };
        let at = self.offset_of(json);
        let bytes = &raw[at..at + json.len()];
        let Some((behind, found)) = first_invalid(bytes) else { return false };
        let at = at + behind;
        self.move_to(at);
        self.engine.fault(self.position, found.fault(self.column(at)), bytes);
        self.is_invalid_byte_reported = true;
        true
    }

    fn ingest(&mut self, position: SourcePosition, record: Record<'_>) {
        let record = match &self.outer {
            Some(outer) => enclosed(record, outer),
            None => record,
        };
        self.engine.ingest(position, &record);
    }

    /// Reads an object in a described format that has it; reports the fault if none has.
    fn unless_mapped(&mut self, fault: Fault, json: &'t str) {
        let fault = explained(fault, json);
        let may_be_mapped =
            matches!(fault, Fault::NoName { .. } | Fault::NotAString { .. } | Fault::Missing { .. });
        if !may_be_mapped || self.prefers_mapped || !self.mapped(json) {
            self.fault(fault, json);
        }
    }

    /// Reads an object in a described format. Returns whether any has it.
    fn mapped(&mut self, json: &'t str) -> bool {
        if is_too_deep(json) {
            return false;
        }
        let Ok(document) = serde_json::from_str::<Value>(json) else { return false };
        let rules = self.engine.rules().clone();
        let Some((_, format)) = rules.json_format(&document) else { return false };
        if format.is_snapshot_list() {
            self.engine.note_snapshot(self.document);
        }
        for alert in format.alerts(&document) {
            match apply(format, &alert, &self.engine.times) {
                Ok(applied) => self.take(applied, || json.to_owned()),
                Err(fault) => self.fault(fault, json),
            }
        }
        true
    }

    /// Takes a record of a described format. A message in it may hold JSON or a line that fits a
    /// template; else it is the text after the record's name. `shown` makes the text of a fault.
    pub(super) fn take(&mut self, applied: Applied, shown: impl FnOnce() -> String) {
        let Applied { mut record, message, is_yearless } = applied;
        self.engine.yearless += u64::from(is_yearless);
        let Some(message) = message else { return self.ingest(self.position, record) };
        let message = message.trim();
        if message.starts_with('{')
            && self.depth < MAX_DEPTH
            && serde_json::from_str::<&RawValue>(message).is_ok()
        {
            let mut inner = JsonReader::new(self.engine, self.position, message, 0);
            inner.depth = self.depth + 1;
            inner.outer = Some(match &self.outer {
                Some(outer) => enclosed(record, outer),
                None => record,
            });
            return inner.object(message);
        }
        let rules = self.engine.rules().clone();
        let (at, text) = match self.engine.times.leading(message) {
            time::Leading::At(at, rest) => (Some(at), rest),
            time::Leading::None | time::Leading::Yearless(_) => (None, message),
        };
        match line_record::strict(text, &rules, &self.engine.times) {
            Ok(mut line) => {
                line.time = line.time.or(at);
                self.ingest(self.position, enclosed(line, &record));
            }
            Err(fault) => {
                if let Some(line) = line_of_format(message, &rules, &self.engine.times) {
                    return self.ingest(self.position, enclosed(line, &record));
                }
                if record.alert.is_empty() {
                    return self.fault(fault, &shown());
                }
                // The title of a ticket is its name and its message.
                if record.alert != message {
                    record.text = std::borrow::Cow::Owned(message.to_owned());
                }
                self.ingest(self.position, record);
            }
        }
    }

    fn payload(&mut self, shape: Format, object: Object<'t>, json: &'t str) {
        if self.depth == MAX_DEPTH {
            return self.fault(Fault::TooDeep, json);
        }
        self.depth += 1;
        self.shaped(shape, object, json);
        self.depth -= 1;
    }

    fn shaped(&mut self, shape: Format, object: Object<'t>, json: &'t str) {
        match shape {
            // A notification of `watcher` says in its type what an alert says in its fields.
            Format::CloudEvents
                if matches!(&object.kind, Some(Scalar::Text(kind)) if kind.starts_with(WATCHER))
                    && self.mapped(json) => {}
            Format::CloudEvents => {
                // An event may have no data: its subject is the alert.
                let data = object.data.map_or("{}", RawValue::get);
                match serde_json::from_str::<Object<'t>>(data) {
                    Ok(data) if !data.alerts.is_empty() => self.envelope(data, json),
                    Ok(_) if self.is_unfit(json) => {}
                    Ok(data) => match alert::cloud_event(&object, data, &self.engine.times) {
                        Ok(record) => self.ingest(self.position, record),
                        Err(fault) => self.fault(fault, json),
                    },
                    Err(_) => self.fault(Fault::NotAnObject { found: found(data) }, json),
                }
            }
            Format::PagerDuty => {
                if self.is_unfit(json) {
                    return;
                }
                let inner = |raw: Option<&'t RawValue>| {
                    raw.and_then(|raw| serde_json::from_str::<Object<'t>>(raw.get()).ok())
                };
                let payload = inner(object.payload);
                let details = inner(payload.as_ref().and_then(|payload| payload.custom_details));
                let rules = self.engine.rules().clone();
                match alert::pager_duty_event(&object, payload, details, &rules, &self.engine.times) {
                    Ok(record) => self.ingest(self.position, record),
                    Err(fault) => self.fault(fault, json),
                }
            }
            Format::Prometheus if is_error(&object) => self.fault(explained(Fault::NoFormat, json), json),
            Format::Prometheus => {
                let data = object.data.and_then(|data| serde_json::from_str::<Object<'t>>(data.get()).ok());
                match data {
                    Some(data) if !data.alerts.is_empty() => self.envelope(data, json),
                    _ => self.unless_mapped(Fault::NoFormat, json),
                }
            }
            _ => self.envelope(object, json),
        }
    }

    fn envelope(&mut self, object: Object<'t>, json: &'t str) {
        self.engine.truncated += object.truncated;
        if object.alerts.is_empty() {
            return self.unless_mapped(Fault::Missing { field: "alerts" }, json);
        }
        for alerts in object.alerts {
            match serde_json::from_str::<Vec<&'t RawValue>>(alerts.get()) {
                Ok(values) => self.elements(&values),
                Err(_) => self.fault(Fault::NotAnObject { found: found(alerts.get()) }, json),
            }
        }
    }

    /// The alerts of one payload were sent at one instant: the newest time in it.
    fn elements(&mut self, values: &[&'t RawValue]) {
        let line = self.position;
        let mut records = Vec::with_capacity(values.len());
        for value in values {
            let json = value.get();
            self.move_to(self.offset_of(json));
            let here = self.position;
            if self.prefers_mapped && self.mapped(json) {
                continue;
            }
            let Some(mut object) = self.parsed(json) else { continue };
            match shape(&object) {
                Some(shape) => self.payload(shape, object, json),
                None => records.extend(self.alert(&mut object, json).map(|record| (here, record))),
            }
        }
        // A single alert is not a list of what stands.
        if records.iter().any(|(_, record)| record.snapshot) {
            self.engine.note_snapshot(self.document);
        }
        let moment = records.iter().filter_map(|(_, record)| record.newest()).max();
        for (position, mut record) in records {
            record.time = record.time.max(moment);
            self.ingest(position, record);
        }
        self.position = line;
    }

    /// Reads the complete elements of a truncated document: those of its arrays of alerts, or of
    /// itself. A truncated group may contain complete alerts.
    fn salvage(&mut self, json: &'t str) {
        let mut cut = json;
        // Each round goes one level deeper and scans the text at most twice.
        for _ in 0..MAX_PAYLOAD_DEPTH {
            let array = match cut.strip_prefix('[') {
                Some(array) => Some(array),
                None => alerts_of(cut),
            };
            let Some(mut rest) = array else { return };
            let mut whole = Vec::new();
            loop {
                rest = rest.trim_start().trim_start_matches(',').trim_start();
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&'t RawValue>();
                match values.next() {
                    Some(Ok(value)) => {
                        whole.push(value);
                        rest = &rest[values.byte_offset()..];
                    }
                    _ => break,
                }
            }
            self.elements(&whole);
            if !rest.starts_with('{') {
                return;
            }
            cut = rest;
        }
    }
}

/// The record of a line in a described format, such as the title of a notification. A format that
/// contains messages itself is not tried.
fn line_of_format(line: &str, rules: &Rules, times: &TimeReader) -> Option<Record<'static>> {
    let formats = rules.line_formats(line).filter(|(_, format)| format.message.is_none());
    formats.map(|(_, format)| (format, format.line(line))).find_map(|(format, row)| {
        let row = row?;
        apply(format, &Located::new(&row, &row), times).ok().map(|applied| applied.record)
    })
}

/// Whether an answer of Prometheus says that the query failed, whatever it holds beside that.
fn is_error(object: &Object<'_>) -> bool {
    matches!(&object.status, Some(StatusField::Word(Scalar::Text(word))) if word == "error")
}
