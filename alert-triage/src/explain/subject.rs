//! Finds the incident or the line that a query is about.

use jiff::Timestamp;

use super::naming::{identity_key, incident_label};
use super::query_error::QueryError;
use crate::hashing::hash;
use crate::judge::IncidentIx;
use crate::ledger::Engine;
use crate::printable::printable;
use crate::report::Report;
use crate::source_position::SourcePosition;

/// Minimum length of a prefix of an earlier id. A shorter prefix would match by chance.
const MIN_ALIAS_LEN: usize = 6;

/// Maximum number of choices in an error.
const MAX_CHOICES: usize = 8;

/// The subject of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// The incident, and the id of the query if it is an earlier id.
    Incident(IncidentIx, Option<String>),
    /// The input (counted from 0), the line (counted from 1), and the position of the line.
    Line(usize, u64, SourcePosition),
}

/// Finds what `what` is about.
///
/// # Errors
/// If `what` matches nothing or more than one thing.
pub(super) fn find(engine: &mut Engine, now: Option<Timestamp>, what: &str) -> Result<Subject, QueryError> {
    let what = what.trim();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((name, line)) = what.rsplit_once(':').filter(|(_, line)| is_number(line)) {
        let source = source(engine, name)?;
        return line_of(engine, source, line);
    }
    let report = engine.report(now);
    if is_number(what) {
        let line: u64 = what.parse().unwrap_or(u64::MAX);
        let engine = report.evaluation.engine;
        let is_there = (0..engine.sources.len()).any(|source| lines(engine, source) >= line);
        // Digits may also be the prefix of an id. A line that exists takes precedence.
        return match line_without_input(engine, what) {
            Err(error) if !is_there => incident(&report, what).map_err(|_| error),
            found => found,
        };
    }
    incident(&report, what)
}

fn source(engine: &Engine, name: &str) -> Result<usize, QueryError> {
    let sources = &engine.sources;
    let is_file = |known: &str| known.rsplit('/').next() == Some(name);
    let exact: Vec<usize> = (0..sources.len()).filter(|at| sources[*at] == name).collect();
    let by_file: Vec<usize> = (0..sources.len()).filter(|at| is_file(&sources[*at])).collect();
    let found = if exact.is_empty() { by_file } else { exact };
    let list = |at: &mut dyn Iterator<Item = usize>| {
        at.take(MAX_CHOICES).map(|at| printable(&sources[at])).collect::<Vec<_>>().join(", ")
    };
    match found.as_slice() {
        // The same file may be listed twice.
        [one, others @ ..] if others.iter().all(|other| sources[*other] == sources[*one]) => Ok(*one),
        [] => Err(QueryError::UnknownInput { name: printable(name), inputs: list(&mut (0..sources.len())) }),
        several => Err(QueryError::AmbiguousInput {
            name: printable(name),
            inputs: list(&mut several.iter().copied()),
        }),
    }
}

fn line_without_input(engine: &Engine, digits: &str) -> Result<Subject, QueryError> {
    match engine.sources.len() {
        0 => Err(QueryError::NoInput),
        1 => line_of(engine, 0, digits),
        _ => {
            let line: u64 = digits.parse().unwrap_or(u64::MAX);
            let with_it = (0..engine.sources.len()).filter(|source| lines(engine, *source) >= line);
            let choices: Vec<String> = with_it
                .take(MAX_CHOICES)
                .map(|source| format!("{}:{digits}", printable(&engine.sources[source])))
                .collect();
            match choices.is_empty() {
                true => Err(QueryError::NoLine { line: digits.to_owned() }),
                false => {
                    Err(QueryError::AmbiguousLine { line: digits.to_owned(), choices: choices.join(" or ") })
                }
            }
        }
    }
}

fn lines(engine: &Engine, source: usize) -> u64 {
    engine.blocks_of(source).map(|(_, lines)| lines).sum()
}

fn line_of(engine: &Engine, source: usize, digits: &str) -> Result<Subject, QueryError> {
    let line: u64 = digits.parse().unwrap_or(u64::MAX);
    if line == 0 {
        return Err(QueryError::LineZero);
    }
    match position(engine, source, line) {
        Some(position) => Ok(Subject::Line(source, line, position)),
        None => Err(QueryError::NoLineInInput {
            input: printable(&engine.sources[source]),
            lines: lines(engine, source),
            line: digits.to_owned(),
        }),
    }
}

fn position(engine: &Engine, source: usize, line: u64) -> Option<SourcePosition> {
    let mut before = 0;
    for (block, lines) in engine.blocks_of(source) {
        if line <= before + lines {
            return Some(SourcePosition::new(source, block, line - before));
        }
        before += lines;
    }
    None
}

fn incident(report: &Report<'_>, what: &str) -> Result<Subject, QueryError> {
    let prefix = what.to_ascii_lowercase();
    let is_id = (1..=16).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    let all = || report.evaluation.incidents.indices();
    if is_id {
        let found: Vec<IncidentIx> = all().filter(|at| report.id(*at).starts_with(&prefix)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(Subject::Incident(*one, None)),
            several => {
                let choices = list(report, several);
                return Err(QueryError::AmbiguousId { prefix, matches: several.len(), choices });
            }
        }
        // The id comes from the first open member, which may have been another member before.
        for incident in all().filter(|_| prefix.len() >= MIN_ALIAS_LEN) {
            let members = report.evaluation.members(incident);
            let by_member = members
                .iter()
                .map(|at| format!("{:016x}", hash(identity_key(report, *at))))
                .find(|id| id.starts_with(&prefix));
            if let Some(id) = by_member {
                return Ok(Subject::Incident(incident, Some(id)));
            }
        }
    }
    let named: Vec<IncidentIx> = all()
        .filter(|incident| {
            let members = report.evaluation.members(*incident);
            members.iter().any(|at| report.name(*at).eq_ignore_ascii_case(what))
        })
        .collect();
    let query = printable(what);
    Err(match (named.as_slice(), all().len()) {
        ([], 0) => QueryError::NoIncidents { query },
        ([], _) => {
            let some: Vec<IncidentIx> = all().take(MAX_CHOICES).collect();
            QueryError::UnknownIncident { query, incidents: list(report, &some) }
        }
        (named, _) => QueryError::AlertName { alert: query, incidents: list(report, named) },
    })
}

fn list(report: &Report<'_>, incidents: &[IncidentIx]) -> String {
    let mut names: Vec<String> = (incidents.iter().take(MAX_CHOICES))
        .map(|&incident| {
            let priority = report.evaluation.incidents[incident].priority;
            format!("{} ({priority} {})", report.id(incident), incident_label(report, incident))
        })
        .collect();
    if incidents.len() > MAX_CHOICES {
        names.push(format!("and {} more", incidents.len() - MAX_CHOICES));
    }
    names.join(", ")
}
