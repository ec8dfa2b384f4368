//! Which fields of an object tell alerts apart.

use std::borrow::Cow;

use serde_json::Value;

use super::field::scalar;
use super::label_text;
use crate::time;

/// The longest value of a label that is taken from a field that nobody named, in bytes.
const MAX_VALUE_LEN: usize = 200;

/// Names of fields that describe an alert in words, and of people and places to read more.
const ANNOTATIONS: [&str; 36] = [
    "annotations",
    "assigned",
    "assignedto",
    "assignee",
    "body",
    "comment",
    "comments",
    "creator",
    "description",
    "detail",
    "details",
    "documentation",
    "duedate",
    "generatorurl",
    "href",
    "info",
    "link",
    "links",
    "log",
    "longdescription",
    "message",
    "msg",
    "notes",
    "opdata",
    "operationaldata",
    "output",
    "owner",
    "reporter",
    "resolution",
    "runbook",
    "runbookurl",
    "subtitle",
    "summary",
    "text",
    "tags",
    "worknotes",
];

/// Names of fields that hold a measured value or a counter.
const MEASURED: [&str; 20] = [
    "attempts",
    "count",
    "current",
    "currentvalue",
    "downtime",
    "duration",
    "elapsed",
    "latency",
    "measured",
    "occurrences",
    "pct",
    "percent",
    "ping",
    "repeats",
    "samples",
    "threshold",
    "total",
    "uptime",
    "val",
    "value",
];

/// Names of fields that identify one record.
const IDS: [&str; 24] = [
    "caseid",
    "casenumber",
    "correlationid",
    "eventid",
    "fingerprint",
    "guid",
    "hash",
    "id",
    "incidentid",
    "issueid",
    "issuekey",
    "key",
    "messageid",
    "number",
    "requestid",
    "seq",
    "sequence",
    "spanid",
    "ticket",
    "ticketid",
    "ticketkey",
    "traceid",
    "uid",
    "uuid",
];

/// Names of fields that hold a time, in one word.
const TIMES: [&str; 27] = [
    "activeat",
    "age",
    "closed",
    "closedat",
    "created",
    "createdat",
    "datetime",
    "ended",
    "endedat",
    "endsat",
    "endtime",
    "eventtime",
    "firedat",
    "opened",
    "openedat",
    "resolved",
    "resolvedat",
    "since",
    "started",
    "startedat",
    "startsat",
    "starttime",
    "timestampms",
    "ts",
    "updated",
    "updatedat",
    "when",
];

/// Last words of names of fields that hold a time, as in `event_time` and `startsAt`.
const TIME_WORDS: [&str; 4] = ["at", "date", "time", "timestamp"];

/// Whether a field with this name and value is a label: not a time, a text, an id or a measured
/// value.
pub(crate) fn is_label(name: &str, value: &str) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_time = TIMES.contains(&plain.as_str()) || ends_in_time(name);
    let is_link_field = plain.ends_with("url") || plain.ends_with("link");
    let is_link = is_link_field && (value.starts_with("http://") || value.starts_with("https://"));
    let is_text = value.len() > MAX_VALUE_LEN || value.contains('\n');
    let is_time = is_time || value.len() >= 16 && value.contains([':', 'T']) && time::is_time(value);
    let is_named = |names: &[&str]| names.contains(&plain.as_str());
    let is_other = plain.is_empty() || is_time || is_link || is_text;
    !is_other && !is_named(&ANNOTATIONS) && !is_named(&MEASURED) && !is_named(&IDS)
}

/// Whether the last word of a name is that of a time, or of a unit after it as in `timeMs`. Only
/// whole words count: `runtime` and `candidate` do not name a time.
fn ends_in_time(name: &str) -> bool {
    let words = words(name);
    let words = match words.split_last() {
        Some((unit, front)) if matches!(unit.as_str(), "ms" | "ns" | "utc") => front,
        _ => &words,
    };
    match words {
        [] => false,
        [only] => only != "at" && TIME_WORDS.contains(&only.as_str()),
        [.., last] => TIME_WORDS.contains(&last.as_str()),
    }
}

/// The words of a name in lower case. They are separated by `_`, `-` and the like, or by a change
/// of case as in `startsAt` and `UTCTime`.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| chars[at]);
        let is_lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
        let is_first =
            before.is_some_and(|before| !before.is_uppercase()) || is_lower(chars.get(at + 1).copied());
        if !c.is_alphanumeric() || c.is_uppercase() && is_first {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The pairs of a value that holds labels: an object, a list of `{name, value}`, or texts such as
/// `key:value`.
pub(super) fn pairs(value: &Value) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
    match value {
        Value::Object(object) => object
            .iter()
            .filter_map(|(name, value)| Some((Cow::Borrowed(name.as_str()), scalar(value)?)))
            .collect(),
        Value::Array(values) => values.iter().filter_map(pair).collect(),
        Value::String(text) => label_text::pairs(text),
        _ => Vec::new(),
    }
}

fn pair(value: &Value) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    if let Value::String(text) = value {
        return label_text::pair(text);
    }
    let name = ["name", "key", "label", "tag", "Name", "Key"].iter().find_map(|field| value.get(*field))?;
    let of = ["value", "Value"].iter().find_map(|field| value.get(*field))?;
    Some((Cow::Borrowed(name.as_str()?), scalar(of)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_texts_ids_and_measured_values_are_not_labels() {
        for name in [
            "hostname",
            "database",
            "tenant",
            "site",
            "check",
            "server",
            "rate_class",
            "status_page",
            "url",
            "format",
            "runtime",
            "container_runtime",
            "candidate",
            "disksat",
            "certificate",
            "at",
        ] {
            assert!(is_label(name, "x"), "{name}");
        }
        for name in [
            "id",
            "created_at",
            "startsAt",
            "Opened",
            "eventTime",
            "last_updated_date",
            "message",
            "Description",
            "value",
            "count",
            "work_notes",
            "uuid",
            "updatedAt",
            "startsat",
            "start-time",
            "UTCTime",
            "TIMESTAMP",
            "eventTimestampMs",
            "uptime",
        ] {
            assert!(!is_label(name, "x"), "{name}");
        }
        assert!(!is_label("dashboard_url", "https://x.example/d"));
        assert!(is_label("url", "/login"));
    }
}
