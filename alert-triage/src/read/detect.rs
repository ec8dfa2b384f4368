//! Detects the format of an input by its first bytes.

use serde_json::value::RawValue;

use super::json_shape::shape;
use super::line::without_cr;
use super::object::Object;
use crate::format::Format;

impl Format {
    /// Detects the format by the first bytes of an input; 64 KiB are enough.
    ///
    /// An input that begins like an object or an array of objects is JSON. `<` and digits are
    /// syslog. Everything else is lines, `[12:00] …` included. An input with one whole JSON object
    /// on its first line, and more lines, is JSONL.
    ///
    /// ```
    /// use alert_triage::Format;
    /// assert_eq!(Format::detect(b"Zone AB: X\n"), Format::Lines);
    /// assert_eq!(Format::detect(b"[2026-11-23T06:51:59Z] Zone AB: X\n"), Format::Lines);
    /// assert_eq!(Format::detect(b"{\"alertname\": \"X\"}\n{"), Format::Jsonl);
    /// assert_eq!(Format::detect(b"{\n \"version\": \"4\", \"alerts\": []}"), Format::Alertmanager);
    /// ```
    pub fn detect(head: &[u8]) -> Format {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match head {
            [b'{' | b'[', rest @ ..] if goes_on(head[0], rest) => detect(head),
            [b'<', rest @ ..] => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if (1..=3).contains(&digits) && rest.get(digits) == Some(&b'>') {
                    Format::Syslog
                } else {
                    Format::Lines
                }
            }
            _ => Format::Lines,
        }
    }
}

/// Whether the rest of the first line continues an object, or an array of objects.
fn goes_on(opened: u8, behind: &[u8]) -> bool {
    let line = behind.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match (opened, line.trim_ascii_start().first()) {
        (_, None) => true,
        (b'{', Some(next)) => matches!(next, b'"' | b'}'),
        (_, Some(next)) => matches!(next, b'{' | b'[' | b']'),
    }
}

fn detect(head: &[u8]) -> Format {
    let mut lines = head.splitn(2, |byte| *byte == b'\n');
    let first = without_cr(lines.next().unwrap_or_default()).trim_ascii();
    let has_more = lines.next().is_some_and(|rest| !rest.trim_ascii().is_empty());
    let is_whole = serde_json::from_slice::<&RawValue>(first).is_ok();
    let opens = matches!(first, [b'{' | b'['] | [b'{' | b'[', .., b'{' | b'[' | b',']);
    if first.starts_with(b"{") && (is_whole || has_more && !opens) {
        let only = !has_more && is_whole;
        let shape = serde_json::from_slice::<Object<'_>>(first).ok().and_then(|object| shape(&object));
        // A single payload on one line has the format of that payload.
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
