//! The rows of a rule test file, as YAML spells them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::yaml::{Text, or_empty};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TestFile {
    pub(super) rules: Option<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) tests: Vec<TestRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestRow {
    pub(super) name: Text,
    pub(super) start: Option<Text>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) input: Vec<Spanned<InputRow>>,
    pub(super) checks: Vec<Spanned<CheckRow>>,
}

/// One input: exactly one of `alert`, `lines` and `file`, with the fields that belong to it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct InputRow {
    pub(super) at: Option<Text>,
    pub(super) every: Option<Text>,
    pub(super) times: Option<Spanned<u32>>,
    pub(super) alert: Option<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) text: Option<String>,
    pub(super) state: Option<Text>,
    #[serde(rename = "startsAt")]
    pub(super) starts: Option<Text>,
    #[serde(rename = "endsAt")]
    pub(super) ends: Option<Text>,
    pub(super) dedup_key: Option<String>,
    #[serde(rename = "silencedBy")]
    pub(super) silenced_by: Option<String>,
    #[serde(rename = "inhibitedBy")]
    pub(super) inhibited_by: Option<String>,
    pub(super) lines: Option<Text>,
    pub(super) file: Option<Text>,
    pub(super) format: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckRow {
    pub(super) at: Option<Text>,
    pub(super) expect: Expectation,
}

/// What a report must contain. Fields that are absent are not compared.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expectation {
    pub(super) pages: Option<u64>,
    pub(super) tickets: Option<u64>,
    pub(super) duplicates: Option<u64>,
    pub(super) malformed: u64,
    pub(super) incidents: Option<Vec<Spanned<IncidentRow>>>,
    pub(super) alerts: Option<Vec<Spanned<AlertRow>>>,
    pub(super) notices: Option<Vec<Spanned<NotificationRow>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IncidentRow {
    pub(super) headline: Option<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) scope: BTreeMap<String, String>,
    pub(super) scopes: Option<usize>,
    pub(super) priority: Option<Text>,
    pub(super) notify: Option<Text>,
    pub(super) state: Option<Text>,
    pub(super) members: Option<Vec<Spanned<AlertRow>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertRow {
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) verdict: Option<Text>,
    pub(super) severity: Option<Text>,
    pub(super) role: Option<Text>,
    pub(super) by: Option<Text>,
    pub(super) cause: Option<Text>,
    pub(super) rule: Option<Text>,
    pub(super) count: Option<u64>,
    pub(super) episodes: Option<u32>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) flags: Vec<Text>,
    pub(super) runbook: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NotificationRow {
    pub(super) headline: Option<Text>,
    pub(super) change: Option<Text>,
    pub(super) priority: Option<Text>,
    pub(super) notify: Option<Text>,
}
