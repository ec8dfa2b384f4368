//! What an input holds, by its first lines.

use std::io::{BufRead, Read};

use serde_json::{Deserializer, Value};

use super::capture::Capture;
use super::case::Case;
use super::{describe, event_table, json, objects, pod_table};

/// The longest beginning that is looked at, in bytes.
const MAX_HEAD_LEN: u64 = 64 * 1024;

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InputFormat {
    Empty,
    /// One case on each line.
    Cases,
    /// Objects of Kubernetes or Docker as JSON; perhaps a log, if it turns out not to be JSON.
    Json,
    /// Objects of Kubernetes, or a part of one, as YAML.
    Yaml,
    /// `kubectl describe pod`, or a part of it.
    Description,
    /// `kubectl get events`.
    EventTable,
    /// `kubectl get pods`.
    PodTable,
    Log,
}

/// Reads the first two lines that are neither blank nor comments, or as much as [`MAX_HEAD_LEN`].
pub(crate) fn read(input: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut lines = 0;
    while lines < 2 {
        let room = MAX_HEAD_LEN.saturating_sub(head.len() as u64);
        let from = head.len();
        if input.by_ref().take(room).read_until(b'\n', &mut head)? == 0 {
            break;
        }
        let line = head[from..].trim_ascii();
        lines += usize::from(!line.is_empty() && !line.starts_with(b"#"));
    }
    Ok(head)
}

impl InputFormat {
    /// The format of an input that begins with `head`.
    pub(crate) fn detect(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}');
        let Some(first) = text.lines().find(|line| !line.trim().is_empty()) else { return Self::Empty };
        let trimmed = first.trim();
        if trimmed.starts_with(['{', '[']) {
            return Self::of_json(trimmed);
        }
        // YAML begins with comments where a person noted what it is.
        let is_comment = |line: &&str| line.trim().is_empty() || line.trim().starts_with('#');
        if text.lines().find(|line| !is_comment(line)).is_some_and(is_yaml) {
            return Self::Yaml;
        }
        if describe::is_described(text) {
            return Self::Description;
        }
        if event_table::Rows::begin(first).is_some() {
            return Self::EventTable;
        }
        if pod_table::header(first).is_some() { Self::PodTable } else { Self::Log }
    }

    /// The format of an input whose first line begins as JSON.
    fn of_json(first: &str) -> Self {
        let is_object = |value: &Value| objects::add(&mut Capture::default(), value);
        match serde_json::from_str::<Value>(first) {
            Ok(Value::Array(items)) if items.iter().all(Value::is_object) => Self::Json,
            Ok(value) if is_object(&value) => Self::Json,
            Ok(_) if Case::looks_like_one(first) => Self::Cases,
            Ok(_) => Self::Log,
            // `-o jsonpath` prints what it found on one line.
            Err(error) if error.is_syntax() && are_objects(first) => Self::Json,
            // A document on one line that is longer than the head, or cut off.
            Err(error) if error.is_eof() && begins_known(first) => Self::Json,
            Err(_) if Case::looks_like_one(first) => Self::Cases,
            // The first line of an indented document, or a very long one.
            Err(error) if error.is_eof() => Self::Json,
            Err(_) => Self::Log,
        }
    }
}

/// Whether a line is the first one of YAML with objects, or with a part of a pod. A log can begin
/// with such words too, so the keys of a part must stand alone.
fn is_yaml(line: &str) -> bool {
    let objects = ["apiVersion:", "kind:", "items:", "- apiVersion:", "metadata:", "%YAML"];
    let parts = [
        "spec:",
        "status:",
        "containerStatuses:",
        "initContainerStatuses:",
        "state:",
        "lastState:",
        "terminated:",
    ];
    let trimmed = line.trim();
    trimmed == "---"
        || objects.iter().any(|start| line.starts_with(start))
        || trimmed.starts_with("- containerID: ")
        || parts.contains(&trimmed.trim_start_matches("- "))
}

/// Whether a line holds objects and nothing else.
fn are_objects(line: &str) -> bool {
    let mut capture = Capture::default();
    Deserializer::from_str(line)
        .into_iter::<Value>()
        .all(|value| value.is_ok_and(|value| objects::add(&mut capture, &value)))
}

/// Whether the beginning of a document is one of objects that are known.
fn begins_known(beginning: &str) -> bool {
    let mut known = false;
    let read = json::for_each_object(beginning.as_bytes(), |object| known |= objects::is_known(object));
    known || read.broken.as_ref().is_some_and(objects::is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_found_by_the_first_lines() {
        for (head, format) in [
            ("", InputFormat::Empty),
            (" \n\n", InputFormat::Empty),
            ("{\n    \"apiVersion\": \"v1\",\n", InputFormat::Json),
            ("[\n    {\n        \"Id\": \"a\",\n", InputFormat::Json),
            ("{\"kind\":\"Pod\",\"metadata\":{}}\n", InputFormat::Json),
            ("[]\n", InputFormat::Json),
            // A list on one line, of which this is the beginning.
            (
                "{\"items\":[{\"kind\":\"Pod\",\"metadata\":{},\"status\":{\"terminated\":{\"reason\":\"Er",
                InputFormat::Json,
            ),
            ("{\"id\":1,\"terminated\":{\"reason\":\"Er", InputFormat::Cases),
            ("{\"id\":1,\"terminated\":null,\"logTail\":\"a\"}\n", InputFormat::Cases),
            ("{\"level\":\"fatal\",\"msg\":\"connection refused\"}\n", InputFormat::Log),
            ("[pod/a-1/b] text\n", InputFormat::Log),
            ("[main] INFO up\n", InputFormat::Log),
            ("apiVersion: v1\nitems:\n", InputFormat::Yaml),
            ("---\nkind: Pod\n", InputFormat::Yaml),
            ("Name:             swype-app\nNamespace:        sre\n", InputFormat::Description),
            ("Name: swype\nconnection refused\n", InputFormat::Log),
            (
                "LAST SEEN   TYPE      REASON    OBJECT          MESSAGE\n5m          Normal    Killing   pod/a   b\n",
                InputFormat::EventTable,
            ),
            ("FATAL connection refused\n", InputFormat::Log),
        ] {
            assert_eq!(InputFormat::detect(head.as_bytes()), format, "{head}");
        }
    }

    #[test]
    fn two_lines_are_read_and_never_more_than_the_limit() {
        assert_eq!(read(&mut &b"\na\n\nb\nc\n"[..]).unwrap(), b"\na\n\nb\n");
        assert_eq!(read(&mut &b"a"[..]).unwrap(), b"a");
        let endless = vec![b'x'; 1_000_000];
        assert_eq!(read(&mut &endless[..]).unwrap().len() as u64, MAX_HEAD_LEN);
    }
}
