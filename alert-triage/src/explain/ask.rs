//! From what was typed to what is meant.

use jiff::Timestamp;

use super::Subject;
use crate::hashing::hash;
use crate::ledger::Engine;
use crate::printable::printable;
use crate::report::Report;
use crate::source_position::SourcePosition;

/// Digits of an id that it does not go by now; fewer would be found by chance.
const ALIAS: usize = 6;

/// Choices named in an error.
const NAMED: usize = 8;

pub(super) fn subject(engine: &mut Engine, now: Option<Timestamp>, what: &str) -> Result<Subject, String> {
    let what = what.trim();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((name, line)) = what.rsplit_once(':').filter(|(_, line)| is_number(line)) {
        let source = source(engine, name)?;
        return line_of(engine, source, line);
    }
    let report = engine.report(now);
    if is_number(what) {
        let line: u64 = what.parse().unwrap_or(u64::MAX);
        let is_there = (0..report.engine.sources.len()).any(|source| lines(report.engine, source) >= line);
        // Digits alone may begin an id as well; a line that is there comes first.
        return match number(report.engine, what) {
            Err(error) if !is_there => incident(&report, what).map_err(|_| error),
            found => found,
        };
    }
    incident(&report, what)
}

fn source(engine: &Engine, name: &str) -> Result<usize, String> {
    let sources = &engine.sources;
    let is_file = |known: &str| known.rsplit('/').next() == Some(name);
    let exact: Vec<usize> = (0..sources.len()).filter(|at| sources[*at] == name).collect();
    let by_file: Vec<usize> = (0..sources.len()).filter(|at| is_file(&sources[*at])).collect();
    let found = if exact.is_empty() { by_file } else { exact };
    let list = |at: &mut dyn Iterator<Item = usize>| {
        at.take(NAMED).map(|at| printable(&sources[at])).collect::<Vec<_>>().join(", ")
    };
    match found.as_slice() {
        // The same file may be given twice.
        [one, others @ ..] if others.iter().all(|other| sources[*other] == sources[*one]) => Ok(*one),
        [] => Err(format!(
            "no input is named {}: the inputs are {}",
            printable(name),
            list(&mut (0..sources.len()))
        )),
        several => Err(format!(
            "{} may be {}: write the whole path",
            printable(name),
            list(&mut several.iter().copied())
        )),
    }
}

fn number(engine: &Engine, digits: &str) -> Result<Subject, String> {
    match engine.sources.len() {
        0 => Err("there is no input".to_owned()),
        1 => line_of(engine, 0, digits),
        _ => {
            let line: u64 = digits.parse().unwrap_or(u64::MAX);
            let with_it = (0..engine.sources.len()).filter(|source| lines(engine, *source) >= line);
            let choices: Vec<String> = with_it
                .take(NAMED)
                .map(|source| format!("{}:{digits}", printable(&engine.sources[source])))
                .collect();
            match choices.is_empty() {
                true => Err(format!("no input has a line {digits}")),
                false => Err(format!("line {digits} of which input? Write {}", choices.join(" or "))),
            }
        }
    }
}

fn lines(engine: &Engine, source: usize) -> u64 {
    engine.blocks_of(source).map(|(_, lines)| lines).sum()
}

fn line_of(engine: &Engine, source: usize, digits: &str) -> Result<Subject, String> {
    let line: u64 = digits.parse().unwrap_or(u64::MAX);
    let name = printable(&engine.sources[source]);
    if line == 0 {
        return Err("lines are counted from 1".to_owned());
    }
    match position(engine, source, line) {
        Some(position) => Ok(Subject::Line(source, line, position)),
        None => Err(format!("{name} has {} lines, and no line {digits}", lines(engine, source))),
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

fn incident(report: &Report<'_>, what: &str) -> Result<Subject, String> {
    let prefix = what.to_ascii_lowercase();
    let is_id = (1..=16).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    let all = report.judgement.incidents.len();
    if is_id {
        let found: Vec<usize> = (0..all).filter(|number| report.id(*number).starts_with(&prefix)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(Subject::Incident(*one, None)),
            several => {
                let choices = list(report, several);
                return Err(format!("{prefix} begins the id of {} incidents: {choices}", several.len()));
            }
        }
        // Whatever stood first before gave the incident its id: it is that of another member now.
        for number in (0..all).filter(|_| prefix.len() >= ALIAS) {
            let core = &report.judgement.incidents[number];
            let by_member = report
                .members(core)
                .iter()
                .map(|at| format!("{:016x}", hash(report.key(*at))))
                .find(|id| id.starts_with(&prefix));
            if let Some(id) = by_member {
                return Ok(Subject::Incident(number, Some(id)));
            }
        }
    }
    let named: Vec<usize> = (0..all)
        .filter(|number| {
            let core = &report.judgement.incidents[*number];
            report.members(core).iter().any(|at| report.name(*at).eq_ignore_ascii_case(what))
        })
        .collect();
    let what = printable(what);
    Err(match (named.as_slice(), all) {
        ([], 0) => format!("{what} is no line, and there is no incident in this input"),
        ([], _) => {
            let some: Vec<usize> = (0..all.min(NAMED)).collect();
            format!(
                "no incident has the id {what}, and it is no line: write 12 or FILE:12 for a line; incidents are {}",
                list(report, &some)
            )
        }
        (named, _) => {
            format!("{what} is the name of an alert: ask for an incident it is in, {}", list(report, named))
        }
    })
}

fn list(report: &Report<'_>, numbers: &[usize]) -> String {
    let mut names: Vec<String> = (numbers.iter().take(NAMED))
        .map(|&number| {
            let core = &report.judgement.incidents[number];
            format!("{} ({} {})", report.id(number), core.priority, report.incident_called(number))
        })
        .collect();
    if numbers.len() > NAMED {
        names.push(format!("and {} more", numbers.len() - NAMED));
    }
    names.join(", ")
}
