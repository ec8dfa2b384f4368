//! From bytes to records: the formats, and telling them apart.
//!
//! | format | name | labels | severity | state | times | key |
//! |---|---|---|---|---|---|---|
//! | lines | `{alert}` of the template | other captures | capture `{severity}` | capture `{status}`, else an event | leading time | - |
//! | JSONL | `labels.alertname`, else `alertname`, `alert`, `name` | `labels`, else the well-known ones of the object | label | `status`, `state`, else an event | `startsAt`, `endsAt`, else `timestamp`, `time`, `ts` | labels and `startsAt` |
//! | Alertmanager webhook v4 | `labels.alertname` | `labels` | label | the alert's `status` | `startsAt`, `endsAt` | labels and `startsAt` |
//! | Grafana webhook | the same | the same | label | the alert's `status` | `startsAt`, `endsAt` | `fingerprint`, labels and `startsAt` |
//! | Alertmanager API v2, GET | the same | the same | label | active; silenced, inhibited by `status` | `startsAt`, `updatedAt`; `endsAt` is a time-out | labels and `startsAt` |
//! | Alertmanager API v2, POST | the same | the same | label | firing until `endsAt` | `startsAt`, `endsAt` | labels and `startsAt` |
//! | Prometheus `/api/v1/alerts` | the same | the same | label | `state`: pending, firing | `activeAt` | labels and `activeAt` |
//! | PagerDuty Events v2 | `payload.class`, else `summary` by the line templates, else `summary` | well-known ones of `custom_details`; `component`, `group`, `source` | `payload.severity` | `event_action` | `payload.timestamp` | `dedup_key` |
//! | CloudEvents | `data.alertname`, else `subject` | of `data` | of `data` | `data.status`, else the end of `type` | `data.startsAt`, else `time` | labels and time |
//! | syslog (RFC 5424, RFC 3164) | message by the line templates, else MSGID, else the app's name | captures; `host`, `app` | of the priority, unless captured | an event | of the header | - |

mod alert;
mod json;
mod lines;
mod object;
mod syslog;
mod time;

use std::fmt;
use std::str::FromStr;

use crate::ledger::Engine;
use crate::place::Place;

/// The longest plain line that is read, in bytes, line ending aside.
pub const LINE_LIMIT: usize = 64 * 1024;

/// What an input is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One alert a line, by template.
    Lines,
    /// One JSON object a line; whole payloads of the other JSON formats are taken as well.
    Jsonl,
    /// Alertmanager's webhook v4, and its API v2, both what it answers and what it takes.
    Alertmanager,
    /// What Prometheus answers to `/api/v1/alerts`.
    Prometheus,
    /// PagerDuty Events API v2.
    PagerDuty,
    /// CloudEvents 1.0 as JSON, single or in a batch.
    CloudEvents,
    /// Grafana's webhook.
    Grafana,
    /// Syslog lines, RFC 5424 or RFC 3164.
    Syslog,
}

impl Format {
    /// All formats, in the order of their names' first mention.
    pub const ALL: [Format; 8] = [
        Format::Lines,
        Format::Jsonl,
        Format::Alertmanager,
        Format::Prometheus,
        Format::PagerDuty,
        Format::CloudEvents,
        Format::Grafana,
        Format::Syslog,
    ];

    /// Tells the format by how an input begins; 64 KiB are plenty.
    ///
    /// What begins like an object or an array of objects is JSON, `<` and digits are syslog, all else is lines, `[12:00] …`
    /// among it. An input with one whole JSON object
    /// on its first line is JSONL, whatever the objects are.
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
            [b'{' | b'[', rest @ ..] if json::goes_on(head[0], rest) => json::detect(head),
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

    /// Is it read line by line, so that an input can be split at any line end?
    pub fn is_lines(self) -> bool {
        matches!(self, Format::Lines | Format::Jsonl | Format::Syslog)
    }

    /// As `--format` takes it; [`FromStr`] is its inverse.
    pub fn name(self) -> &'static str {
        match self {
            Format::Lines => "lines",
            Format::Jsonl => "jsonl",
            Format::Alertmanager => "alertmanager",
            Format::Prometheus => "prometheus",
            Format::PagerDuty => "pagerduty",
            Format::CloudEvents => "cloudevents",
            Format::Grafana => "grafana",
            Format::Syslog => "syslog",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            format!("`{name}` is no format: write one of {}", Format::ALL.map(Format::name).join(", "))
        })
    }
}

impl Engine {
    /// Reads a whole input.
    pub fn read(&mut self, name: &str, format: Format, input: &[u8]) {
        let source = self.source(name);
        self.read_block(source, 0, format, input);
    }

    /// Reads one block of a source; of formats that are not [lines](Format::is_lines) there is only one. Blocks of one
    /// source must not share a line.
    pub fn read_block(&mut self, source: usize, block: usize, format: Format, input: &[u8]) {
        self.read_below(Place::new(source, block, 0), format, input);
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
    /// let log = engine.source("night.log");
    /// engine.read_on(log, Format::Lines, b"Zone AB: LLMModelStale\nZone AB: LLMModelStale\n");
    /// engine.read_on(log, Format::Lines, b"nonsense\n");
    /// assert_eq!(engine.report(None).malformed().next().unwrap().line, 3);
    /// ```
    pub fn read_on(&mut self, source: usize, format: Format, input: &[u8]) {
        let mut rest = input;
        while !rest.is_empty() {
            let end = if format.is_lines() { piece(rest) } else { rest.len() };
            let below = self.end_of(source, PIECE as u64);
            self.read_below(below, format, &rest[..end]);
            rest = &rest[end..];
        }
    }

    fn read_below(&mut self, place: Place, format: Format, input: &[u8]) {
        if let Some(tape) = &mut self.tape {
            tape.format(place.source(), format);
        }
        match format {
            Format::Lines => lines::read(self, place, input),
            Format::Syslog => syslog::read(self, place, input),
            Format::Jsonl => json::read_lines(self, place, input),
            document => json::read_document(self, place, document, input),
        }
    }

    /// Gives yearless times (syslog's) the year that brings them closest before `reference`. Without it they are no
    /// times, and the report says so.
    pub fn set_reference(&mut self, reference: jiff::Timestamp) {
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

/// Calls with each line, its number from 1 and without its end; answers how many there are.
fn each_line<'i>(input: &'i [u8], mut line: impl FnMut(u64, &'i [u8])) -> u64 {
    let mut count = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', input) {
        count += 1;
        line(count, &input[start..end]);
        start = end + 1;
    }
    if start < input.len() {
        count += 1;
        line(count, &input[start..]);
    }
    count
}

/// A plain line as templates meet it; none if it is blank or no text.
pub(crate) fn shape(line: &[u8]) -> Option<&str> {
    let text = lines::text(line).ok().filter(|text| !text.is_empty())?;
    Some(match time::leading(text, None) {
        time::Leading::None => text,
        time::Leading::At(_, rest) | time::Leading::Yearless(rest) => rest,
    })
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
