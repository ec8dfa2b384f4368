//! JSON inputs: an object a line, or whole documents; shapes are told apart by what an object has.

use serde_json::value::RawValue;

use super::object::Object;
use super::{Format, alert, each_line, without_cr};
use crate::fault::Fault;
use crate::ledger::Engine;
use crate::place::Place;

/// Levels of nesting that are read.
const DEPTH: usize = 64;

pub(super) fn detect(head: &[u8]) -> Format {
    let mut lines = head.splitn(2, |byte| *byte == b'\n');
    let first = without_cr(lines.next().unwrap_or_default()).trim_ascii();
    let has_more = lines.next().is_some_and(|rest| !rest.trim_ascii().is_empty());
    let is_whole = serde_json::from_slice::<&RawValue>(first).is_ok();
    let opens = matches!(first, [b'{' | b'['] | [b'{' | b'[', .., b'{' | b'[' | b',']);
    if first.starts_with(b"{") && (is_whole || has_more && !opens) {
        let only = !has_more && is_whole;
        let shape = serde_json::from_slice::<Object<'_>>(first).ok().and_then(|object| shape(&object));
        // One payload on one line is that payload.
        return if only { shape.unwrap_or(Format::Jsonl) } else { Format::Jsonl };
    }
    let has = |word: &str| memchr::memmem::find(head, format!("\"{word}\"").as_bytes()).is_some();
    if has("specversion") {
        Format::CloudEvents
    } else if has("routing_key") || has("event_action") {
        Format::PagerDuty
    } else if has("activeAt") {
        Format::Prometheus
    } else if has("orgId") || has("silenceURL") {
        Format::Grafana
    } else {
        Format::Alertmanager
    }
}

/// What the object is by itself; none for an alert of no particular format.
fn shape(object: &Object<'_>) -> Option<Format> {
    if object.spec_version {
        Some(Format::CloudEvents)
    } else if object.event_action.is_some() || object.routing_key {
        Some(Format::PagerDuty)
    } else if object.alerts.is_some() && object.org {
        Some(Format::Grafana)
    } else if object.alerts.is_some() {
        Some(Format::Alertmanager)
    } else if object.data.is_some() && object.labels.is_none() && object.name.is_none() {
        Some(Format::Prometheus)
    } else {
        None
    }
}

pub(super) fn read_lines(engine: &mut Engine, before: Place, input: &[u8]) {
    let lines = each_line(input, |number, line| {
        let line = without_cr(line);
        let place = before.down(number);
        let line = if place.line() == 1 && place.block() == 0 {
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        } else {
            line
        };
        let text = match std::str::from_utf8(line) {
            Ok(text) => text.trim(),
            Err(fault) => return engine.fault(place, Fault::NotUtf8 { byte: fault.valid_up_to() + 1 }, line),
        };
        if text.is_empty() {
            engine.blank += 1;
            return;
        }
        let mut reader = Reader { engine, place, text, first: place.line(), line_at: 0, lines: 0 };
        if !text.starts_with('{') {
            return match serde_json::from_str::<&RawValue>(text) {
                Ok(value) => reader.fault(Fault::NotAnObject { found: found(value.get()) }, text),
                Err(error) => reader.not_json(&error, text),
            };
        }
        reader.object(text);
    });
    engine.block(before, lines);
}

/// One value or several, over as many lines as they like.
pub(super) fn read_document(engine: &mut Engine, before: Place, _: Format, input: &[u8]) {
    let lines = each_line(input, |_, _| {});
    engine.block(before, lines);
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    let place = before.down(1);
    let text = match std::str::from_utf8(input) {
        Ok(text) => text,
        Err(fault) => {
            let line = memchr::memchr_iter(b'\n', &input[..fault.valid_up_to()]).count() as u64 + 1;
            let begin = memchr::memrchr(b'\n', &input[..fault.valid_up_to()]).map_or(0, |at| at + 1);
            let shown = &input[begin..input.len().min(begin + 400)];
            let byte = fault.valid_up_to() - begin + 1;
            engine.fault(before.down(line), Fault::NotUtf8 { byte }, shown);
            // What stands before it is whole, or is cut there.
            std::str::from_utf8(&input[..fault.valid_up_to()]).unwrap_or_default()
        }
    };
    let mut reader = Reader { engine, place, text, first: place.line(), line_at: 0, lines: 0 };
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    loop {
        let from = values.byte_offset();
        match values.next() {
            None => return,
            Some(Ok(value)) => {
                let json = value.get();
                reader.place_at((json.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
                reader.value(json);
            }
            Some(Err(error)) => {
                let rest = text[from..].trim_start();
                reader.salvage(rest);
                let at = if error.is_eof() {
                    text.trim_end().len()
                } else {
                    offset(text, error.line(), error.column())
                };
                reader.place_at(at);
                let shown = text[..at].rfind('\n').map_or(0, |at| at + 1);
                let shown = text[shown..].lines().next().unwrap_or_default();
                return reader.not_json(&error, shown);
            }
        }
    }
}

fn offset(text: &str, line: usize, column: usize) -> usize {
    let begin = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let mut at = (begin + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
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
    place: Place,
    text: &'t str,
    /// The line that the text begins with.
    first: u64,
    /// Up to where line ends have been counted, and how many.
    line_at: usize,
    lines: u64,
}

impl<'t> Reader<'_, 't> {
    fn fault(&mut self, fault: Fault, shown: &str) {
        self.engine.fault(self.place, fault, shown.as_bytes());
    }

    fn not_json(&mut self, error: &serde_json::Error, shown: &str) {
        let fault = if error.is_eof() {
            Fault::Cut
        } else {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default().to_owned();
            if message.starts_with("recursion limit") {
                Fault::TooDeep
            } else {
                Fault::NotJson { column: error.column(), message }
            }
        };
        self.fault(fault, shown);
    }

    /// Moves to the line of a byte of the text; asked in rising order.
    fn place_at(&mut self, at: usize) {
        if at >= self.line_at {
            self.lines += memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.line_at..at]).count() as u64;
            self.line_at = at;
        }
        self.place = Place::new(self.place.source(), self.place.block(), self.first + self.lines);
    }

    /// An array holds alerts, groups or events; else one value.
    fn value(&mut self, json: &'t str) {
        if !json.starts_with('[') {
            return self.object(json);
        }
        if is_too_deep(json) {
            return self.fault(Fault::TooDeep, json);
        }
        match serde_json::from_str::<Vec<&'t RawValue>>(json) {
            Ok(values) => self.elements(&values),
            Err(error) => self.not_json(&error, json),
        }
    }

    fn object(&mut self, json: &'t str) {
        if is_too_deep(json) {
            return self.fault(Fault::TooDeep, json);
        }
        if !json.starts_with('{') {
            return self.fault(Fault::NotAnObject { found: found(json) }, json);
        }
        let object: Object<'t> = match serde_json::from_str(json) {
            Ok(object) => object,
            Err(error) => {
                if error.is_eof() {
                    self.salvage(json);
                }
                return self.not_json(&error, json);
            }
        };
        match shape(&object) {
            None => match alert::alert(object) {
                Ok(record) => self.engine.ingest(self.place, &record),
                Err(fault) => self.fault(fault, json),
            },
            Some(Format::CloudEvents) => {
                let Some(data) = object.data else {
                    return self.fault(Fault::Missing { field: "data" }, json);
                };
                match serde_json::from_str::<Object<'t>>(data.get()) {
                    Ok(data) if data.alerts.is_some() => self.envelope(data, json),
                    Ok(data) => match alert::cloud_event(&object, data) {
                        Ok(record) => self.engine.ingest(self.place, &record),
                        Err(fault) => self.fault(fault, json),
                    },
                    Err(_) => self.fault(Fault::NotAnObject { found: found(data.get()) }, json),
                }
            }
            Some(Format::PagerDuty) => {
                let inner = |raw: Option<&'t RawValue>| {
                    raw.and_then(|raw| serde_json::from_str::<Object<'t>>(raw.get()).ok())
                };
                let payload = inner(object.payload);
                let details = inner(payload.as_ref().and_then(|payload| payload.custom_details));
                let rules = self.engine.rules().clone();
                match alert::page(&object, payload, details, &rules) {
                    Ok(record) => self.engine.ingest(self.place, &record),
                    Err(fault) => self.fault(fault, json),
                }
            }
            Some(Format::Prometheus) => {
                let data = object.data.and_then(|data| serde_json::from_str::<Object<'t>>(data.get()).ok());
                match data {
                    Some(data) if data.alerts.is_some() => self.envelope(data, json),
                    _ => self.fault(Fault::NoFormat, json),
                }
            }
            Some(_) => self.envelope(object, json),
        }
    }

    fn envelope(&mut self, object: Object<'t>, json: &'t str) {
        self.engine.truncated += object.truncated;
        let Some(alerts) = object.alerts else { return self.fault(Fault::Missing { field: "alerts" }, json) };
        match serde_json::from_str::<Vec<&'t RawValue>>(alerts.get()) {
            Ok(values) => self.elements(&values),
            Err(_) => self.fault(Fault::NotAnObject { found: found(alerts.get()) }, json),
        }
    }

    /// The alerts of one payload were told at one moment: the newest time in it.
    fn elements(&mut self, values: &[&'t RawValue]) {
        let line = self.place;
        let mut records = Vec::with_capacity(values.len());
        for value in values {
            let json = value.get();
            let at = (json.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
            self.place_at(at);
            let object = match json.starts_with('{') {
                true => serde_json::from_str::<Object<'t>>(json),
                false => {
                    self.fault(Fault::NotAnObject { found: found(json) }, json);
                    continue;
                }
            };
            match object {
                Ok(object) if shape(&object).is_some() => {
                    let here = self.place;
                    self.object(json);
                    self.place = here;
                }
                Ok(object) => match alert::alert(object) {
                    Ok(record) => records.push((self.place, record)),
                    Err(fault) => self.fault(fault, json),
                },
                Err(error) => self.not_json(&error, json),
            }
        }
        let moment = records.iter().filter_map(|(_, record)| record.newest()).max();
        for (place, mut record) in records {
            record.time = record.time.max(moment);
            self.engine.ingest(place, &record);
        }
        self.place = line;
    }

    /// What stands whole in a document that is not: the elements of its arrays of alerts, or of itself.
    fn salvage(&mut self, json: &'t str) {
        let array = match json.starts_with('[') {
            true => Some(&json[1..]),
            false => alerts_of(json),
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
        // A group that is cut may hold alerts that are not.
        if rest.starts_with('{') && alerts_of(rest).is_some() {
            self.salvage(rest);
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
