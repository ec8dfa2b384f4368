//! Builds the lookup table from rules files.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_saphyr::Spanned;
use wildmatch::WildMatch;

use super::alert_matcher::AlertMatcher;
use super::heuristics::HEURISTICS;
use super::limits::Limits;
use super::rows::{Edge, RuleRow, ScopeConstant, Silence};
use super::rules_file::{LimitsRow, RulesFile, ScopeConstantRow};
use super::table::{RuleTable, WrittenSettings};
use super::template::Template;
use crate::formats::{self, MappedFormat};
use crate::mask;
use crate::severity::Severity;
use crate::yaml::{self, FileError, Text};

fn fault<T>(at: &Spanned<T>, message: impl std::fmt::Display) -> FileError {
    FileError::at(at, message)
}

fn severity(word: &Text) -> Result<Severity, FileError> {
    match Severity::from_word(&word.value) {
        Severity::Unknown if word.value != "unknown" => Err(fault(
            word,
            format!(
                "`{}` is not a severity: write critical, error, warning, unknown, info or none",
                word.value
            ),
        )),
        severity => Ok(severity),
    }
}

fn time(text: &Text) -> Result<Timestamp, FileError> {
    text.value
        .parse()
        .map_err(|_| fault(text, format!("`{}` is not a time: write 2026-11-23T06:51:59Z", text.value)))
}

fn span(text: &Text) -> Result<SignedDuration, FileError> {
    yaml::positive_span(text, "90s, 15m, 24h")
}

fn name(text: &Text) -> Result<String, FileError> {
    match text.value.trim() {
        "" => Err(fault(text, "an alert's name is empty: name the alert, or write `*` for any")),
        name => Ok(name.to_owned()),
    }
}

fn matches(alert: &Text, labels: &BTreeMap<String, Text>) -> Result<AlertMatcher, FileError> {
    let pattern = name(alert)?;
    Ok(AlertMatcher {
        alert: WildMatch::new(&pattern),
        pattern,
        labels: (labels.iter())
            .map(|(name, value)| (name.clone(), WildMatch::new(&value.value), value.value.clone()))
            .collect(),
    })
}

/// Rows of `over` replace base rows with the same id and come first.
fn over<T>(over: Vec<T>, base: Vec<T>, id: impl Fn(&T) -> &str, disabled: &[Text]) -> Vec<T> {
    let mut rows: Vec<T> = base;
    rows.retain(|row| {
        !over.iter().any(|mine| id(mine) == id(row)) && !disabled.iter().any(|text| text.value == id(row))
    });
    let mut all = over;
    all.append(&mut rows);
    all
}

impl RuleTable {
    /// `file` over `base`, or `file` alone.
    pub(super) fn from_files(base: Option<RulesFile>, file: RulesFile) -> Result<RuleTable, FileError> {
        let lines = lines(&file)?;
        let base = base.unwrap_or_default();
        let written = WrittenSettings::from_files(&base, &file);
        for disable in &file.builtin.disable {
            let is_row = base.ids().any(|(_, id)| id.value == disable.value);
            let is_format = formats::builtin_ids().any(|id| id == disable.value);
            if !is_row && !is_format && !is_heuristic(&disable.value) {
                let message =
                    format!("nothing built in has the id `{}`: `triage rules` lists the ids", disable.value);
                return Err(fault(disable, message));
            }
        }
        let off = &file.builtin.disable;
        let values = |texts: &[Text]| texts.iter().map(|text| text.value.clone()).collect::<Vec<_>>();
        let mut table = RuleTable {
            limits: limits(&file.limits)?,
            disabled: values(off).into_iter().collect(),
            volatile: base
                .identity
                .drop
                .iter()
                .chain(&file.identity.drop)
                .map(|text| text.value.clone())
                .collect(),
            kept: values(&file.identity.keep).into_iter().collect(),
            lines,
            written,
            ..RuleTable::default()
        };
        for keep in &table.kept {
            table.volatile.remove(keep);
        }
        let builtin_scope = base.scope.map(|scope| scope.value).unwrap_or_default();
        let scope = file.scope.map(|scope| scope.value);
        let labels = scope.as_ref().and_then(|scope| scope.labels.as_ref()).or(builtin_scope.labels.as_ref());
        table.scope = labels.into_iter().flatten().map(|names| values(names)).collect();
        let scope = scope.as_ref().unwrap_or(&builtin_scope);
        table.scope_otherwise = values(&scope.otherwise);
        table.scope_constants =
            scope.constants.iter().map(|row| scope_constant(row, &table.scope)).collect::<Result<_, _>>()?;

        for row in over(file.templates, base.templates, |row| &row.id.value, off) {
            let template = Template::parse(&row.line.value).map_err(|message| fault(&row.line, message))?;
            table.templates.push((row.id.value, template));
        }
        for row in over(file.severities, base.severities, |row| &row.id.value, off) {
            let value = severity(&row.severity)?;
            let matches = matches(&row.alert, &row.labels)?;
            let at = table.severities.len();
            if matches.is_exact() {
                table.severity_of.entry(matches.pattern.clone()).or_default().push(at);
            } else {
                table.severity_patterns.push(at);
            }
            table.severities.push(RuleRow { id: row.id.value, matches, value });
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
                workload: row.workload,
                id: row.id.value,
            });
        }
        for alert in base.separate.iter().chain(&file.separate) {
            table.separate.push(WildMatch::new(&name(alert)?));
        }
        let none = BTreeMap::new();
        for row in over(file.transients, base.transients, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &none)?;
            table.transients.push(RuleRow { id: row.id.value, matches, value: name(&row.of)? });
        }
        for row in over(file.informational, base.informational, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.informational.push(RuleRow { id: row.id.value, matches, value: row.because });
        }
        for row in over(file.silences, base.silences, |row| &row.id.value, off) {
            let silence = Silence {
                matches: matches(&row.alert, &row.labels)?,
                from: row.from.as_ref().map(time).transpose()?,
                until: row.until.as_ref().map(time).transpose()?,
                because: row.because,
                id: row.id.value,
            };
            if let (Some(from), Some(until), Some(at)) = (silence.from, silence.until, &row.until)
                && until <= from
            {
                return Err(fault(at, format!("silence `{}` ends before it begins", silence.id)));
            }
            table.silences.push(silence);
        }
        for row in over(file.ttls, base.ttls, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.ttls.push(RuleRow { id: row.id.value, matches, value: span(&row.ttl)? });
        }
        for row in over(file.runbooks, base.runbooks, |row| &row.id.value, off) {
            let matches = matches(&row.alert, &row.labels)?;
            table.runbooks.push(RuleRow { id: row.id.value, matches, value: row.url.value });
        }
        table.formats = file.formats.into_iter().map(MappedFormat::compile).collect::<Result<_, _>>()?;
        Ok(table)
    }
}

fn scope_constant(row: &ScopeConstantRow, scope: &[Vec<String>]) -> Result<ScopeConstant, FileError> {
    if row.source.value.is_empty() || row.labels.is_empty() {
        let message =
            "a constant scope needs a source and a label: write {source: \"*\", labels: {cluster: NAME}}";
        return Err(fault(&row.source, message));
    }
    if let Some((label, value)) =
        row.labels.iter().find(|(label, _)| !scope.iter().flatten().any(|known| known == *label))
    {
        return Err(fault(
            value,
            format!("{label} is not a label of the scope: add it to `labels` of `scope`"),
        ));
    }
    Ok(ScopeConstant {
        source: WildMatch::new(&row.source.value),
        labels: (row.labels.iter()).map(|(label, value)| (label.clone(), value.value.clone())).collect(),
    })
}

fn limits(row: &LimitsRow) -> Result<Limits, FileError> {
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

fn is_heuristic(id: &str) -> bool {
    HEURISTICS.iter().any(|(known, _)| *known == id) || mask::ids().any(|known| known == id)
}

/// The line of every id. Errors if an id is empty or given twice.
fn lines(file: &RulesFile) -> Result<BTreeMap<String, u64>, FileError> {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for (_, id) in file.ids() {
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

impl WrittenSettings {
    fn from_files(base: &RulesFile, file: &RulesFile) -> Self {
        let lines = |texts: &[Text]| {
            texts.iter().map(|text| (text.value.clone(), text.referenced.line())).collect::<Vec<_>>()
        };
        let mut ids = Vec::new();
        for (section, id) in file.ids() {
            let line = id.referenced.line();
            let builtin = base.ids().find(|(_, known)| known.value == id.value).map(|(section, _)| section);
            if is_heuristic(&id.value) {
                let fix = "which no row replaces: choose another id, or disable it under builtin";
                ids.push((id.value.clone(), line, format!("has the id of a built-in heuristic, {fix}")));
            } else if let Some(other) = builtin.filter(|other| *other != section) {
                let message =
                    format!("has the id of a built-in row of {other}: choose another id, or move it there");
                ids.push((id.value.clone(), line, message));
            }
            if file.builtin.disable.iter().any(|off| off.value == id.value) {
                let message = "takes the place of a built-in row, and the id is disabled as well: remove one of the two";
                ids.push((id.value.clone(), line, message.to_owned()));
            }
        }
        let rows = &file.limits;
        let texts = [
            ("ttl", &rows.ttl),
            ("sustained", &rows.sustained),
            ("gap", &rows.gap),
            ("precedes", &rows.precedes),
            ("flap_window", &rows.flap_window),
            ("flap_quiet", &rows.flap_quiet),
        ];
        let mut limits: Vec<(&'static str, u64)> = (texts.into_iter())
            .filter_map(|(name, text)| Some((name, text.as_ref()?.referenced.line())))
            .collect();
        limits.extend(rows.recurring.as_ref().map(|given| ("recurring", given.referenced.line())));
        limits.extend(rows.flaps.as_ref().map(|given| ("flaps", given.referenced.line())));
        limits.extend(rows.group_scopes.as_ref().map(|given| ("group_scopes", given.referenced.line())));
        let scope = file.scope.iter().map(|scope| &scope.value);
        Self {
            drop: lines(&file.identity.drop),
            keep: lines(&file.identity.keep),
            dropped_by_us: base.identity.drop.iter().map(|text| text.value.clone()).collect(),
            // Without `labels` the built-in ones hold.
            scope_at: (file.scope.as_ref())
                .filter(|scope| scope.value.labels.is_some() || scope.value.constants.is_empty())
                .map(|scope| scope.referenced.line()),
            scope: scope
                .flat_map(|scope| scope.labels.iter().flatten().chain([&scope.otherwise]))
                .flat_map(|names| lines(names))
                .collect(),
            limits,
            ids,
        }
    }
}
