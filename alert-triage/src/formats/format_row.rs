//! One row under `formats:` as parsed from YAML.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::yaml::{Text, or_empty};

/// One value, or a list of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// Where a field of an alert comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum FieldRow {
    /// Paths, which begin with `$`, and constants; the first that gives a value applies.
    Sources(OneOrMany<String>),
    /// The same, with what is done to the value.
    Converted(ConvertedRow),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConvertedRow {
    /// Paths within the alert.
    pub(super) from: Option<OneOrMany<String>>,
    /// Paths within the values around the alert; the nearest value that has one applies.
    pub(super) around: Option<OneOrMany<String>>,
    /// Names of members on the way to the alert: 1 is that of the alert, 2 that of the value around
    /// it.
    pub(super) member: Option<OneOrMany<usize>>,
    /// Paths within the whole document.
    pub(super) document: Option<OneOrMany<String>>,
    /// Joins all values that exist with this text, instead of taking the first.
    pub(super) join: Option<String>,
    /// A regular expression whose first group is the value.
    pub(super) capture: Option<String>,
    /// Words of the source and what they mean; `*` stands for any other word.
    pub(super) map: BTreeMap<String, String>,
    /// Formats of a time, as `strptime` has them.
    pub(super) time: Option<OneOrMany<String>>,
}

/// A condition on a document.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum DetectRow {
    /// A path that must select a value.
    Present(String),
    /// A path that must select one of these texts, or a text that matches.
    Value(ValueRow),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueRow {
    pub(super) path: String,
    #[serde(default)]
    pub(super) is: Option<OneOrMany<String>>,
    #[serde(default)]
    pub(super) matches: Option<String>,
}

/// What a format reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    /// Objects of JSON.
    #[default]
    Json,
    /// Lines that match a regular expression with named groups.
    Lines,
    /// Lines of `key=value` pairs.
    Logfmt,
    /// Tables with a header: CSV, TSV, columns between bars, or columns aligned with blanks.
    Table,
    /// Alerts of several lines `Key: value`, such as the mails of a monitoring tool.
    Blocks,
}

/// A described format.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormatRow {
    pub(crate) id: Text,
    /// What it is, in a few words.
    #[serde(default)]
    pub(super) what: String,
    /// Where its source describes it.
    #[serde(default)]
    pub(super) see: String,
    #[serde(default)]
    pub(super) reads: Shape,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) detect: Vec<DetectRow>,
    #[serde(default)]
    pub(super) lines: Option<OneOrMany<String>>,
    #[serde(default)]
    pub(super) each: Option<String>,
    #[serde(default)]
    pub(super) name: Option<FieldRow>,
    #[serde(default)]
    pub(super) message: Option<FieldRow>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: BTreeMap<String, FieldRow>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) drop: Vec<String>,
    #[serde(default)]
    pub(super) severity: Option<FieldRow>,
    /// Whether the severity changes while the alert stays the same, such as a check that warns
    /// first.
    #[serde(default)]
    pub(super) severity_changes: bool,
    #[serde(default)]
    pub(super) status: Option<FieldRow>,
    #[serde(default)]
    pub(super) starts_at: Option<FieldRow>,
    #[serde(default)]
    pub(super) ends_at: Option<FieldRow>,
    #[serde(default)]
    pub(super) updated_at: Option<FieldRow>,
    #[serde(default)]
    pub(super) key: Option<FieldRow>,
    #[serde(default)]
    pub(super) summary: Option<FieldRow>,
    #[serde(default)]
    pub(super) url: Option<FieldRow>,
    #[serde(default)]
    pub(super) runbook: Option<FieldRow>,
    #[serde(default)]
    pub(super) acknowledged: Option<FieldRow>,
    /// Whether a document lists what stands at present.
    #[serde(default)]
    pub(super) snapshot: bool,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) examples: Vec<ExampleRow>,
}

/// An input and the alerts that it must give.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleRow {
    pub(crate) input: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) alerts: Vec<BTreeMap<String, serde_json::Value>>,
}
