//! The rules file as it is written: strict, with line and column in every error.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Span, Timestamp};
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use wildmatch::WildMatch;

use super::template::Template;
use super::{Edge, HEURISTICS, Limits, Matches, Row, Silence, Table};
use crate::mask;
use crate::severity::Severity;

/// A rules file that cannot be used; says where and how to mend it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RulesError(String);

impl RulesError {
    fn at(at: Location, message: impl std::fmt::Display) -> Self {
        Self(format!("line {} column {}: {message}", at.line(), at.column()))
    }
}

fn fault<T>(at: &Spanned<T>, message: impl std::fmt::Display) -> RulesError {
    RulesError::at(at.referenced, message)
}

type Text = Spanned<String>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    templates: Vec<TemplateRow>,
    identity: IdentityRow,
    scope: Option<ScopeRow>,
    severities: Vec<SeverityRow>,
    ladders: Vec<LadderRow>,
    edges: Vec<EdgeRow>,
    transients: Vec<TransientRow>,
    informational: Vec<InformationalRow>,
    silences: Vec<SilenceRow>,
    ttls: Vec<TtlRow>,
    runbooks: Vec<RunbookRow>,
    limits: LimitsRow,
    builtin: BuiltinRow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateRow {
    id: Text,
    line: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct IdentityRow {
    drop: Vec<String>,
    keep: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ScopeRow {
    labels: Vec<Vec<String>>,
    otherwise: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeverityRow {
    id: Text,
    alert: Text,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    severity: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LadderRow {
    id: Text,
    rungs: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeRow {
    id: Text,
    cause: Text,
    symptoms: Vec<Text>,
    #[serde(default)]
    ignore: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransientRow {
    id: Text,
    alert: Text,
    of: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InformationalRow {
    id: Text,
    alert: Text,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceRow {
    id: Text,
    alert: Text,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    from: Option<Text>,
    until: Option<Text>,
    #[serde(default)]
    because: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TtlRow {
    id: Text,
    alert: Text,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    ttl: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunbookRow {
    id: Text,
    alert: Text,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    url: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsRow {
    identities: Option<Spanned<usize>>,
    ttl: Option<Text>,
    sustained: Option<Text>,
    gap: Option<Text>,
    precedes: Option<Text>,
    recurring: Option<Spanned<u64>>,
    flaps: Option<Spanned<usize>>,
    flap_window: Option<Text>,
    flap_quiet: Option<Text>,
    group_scopes: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BuiltinRow {
    disable: Vec<Text>,
}

impl File {
    pub(super) fn parse(yaml: &str) -> Result<Self, RulesError> {
        let is_empty = |line: &str| {
            let line = line.trim();
            line.is_empty() || line.starts_with('#') || line == "---"
        };
        if yaml.lines().all(is_empty) {
            return Ok(Self::default());
        }
        serde_saphyr::from_str(yaml).map_err(|error| {
            let message = error.without_snippet().to_string();
            let fix = "a rules file has templates, identity, scope, severities, ladders, edges, transients, \
                       informational, silences, ttls, runbooks, limits, builtin";
            match error.location() {
                Some(at) => RulesError::at(at, format!("{message}; {fix}")),
                None => RulesError(format!("{message}; {fix}")),
            }
        })
    }
}

fn severity(word: &Text) -> Result<Severity, RulesError> {
    match Severity::of_word(&word.value) {
        Severity::Unknown if word.value != "unknown" => Err(fault(
            word,
            format!("`{}` is no severity: write critical, error, warning, unknown, info or none", word.value),
        )),
        severity => Ok(severity),
    }
}

fn time(text: &Text) -> Result<Timestamp, RulesError> {
    text.value
        .parse()
        .map_err(|_| fault(text, format!("`{}` is no time: write 2026-11-23T06:51:59Z", text.value)))
}

fn span(text: &Text) -> Result<SignedDuration, RulesError> {
    let bad = || fault(text, format!("`{}` is no span longer than zero: write 90s, 15m, 24h", text.value));
    let span: Span = text.value.parse().map_err(|_| bad())?;
    let span = SignedDuration::try_from(span).map_err(|_| bad())?;
    if span > SignedDuration::ZERO { Ok(span) } else { Err(bad()) }
}

fn name(text: &Text) -> Result<String, RulesError> {
    match text.value.trim() {
        "" => Err(fault(text, "an alert's name is empty: name the alert, or write `*` for any")),
        name => Ok(name.to_owned()),
    }
}

fn matches(alert: &Text, labels: &BTreeMap<String, String>) -> Result<Matches, RulesError> {
    let pattern = name(alert)?;
    Ok(Matches {
        alert: WildMatch::new(&pattern),
        pattern,
        labels: labels
            .iter()
            .map(|(name, value)| (name.clone(), WildMatch::new(value), value.clone()))
            .collect(),
    })
}

/// Rows of `over` take the place of rows of the same id; ours come last, so that yours are read first.
fn over<T>(over: Vec<T>, base: Vec<T>, id: impl Fn(&T) -> &str, disabled: &[Text]) -> Vec<T> {
    let mut rows: Vec<T> = base;
    rows.retain(|row| {
        !over.iter().any(|mine| id(mine) == id(row)) && !disabled.iter().any(|text| text.value == id(row))
    });
    let mut all = over;
    all.append(&mut rows);
    all
}

impl Table {
    /// `file` over `base`, or `file` alone.
    pub(super) fn of(base: Option<File>, file: File) -> Result<Table, RulesError> {
        let lines = file.ids()?;
        let base = base.unwrap_or_default();
        let known: Vec<String> = base.ids()?.into_keys().collect();
        for disable in &file.builtin.disable {
            let is_known = known.contains(&disable.value)
                || HEURISTICS.iter().any(|(id, _)| *id == disable.value)
                || mask::ids().any(|id| id == disable.value);
            if !is_known {
                return Err(fault(
                    disable,
                    format!("nothing built in has the id `{}`: `triage rules` lists the ids", disable.value),
                ));
            }
        }
        let off = &file.builtin.disable;
        let mut table = Table {
            limits: limits(&file.limits)?,
            disabled: off.iter().map(|text| text.value.clone()).collect(),
            volatile: base.identity.drop.iter().chain(&file.identity.drop).cloned().collect(),
            lines,
            ..Table::default()
        };
        for keep in &file.identity.keep {
            table.volatile.remove(keep);
        }
        let scope = file.scope.or(base.scope).unwrap_or_default();
        (table.scope, table.scope_otherwise) = (scope.labels, scope.otherwise);

        for row in over(file.templates, base.templates, |row| &row.id.value, off) {
            let template = Template::parse(&row.line.value).map_err(|message| fault(&row.line, message))?;
            table.templates.push((row.id.value, template));
        }
        for row in over(file.severities, base.severities, |row| &row.id.value, off) {
            let says = severity(&row.severity)?;
            let matches = matches(&row.alert, &row.labels)?;
            let at = table.severities.len();
            if matches.is_exact() {
                table.severity_of.entry(matches.pattern.clone()).or_default().push(at);
            } else {
                table.severity_patterns.push(at);
            }
            table.severities.push(Row { id: row.id.value, matches, says });
        }
        for row in over(file.ladders, base.ladders, |row| &row.id.value, off) {
            if row.rungs.len() < 2 || row.rungs.len() > 100 {
                let how = if row.rungs.len() < 2 { "fewer than two" } else { "more than 100" };
                return Err(fault(&row.id, format!("ladder `{}` has {how} rungs", row.id.value)));
            }
            let rungs = row.rungs.iter().map(name).collect::<Result<Vec<_>, _>>()?;
            for (rung, alert) in rungs.iter().enumerate() {
                table.ladder_of.entry(alert.clone()).or_insert((table.ladders.len(), rung as u8));
            }
            table.ladders.push((row.id.value, rungs));
        }
        for row in over(file.edges, base.edges, |row| &row.id.value, off) {
            if row.symptoms.is_empty() {
                return Err(fault(&row.id, format!("edge `{}` has no symptoms", row.id.value)));
            }
            let symptoms = row.symptoms.iter().map(name).collect::<Result<Vec<_>, _>>()?;
            table.edges.push(Edge {
                cause: name(&row.cause)?,
                symptoms,
                ignore: row.ignore,
                id: row.id.value,
            });
        }
        let none = BTreeMap::new();
        for row in over(file.transients, base.transients, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &none)?;
            table.transients.push(Row { id: row.id.value, matches, says: name(&row.of)? });
        }
        for row in over(file.informational, base.informational, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.informational.push(Row { id: row.id.value, matches, says: row.because });
        }
        for row in over(file.silences, base.silences, |row| &row.id.value, off) {
            let silence = Silence {
                matches: matches(&row.alert, &row.labels)?,
                from: row.from.as_ref().map(time).transpose()?,
                until: row.until.as_ref().map(time).transpose()?,
                because: row.because,
                id: row.id.value,
            };
            if let (Some(from), Some(until), Some(at)) = (silence.from, silence.until, &row.until) {
                if until <= from {
                    return Err(fault(at, format!("silence `{}` ends before it begins", silence.id)));
                }
            }
            table.silences.push(silence);
        }
        for row in over(file.ttls, base.ttls, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.ttls.push(Row { id: row.id.value, matches, says: span(&row.ttl)? });
        }
        for row in over(file.runbooks, base.runbooks, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.runbooks.push(Row { id: row.id.value, matches, says: row.url.value });
        }
        Ok(table)
    }
}

fn limits(row: &LimitsRow) -> Result<Limits, RulesError> {
    let mut limits = Limits::default();
    let at_least_one = |name: &str, given: &Option<Spanned<usize>>, limit: &mut usize| match given {
        Some(given) if given.value == 0 => Err(fault(given, format!("{name} must be at least 1"))),
        Some(given) => {
            *limit = given.value;
            Ok(())
        }
        None => Ok(()),
    };
    at_least_one("identities", &row.identities, &mut limits.identities)?;
    at_least_one("flaps", &row.flaps, &mut limits.flaps)?;
    at_least_one("group_scopes", &row.group_scopes, &mut limits.group_scopes)?;
    if let Some(recurring) = &row.recurring {
        limits.recurring = recurring.value;
    }
    for (given, limit) in [
        (&row.ttl, &mut limits.ttl),
        (&row.sustained, &mut limits.sustained),
        (&row.gap, &mut limits.gap),
        (&row.precedes, &mut limits.precedes),
        (&row.flap_window, &mut limits.flap_window),
        (&row.flap_quiet, &mut limits.flap_quiet),
    ] {
        if let Some(given) = given {
            *limit = span(given)?;
        }
    }
    Ok(limits)
}

impl File {
    /// Every id with its line, once.
    fn ids(&self) -> Result<BTreeMap<String, u64>, RulesError> {
        let ids = (self.templates.iter().map(|row| &row.id))
            .chain(self.severities.iter().map(|row| &row.id))
            .chain(self.ladders.iter().map(|row| &row.id))
            .chain(self.edges.iter().map(|row| &row.id))
            .chain(self.transients.iter().map(|row| &row.id))
            .chain(self.informational.iter().map(|row| &row.id))
            .chain(self.silences.iter().map(|row| &row.id))
            .chain(self.ttls.iter().map(|row| &row.id))
            .chain(self.runbooks.iter().map(|row| &row.id));
        let mut seen: HashMap<&str, u64> = HashMap::new();
        for id in ids {
            if id.value.trim().is_empty() {
                return Err(fault(id, "an id is empty: give the row a name that the output can show"));
            }
            let line = id.referenced.line();
            if let Some(first) = seen.insert(&id.value, line) {
                return Err(fault(id, format!("id `{}` is given twice, first in line {first}", id.value)));
            }
        }
        Ok(seen.into_iter().map(|(id, line)| (id.to_owned(), line)).collect())
    }
}
