//! The rules file as parsed from YAML: strict, with line and column in every error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::formats::FormatRow;
use crate::yaml::{self, FileError, Text, or_empty};

/// A rules file. A section whose rows are all commented out is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RulesFile {
    #[serde(deserialize_with = "or_empty")]
    pub(super) templates: Vec<TemplateRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) identity: IdentityRow,
    pub(super) scope: Option<Spanned<ScopeRow>>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) severities: Vec<SeverityRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) ladders: Vec<LadderRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) edges: Vec<EdgeRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) separate: Vec<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) transients: Vec<TransientRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) informational: Vec<InformationalRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) silences: Vec<SilenceRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) ttls: Vec<TtlRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) runbooks: Vec<RunbookRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) formats: Vec<FormatRow>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) limits: LimitsRow,
    #[serde(deserialize_with = "or_empty")]
    pub(super) builtin: BuiltinRow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateRow {
    pub(super) id: Text,
    pub(super) line: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IdentityRow {
    #[serde(deserialize_with = "or_empty")]
    pub(super) drop: Vec<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) keep: Vec<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ScopeRow {
    /// `None`: those of the built-in rules.
    pub(super) labels: Option<Vec<Vec<Text>>>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) otherwise: Vec<Text>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) constants: Vec<ScopeConstantRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeConstantRow {
    pub(super) source: Text,
    pub(super) labels: BTreeMap<String, Text>,
}

type LabelPatterns = BTreeMap<String, Text>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeverityRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: LabelPatterns,
    pub(super) severity: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LadderRow {
    pub(super) id: Text,
    pub(super) rungs: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EdgeRow {
    pub(super) id: Text,
    pub(super) cause: Text,
    pub(super) symptoms: Vec<Text>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) ignore: Vec<String>,
    /// Labels that name the workload of an alert that has no other label for it.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) workload: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransientRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    pub(super) of: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InformationalRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: LabelPatterns,
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: LabelPatterns,
    pub(super) from: Option<Text>,
    pub(super) until: Option<Text>,
    #[serde(default)]
    pub(super) because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TtlRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: LabelPatterns,
    pub(super) ttl: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunbookRow {
    pub(super) id: Text,
    pub(super) alert: Text,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) labels: LabelPatterns,
    pub(super) url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsRow {
    pub(super) identities: Option<Spanned<usize>>,
    pub(super) ttl: Option<Text>,
    pub(super) sustained: Option<Text>,
    pub(super) gap: Option<Text>,
    pub(super) precedes: Option<Text>,
    pub(super) recurring: Option<Spanned<u64>>,
    pub(super) flaps: Option<Spanned<usize>>,
    pub(super) flap_window: Option<Text>,
    pub(super) flap_quiet: Option<Text>,
    pub(super) group_scopes: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BuiltinRow {
    #[serde(deserialize_with = "or_empty")]
    pub(super) disable: Vec<Text>,
}

impl RulesFile {
    pub(super) fn parse(yaml: &str) -> Result<Self, FileError> {
        yaml::parse(yaml)
    }

    /// The id of every row, with its section.
    pub(super) fn ids(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        fn of<'r, T>(
            section: &'static str,
            rows: &'r [T],
            id: fn(&'r T) -> &'r Text,
        ) -> impl Iterator<Item = (&'static str, &'r Text)> {
            rows.iter().map(move |row| (section, id(row)))
        }
        of("templates", &self.templates, |row| &row.id)
            .chain(of("severities", &self.severities, |row| &row.id))
            .chain(of("ladders", &self.ladders, |row| &row.id))
            .chain(of("edges", &self.edges, |row| &row.id))
            .chain(of("transients", &self.transients, |row| &row.id))
            .chain(of("informational", &self.informational, |row| &row.id))
            .chain(of("silences", &self.silences, |row| &row.id))
            .chain(of("ttls", &self.ttls, |row| &row.id))
            .chain(of("runbooks", &self.runbooks, |row| &row.id))
            .chain(of("formats", &self.formats, |row| &row.id))
    }
}
