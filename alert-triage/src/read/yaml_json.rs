//! YAML as JSON, in which each value stands on the line that it has in the YAML. It is read as that
//! JSON is, and records and faults have the lines of the file.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::line::each_line;

/// The maximum number of values of an input. A Kubernetes event has about 60.
const MAX_VALUES: usize = 20_000_000;

/// The maximum size of an input in bytes.
const MAX_BYTES: usize = 1 << 30;

/// Whether the first line with content begins a document, a list of objects or an object.
pub(super) fn is_like(text: &str) -> bool {
    let is_content = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let Some(first) = text.trim_start_matches('\u{feff}').lines().find(is_content) else { return false };
    let entry = first.strip_prefix("- ").unwrap_or(first).trim_start();
    let is_key = |key: &str| {
        let bare = key.trim_matches(['"', '\'']);
        !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./@$".contains(&byte))
    };
    first.trim_end() == "---"
        || first.starts_with("--- ")
        || entry
            .split_once(':')
            .is_some_and(|(key, rest)| is_key(key) && (rest.trim().is_empty() || rest.starts_with(' ')))
}

/// The documents at the start of an input, of which the end may be missing.
pub(super) fn start_as_json(text: &str) -> Option<String> {
    match to_json(text) {
        Ok(json) => Some(json),
        Err((line, _)) => to_json(before_line(text, line)).ok(),
    }
    .filter(|json| !json.trim().is_empty())
}

/// The whole elements before a line: up to the last line before it that begins an element of a list
/// or a document.
pub(super) fn before_line(text: &str, line: u64) -> &str {
    let mut end = 0;
    let mut at = 0;
    for (number, whole) in (1..).zip(text.split_inclusive('\n')) {
        if number > line {
            break;
        }
        if whole.starts_with("- ") || whole.starts_with("---") || whole.starts_with("  - ") {
            end = at;
        }
        at += whole.len();
    }
    &text[..end]
}

/// The documents as JSON with the same lines, or the line of the error and its message.
pub(super) fn to_json(text: &str) -> Result<String, (u64, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: MAX_VALUES,
            max_nodes: MAX_VALUES,
            max_documents: MAX_VALUES,
            max_total_scalar_bytes: MAX_BYTES,
        },
    };
    let documents: Vec<Spanned<Node>> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
            // What is missing at the end is missing behind the last line.
            let last = each_line(text.as_bytes(), |_, _| {}).max(1);
            let line = error.location().map_or(1, |at| at.line()).clamp(1, last);
            let message = error.without_snippet().to_string();
            (line, message.split(" at line ").next().unwrap_or_default().to_owned())
        })?;
    let mut json = Json { last: each_line(text.as_bytes(), |_, _| {}), ..Json::default() };
    for document in &documents {
        json.move_to(document);
        json.write(&document.value);
    }
    Ok(json.text)
}

/// JSON that is written line by line.
#[derive(Debug, Default)]
struct Json {
    text: String,
    /// The number of line ends in the text.
    lines: u64,
    /// The number of lines of the YAML: a value that is empty may be behind them.
    last: u64,
}

impl Json {
    /// Ends lines up to the one of a value.
    fn move_to<T>(&mut self, value: &Spanned<T>) {
        while self.lines + 1 < value.referenced.line().min(self.last) {
            self.text.push('\n');
            self.lines += 1;
        }
    }

    fn write(&mut self, node: &Node) {
        match node {
            Node::Scalar(value) => self.text.push_str(&value.to_string()),
            Node::List(values) => {
                self.text.push('[');
                for (number, value) in values.iter().enumerate() {
                    if number > 0 {
                        self.text.push(',');
                    }
                    self.move_to(value);
                    self.write(&value.value);
                }
                self.text.push(']');
            }
            Node::Object(members) => {
                self.text.push('{');
                for (number, (key, value)) in members.iter().enumerate() {
                    if number > 0 {
                        self.text.push(',');
                    }
                    self.text.push_str(&Value::from(key.as_str()).to_string());
                    self.text.push(':');
                    self.move_to(value);
                    self.write(&value.value);
                }
                self.text.push('}');
            }
        }
    }
}

/// A value of YAML.
#[derive(Debug)]
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Node>>),
    Object(Vec<(String, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = values.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_keeps_its_line() {
        let yaml =
            "# two documents\n---\n- a: 1\n  b: [x, true]\n\n- c:\n    d: |\n      text\n---\ne: null\n";
        let json = to_json(yaml).unwrap();
        assert_eq!(
            json,
            "\n\n[{\"a\":1,\"b\":\n[\"x\",true]},\n\n{\"c\":\n{\"d\":\n\"text\\n\"}}]\n\n{\"e\":null}"
        );
    }

    #[test]
    fn what_is_complete_before_an_error_is_kept() {
        let yaml = "- a: 1\n- b: 2\n- c: [\n";
        assert_eq!(start_as_json(yaml).unwrap(), "[{\"a\":1},\n{\"b\":2}]");
        assert_eq!(start_as_json("a: [\n"), None);
    }

    #[test]
    fn text_is_not_like_yaml() {
        for (text, want) in [
            ("---\na: 1\n", true),
            ("# x\n\n- alertname: X\n", true),
            ("\"alerts\":\n", true),
            ("Zone AB: X\n", false),
            ("see https://x\n", false),
            ("- Zone AB: X\n", false),
            ("", false),
        ] {
            assert_eq!(is_like(text), want, "{text:?}");
        }
    }
}
