//! Detects formats that are described by data.

use std::cell::OnceCell;

use serde_json::Value;

use super::line_record::{record, text};
use super::yaml_json;
use crate::format::{Format, MappedId};
use crate::formats::{MappedFormat, Shape, columns, logfmt};
use crate::rules::Rules;
use crate::time::{self, TimeReader};
use crate::unread::first_value;

/// How the types of the CloudEvents of `watcher` begin.
pub(super) const WATCHER: &str = "dev.bigredbutton.";

/// Lines at the start of an input by which its format is chosen.
const MAX_SAMPLE_LINES: usize = 50;

impl Rules {
    /// Detects the format by the first bytes of an input, described formats included; 64 KiB are
    /// enough.
    ///
    /// The formats of the rules file are tried first, then the [core formats](Format::detect), then
    /// the built-in described ones.
    ///
    /// ```
    /// use alert_triage::{Format, Rules};
    ///
    /// let rules = Rules::builtin();
    /// assert_eq!(rules.detect(b"Zone AB: X\n"), Format::Lines);
    /// let detected = rules.detect(br#"{"AlarmName": "x", "NewStateValue": "OK", "StateChangeTime": null}"#);
    /// assert_eq!(rules.format_name(detected), "cloudwatch/sns-message");
    /// ```
    pub fn detect(&self, head: &[u8]) -> Format {
        let plain = super::wrapper::unwrapped(head);
        let core = Format::detect(&plain);
        let Ok(text) = std::str::from_utf8(valid(&plain)) else { return core };
        match core {
            Format::Lines | Format::Syslog => self.detect_text(text).unwrap_or(core),
            _ => self.detect_json(text, core).unwrap_or(core),
        }
    }

    fn detect_json(&self, text: &str, core: Format) -> Option<Format> {
        let first = first_value(text.trim_start_matches('\u{feff}'))?;
        let value = match &first {
            Value::Array(values) => values.first()?,
            value => value,
        };
        let mapped = |(index, _)| Format::Mapped(MappedId { index, by_lines: core == Format::Jsonl });
        let own = self.own_formats().find(|(_, format)| format.shape == Shape::Json && format.detects(value));
        if own.is_some() || is_core(value) {
            return own.map(mapped);
        }
        self.json_format(value).map(mapped)
    }

    /// The described format that reads most of the first lines, if it reads more than the
    /// templates.
    fn detect_text(&self, text: &str) -> Option<Format> {
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).take(MAX_SAMPLE_LINES).collect();
        let by_template = lines.iter().filter(|line| self.fits_template(line)).count();
        let blocks = OnceCell::new();
        let best = |formats: &mut dyn Iterator<Item = (u16, &MappedFormat)>| {
            let counted = formats.filter_map(|(index, format)| {
                let (count, by_lines) = match format.shape {
                    Shape::Json => return None,
                    Shape::Lines => (lines.iter().filter(|line| format.line(line).is_some()).count(), true),
                    Shape::Logfmt => {
                        let fits = |line: &&&str| logfmt(line).is_some_and(|pairs| format.detects(&pairs));
                        (lines.iter().filter(fits).count(), true)
                    }
                    // A block counts for the whole text.
                    Shape::Blocks => {
                        let blocks = blocks.get_or_init(|| self.blocks(text));
                        let has = blocks.iter().any(|block| format.detects(&format.block(block)));
                        (if has { lines.len() } else { 0 }, false)
                    }
                    // The header counts for all rows.
                    Shape::Table => {
                        let is_table = columns(text).is_some_and(|columns| format.detects_columns(&columns));
                        (if is_table { lines.len() } else { 0 }, false)
                    }
                };
                Some((count, index, by_lines))
            });
            // The first of equal ones.
            let best = counted.reduce(|best, next| if next.0 > best.0 { next } else { best });
            best.filter(|(count, ..)| *count > by_template)
        };
        let found = best(&mut self.own_formats());
        // A document of YAML has lines that look like blocks.
        if found.is_none() && by_template < lines.len() && self.has_yaml_alerts(text) {
            return Some(Format::Yaml);
        }
        let found = match found {
            None if by_template < lines.len() => best(&mut self.builtin_formats()),
            found => found,
        };
        found.map(|(_, index, by_lines)| Format::Mapped(MappedId { index, by_lines }))
    }

    /// Whether a text is YAML with alerts.
    fn has_yaml_alerts(&self, text: &str) -> bool {
        if !yaml_json::is_like(text) {
            return false;
        }
        let Some(json) = yaml_json::start_as_json(text) else { return false };
        let Some(first) = first_value(&json) else { return false };
        let value = match &first {
            Value::Array(values) => values.first(),
            value => Some(value),
        };
        value.is_some_and(|value| is_core(value) || has_name(value) || self.json_format(value).is_some())
    }

    fn fits_template(&self, line: &str) -> bool {
        let Ok(text) = text(line.as_bytes()) else { return false };
        let times = TimeReader::default();
        let rest = match times.leading(text) {
            time::Leading::None => text,
            time::Leading::At(_, rest) | time::Leading::Yearless(rest) => rest,
        };
        record(rest, self, &times).is_ok()
    }
}

/// Whether an object names an alert as the objects of JSONL do.
fn has_name(value: &Value) -> bool {
    ["alert", "name"].iter().any(|field| value.get(field).is_some_and(Value::is_string))
        && ["severity", "status", "state", "startsAt"].iter().any(|field| value.get(field).is_some())
}

/// The part before the first invalid byte: a head may end inside a character.
fn valid(head: &[u8]) -> &[u8] {
    match std::str::from_utf8(head) {
        Ok(_) => head,
        Err(error) => &head[..error.valid_up_to()],
    }
}

/// Whether a reader in code takes the object for certain.
fn is_core(value: &Value) -> bool {
    let has = |field: &str| value.get(field).is_some_and(|value| !value.is_null());
    let has_name =
        |alert: &Value| alert.get("labels").is_some_and(|labels| labels.get("alertname").is_some());
    let alerts = [value.get("alerts"), value.get("data").and_then(|data| data.get("alerts"))];
    let has_alerts = alerts
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .any(|alerts| alerts.first().is_none_or(has_name));
    // A notification of `watcher` is a CloudEvent whose type says what it is.
    let is_of_watcher =
        value.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with(WATCHER));
    has("alertname")
        || has_name(value)
        || has_alerts
        || has("specversion") && !is_of_watcher
        || has("event_action")
        || has("routing_key")
}
