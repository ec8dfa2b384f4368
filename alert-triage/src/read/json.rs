//! JSON inputs: an object a line, or whole documents; shapes are told apart by what an object has.

use serde_json::value::RawValue;

use super::alert;
use super::line::{each_line, without_cr};
use super::object::Object;
use crate::fault::Fault;
use crate::format::Format;
use crate::ledger::Engine;
use crate::record::Record;
use crate::source_position::SourcePosition;

/// Levels of nesting that are read.
const DEPTH: usize = 64;

/// Payloads inside payloads that are looked for in what is cut: alerts of a group of an answer that an event carries are
/// the deepest there are.
const PAYLOADS: usize = 6;

/// What the object is by itself; none for an alert of no particular format.
pub(super) fn shape(object: &Object<'_>) -> Option<Format> {
    // An alert may have fields that are called as those of payloads are.
    let is_alert = object.name.is_some() || object.labels.is_some();
    let holds_alerts = |alerts: &&RawValue| {
        let inside = alerts.get().strip_prefix('[').map(str::trim_start);
        inside.is_some_and(|inside| !inside.starts_with(']'))
    };
    let is_payload = object.alerts.iter().any(holds_alerts) || !object.alerts.is_empty() && !is_alert;
    if object.spec_version && (object.data.is_some() || !is_alert) {
        Some(Format::CloudEvents)
    } else if object.event_action.is_some() || object.routing_key.is_some() && !is_alert {
        Some(Format::PagerDuty)
    } else if is_payload && object.org {
        Some(Format::Grafana)
    } else if is_payload {
        Some(Format::Alertmanager)
    } else if object.data.is_some() && object.labels.is_none() && object.name.is_none() {
        Some(Format::Prometheus)
    } else {
        None
    }
}

pub(super) fn read_lines(engine: &mut Engine, before: SourcePosition, input: &[u8]) {
    let lines = each_line(input, |number, line| {
        let position = before.down(number);
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
        let mut reader = Reader::new(engine, position, text, lead);
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

/// One value or several, over as many lines as they like.
pub(super) fn read_document(engine: &mut Engine, before: SourcePosition, _: Format, input: &[u8]) {
    let lines = each_line(input, |_, _| {});
    engine.add_lines(before, lines);
    let whole = input;
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let lead = whole.len() - input.len();
    let Some((at, found)) = damage(input) else {
        let text = std::str::from_utf8(input).unwrap_or_default();
        return Reader::new(engine, before.down(1), text, lead).documents();
    };
    let text = legible(input);
    let mut reader = Reader::new(engine, before.down(1), &text, lead);
    reader.damaged = Some(input);
    reader.documents();
    if !reader.is_damage_told {
        // It is in none of the alerts.
        let begin = memchr::memrchr(b'\n', &input[..at]).map_or(0, |at| at + 1);
        let line = memchr::memchr_iter(b'\n', &input[..begin]).count() as u64;
        let byte = at - begin + 1 + if begin == 0 { lead } else { 0 };
        let shown = &input[begin..input.len().min(begin + 400)];
        engine.fault(before.down(line + 1), found.fault(byte), shown);
    }
}

/// What no JSON text holds.
#[derive(Debug, Clone, Copy)]
enum Damage {
    NotUtf8,
    Control(u8),
}

impl Damage {
    fn fault(self, byte: usize) -> Fault {
        match self {
            Damage::NotUtf8 => Fault::NotUtf8 { byte },
            Damage::Control(control) => Fault::Control(control.into()),
        }
    }
}

/// NUL and its like; line ends and tabs are told by the parser where they do not belong.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !byte.is_ascii_whitespace()
}

/// The first of it.
fn damage(bytes: &[u8]) -> Option<(usize, Damage)> {
    let text = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(fault) => &bytes[..fault.valid_up_to()],
    };
    let control = text.iter().position(|byte| is_control(*byte));
    let control = control.map(|at| (at, Damage::Control(bytes[at])));
    control.or((text.len() < bytes.len()).then_some((text.len(), Damage::NotUtf8)))
}

/// The same text with a mark for each byte that is none, so that all else is read, and stands where it stood.
fn legible(input: &[u8]) -> String {
    let mut text = String::with_capacity(input.len());
    for chunk in input.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c.is_ascii() && is_control(c as u8) { '?' } else { c }));
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// Where serde_json stopped.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return text.trim_end().len();
    }
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let begin = lines.map(str::len).sum::<usize>();
    let mut at = (begin + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// What may begin a document, or an element of an array, behind the one that begins the text and not before `at`. A value
/// of an object is neither: labels alone are no alert.
fn next_document(text: &str, at: usize) -> Option<usize> {
    let before = |at: usize| text[..at].trim_end_matches([' ', '\t', '\r']).as_bytes().last();
    memchr::memchr2_iter(b'{', b'[', &text.as_bytes()[at..])
        .map(|begin| at + begin)
        .filter(|begin| *begin > 0)
        .find(|begin| {
            let is_line = text[..*begin].ends_with('\n');
            is_line || text[*begin..].starts_with('{') && matches!(before(*begin), Some(b',' | b'['))
        })
}

fn found(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Deeper than is read? Strings do not count.
fn is_too_deep(json: &str) -> bool {
    if memchr::memchr2_iter(b'{', b'[', json.as_bytes()).nth(DEPTH).is_none() {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Reads values of one text, keeping the place of each.
struct Reader<'e, 't> {
    engine: &'e mut Engine,
    position: SourcePosition,
    text: &'t str,
    /// Bytes before the text in its first line.
    lead: usize,
    /// The line that the text begins with.
    first: u64,
    /// Up to where line ends have been counted, how many, and where the last line begins.
    line_at: usize,
    lines: u64,
    line_begin: usize,
    /// What was read, if not all of it is text.
    damaged: Option<&'t [u8]>,
    is_damage_told: bool,
    /// Payloads around the one that is read.
    depth: usize,
}

impl<'e, 't> Reader<'e, 't> {
    fn new(engine: &'e mut Engine, position: SourcePosition, text: &'t str, lead: usize) -> Self {
        Self {
            engine,
            position,
            text,
            lead,
            first: position.line(),
            line_at: 0,
            lines: 0,
            line_begin: 0,
            damaged: None,
            is_damage_told: false,
            depth: 0,
        }
    }

    fn fault(&mut self, fault: Fault, shown: &str) {
        self.engine.fault(self.position, fault, shown.as_bytes());
    }

    /// `json` is part of the text.
    fn not_json(&mut self, error: &serde_json::Error, json: &'t str, shown: &str) {
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

    /// Moves to the line of a byte of the text; asked in rising order.
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

    /// Of a byte in the line that was moved to, from 1.
    fn column(&self, at: usize) -> usize {
        let lead = if self.line_begin == 0 { self.lead } else { 0 };
        lead + at.saturating_sub(self.line_begin) + 1
    }

    /// Values one after the other. Behind one that is broken the next is looked for at the beginning of a line, and among
    /// the elements of the broken one.
    fn documents(&mut self) {
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
                        self.value(value.get());
                    }
                    Some(Err(error)) => break (begin, error),
                }
            };
            let (begin, error) = broken;
            if is_resumed {
                // Of the broken one, what stood between its parts.
                let between = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}');
                let behind = rest[begin..].trim_start_matches(between);
                if !rest[begin..].trim_start().starts_with(['{', '[']) && behind.len() < rest.len() - begin {
                    from = text.len() - behind.len();
                    continue;
                }
            }
            let at = offset(rest, &error);
            // What lies behind the break is not looked at here, lest a text of many breaks be gone through for each.
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

    /// An array holds alerts, groups or events; else one value.
    fn value(&mut self, json: &'t str) {
        if !json.starts_with('[') {
            return self.object(json);
        }
        match serde_json::from_str::<Vec<&'t RawValue>>(json) {
            Ok(values) => self.elements(&values),
            Err(error) => self.not_json(&error, json, json),
        }
    }

    fn object(&mut self, json: &'t str) {
        let Some(mut object) = self.parsed(json) else { return };
        match shape(&object) {
            Some(shape) => self.payload(shape, object, json),
            None => {
                if let Some(record) = self.alert(&mut object, json) {
                    self.engine.ingest(self.position, &record);
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
        match alert::alert(object) {
            Ok(record) => Some(record),
            Err(fault) => {
                self.fault(fault, json);
                None
            }
        }
    }

    /// Is there something in a single alert that none has? Of a payload only the alert that has it is lost.
    fn is_unfit(&mut self, json: &'t str) -> bool {
        if is_too_deep(json) {
            self.fault(Fault::TooDeep, json);
            return true;
        }
        let Some(damaged) = self.damaged else { return false };
        let at = self.offset_of(json);
        let bytes = &damaged[at..at + json.len()];
        let Some((behind, found)) = damage(bytes) else { return false };
        let at = at + behind;
        self.move_to(at);
        self.engine.fault(self.position, found.fault(self.column(at)), bytes);
        self.is_damage_told = true;
        true
    }

    fn payload(&mut self, shape: Format, object: Object<'t>, json: &'t str) {
        if self.depth == DEPTH {
            return self.fault(Fault::TooDeep, json);
        }
        self.depth += 1;
        self.shaped(shape, object, json);
        self.depth -= 1;
    }

    fn shaped(&mut self, shape: Format, object: Object<'t>, json: &'t str) {
        match shape {
            Format::CloudEvents => {
                // An event may be without: then its subject says it all.
                let data = object.data.map_or("{}", RawValue::get);
                match serde_json::from_str::<Object<'t>>(data) {
                    Ok(data) if !data.alerts.is_empty() => self.envelope(data, json),
                    Ok(_) if self.is_unfit(json) => {}
                    Ok(data) => match alert::cloud_event(&object, data) {
                        Ok(record) => self.engine.ingest(self.position, &record),
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
                match alert::page(&object, payload, details, &rules) {
                    Ok(record) => self.engine.ingest(self.position, &record),
                    Err(fault) => self.fault(fault, json),
                }
            }
            Format::Prometheus => {
                let data = object.data.and_then(|data| serde_json::from_str::<Object<'t>>(data.get()).ok());
                match data {
                    Some(data) if !data.alerts.is_empty() => self.envelope(data, json),
                    _ => self.fault(Fault::NoFormat, json),
                }
            }
            _ => self.envelope(object, json),
        }
    }

    fn envelope(&mut self, object: Object<'t>, json: &'t str) {
        self.engine.truncated += object.truncated;
        if object.alerts.is_empty() {
            return self.fault(Fault::Missing { field: "alerts" }, json);
        }
        for alerts in object.alerts {
            match serde_json::from_str::<Vec<&'t RawValue>>(alerts.get()) {
                Ok(values) => self.elements(&values),
                Err(_) => self.fault(Fault::NotAnObject { found: found(alerts.get()) }, json),
            }
        }
    }

    /// The alerts of one payload were told at one moment: the newest time in it.
    fn elements(&mut self, values: &[&'t RawValue]) {
        let line = self.position;
        let mut records = Vec::with_capacity(values.len());
        for value in values {
            let json = value.get();
            self.move_to(self.offset_of(json));
            let here = self.position;
            let Some(mut object) = self.parsed(json) else { continue };
            match shape(&object) {
                Some(shape) => self.payload(shape, object, json),
                None => records.extend(self.alert(&mut object, json).map(|record| (here, record))),
            }
        }
        let moment = records.iter().filter_map(|(_, record)| record.newest()).max();
        for (position, mut record) in records {
            record.time = record.time.max(moment);
            self.engine.ingest(position, &record);
        }
        self.position = line;
    }

    /// What stands whole in a document that is not: the elements of its arrays of alerts, or of itself. A group that is
    /// cut may hold alerts that are not.
    fn salvage(&mut self, json: &'t str) {
        let mut cut = json;
        // Each turn goes deeper, and none goes through the text more than twice.
        for _ in 0..PAYLOADS {
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

/// Behind `"alerts": [`.
fn alerts_of(json: &str) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.find("\"alerts\"") {
        rest = &rest[at + "\"alerts\"".len()..];
        if let Some(array) =
            rest.trim_start().strip_prefix(':').and_then(|rest| rest.trim_start().strip_prefix('['))
        {
            return Some(array);
        }
    }
    None
}
