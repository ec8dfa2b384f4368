//! The file of cases as it is written.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Cases, Input, Test, What};
use crate::format::Format;
use crate::incident_tracker::Change;
use crate::record::{Ends, Record, Status, Suppression};
use crate::report::Role;
use crate::severity::Severity;
use crate::verdict::{Notify, Priority, Verdict};
use crate::yaml::{self, FileError, Text, or_empty};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    rules: Option<Text>,
    #[serde(deserialize_with = "or_empty")]
    tests: Vec<TestRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestRow {
    name: Text,
    start: Option<Text>,
    #[serde(default, deserialize_with = "or_empty")]
    input: Vec<Spanned<InputRow>>,
    checks: Vec<Spanned<CheckRow>>,
}

/// One of `alert`, `lines` and `file`, with what goes with it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct InputRow {
    at: Option<Text>,
    every: Option<Text>,
    times: Option<Spanned<u32>>,
    alert: Option<Text>,
    #[serde(deserialize_with = "or_empty")]
    labels: BTreeMap<String, String>,
    text: Option<String>,
    state: Option<Text>,
    #[serde(rename = "startsAt")]
    starts: Option<Text>,
    #[serde(rename = "endsAt")]
    ends: Option<Text>,
    dedup_key: Option<String>,
    #[serde(rename = "silencedBy")]
    silenced_by: Option<String>,
    #[serde(rename = "inhibitedBy")]
    inhibited_by: Option<String>,
    lines: Option<Text>,
    file: Option<Text>,
    format: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckRow {
    at: Option<Text>,
    expect: Expect,
}

/// What a report must hold; what is not named is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    pub(super) pages: Option<u64>,
    pub(super) tickets: Option<u64>,
    pub(super) duplicates: Option<u64>,
    pub(super) malformed: u64,
    pub(super) incidents: Option<Vec<Spanned<IncidentRow>>>,
    pub(super) alerts: Option<Vec<Spanned<AlertRow>>>,
    pub(super) notices: Option<Vec<Spanned<NoticeRow>>>,
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
pub(super) struct NoticeRow {
    pub(super) headline: Option<Text>,
    pub(super) change: Option<Text>,
    pub(super) priority: Option<Text>,
    pub(super) notify: Option<Text>,
}

#[derive(Debug)]
pub(super) struct Check {
    pub(super) line: u64,
    /// As written; empty where nothing is.
    pub(super) shown: String,
    pub(super) at: Option<Timestamp>,
    pub(super) expect: Expect,
}

pub(super) fn parse(yaml: &str) -> Result<Cases, FileError> {
    let file: File = yaml::parse(yaml)?;
    if file.tests.is_empty() {
        return Err(FileError::nowhere(
            "holds no tests: write `tests:` and rows with name, input and checks",
        ));
    }
    let tests = file.tests.into_iter().map(test).collect::<Result<_, _>>()?;
    Ok(Cases { rules: file.rules, tests })
}

fn test(row: TestRow) -> Result<Test, FileError> {
    let start = match &row.start {
        Some(start) => instant(start, None)?,
        None => Timestamp::UNIX_EPOCH,
    };
    let mut checks: Vec<Check> = Vec::new();
    for check in row.checks {
        let line = check.referenced.line();
        let CheckRow { at, expect } = check.value;
        words(&expect)?;
        let told = at.as_ref().map(|at| instant(at, Some(start))).transpose()?;
        let is_late =
            checks.last().is_some_and(|last| last.at.is_none() || told.is_some_and(|at| Some(at) < last.at));
        if let (true, Some(at)) = (is_late, &at) {
            return Err(FileError::at(
                at,
                "this check comes before the one above it: write them in the order of time",
            ));
        }
        let shown = at.map(|at| at.value).unwrap_or_default();
        checks.push(Check { line, shown, at: told, expect });
    }
    if checks.is_empty() {
        return Err(FileError::at(
            &row.name,
            format!("test `{}` checks nothing: write a row of checks", row.name.value),
        ));
    }
    let mut input = Vec::new();
    for row in &row.input {
        inputs(row, start, &mut input)?;
    }
    Ok(Test { name: row.name, input, checks })
}

fn inputs(spanned: &Spanned<InputRow>, start: Timestamp, to: &mut Vec<Input>) -> Result<(), FileError> {
    let row = &spanned.value;
    let line = spanned.referenced.line();
    let at = row.at.as_ref().map(|at| instant(at, Some(start))).transpose()?;
    let format = row
        .format
        .as_ref()
        .map(|format| format.value.parse().map_err(|error: String| FileError::at(format, error)));
    let format: Option<Format> = format.transpose()?;
    let of_alert = row.state.is_some()
        || !row.labels.is_empty()
        || row.starts.is_some()
        || row.ends.is_some()
        || row.every.is_some()
        || row.times.is_some()
        || row.text.is_some()
        || row.dedup_key.is_some()
        || row.silenced_by.is_some()
        || row.inhibited_by.is_some();
    match (&row.alert, &row.lines, &row.file) {
        (Some(_), None, None) if format.is_none() => {}
        (None, Some(lines), None) if !of_alert => {
            to.push(Input { line, at, what: What::Lines(format, lines.value.clone()) });
            return Ok(());
        }
        (None, None, Some(name)) if !of_alert => {
            to.push(Input { line, at, what: What::File(format, name.clone()) });
            return Ok(());
        }
        _ => {
            let message = "an input is one of: `alert` with its labels and state, `lines`, or `file`; `at` goes with \
                           each, `format` with lines and file";
            return Err(FileError::at(spanned, message));
        }
    }
    let (times, every) = match (&row.every, &row.times) {
        (None, None) => (1, SignedDuration::ZERO),
        (Some(every), Some(times)) if at.is_some() => (times.value, span(every)?),
        (Some(every), _) => {
            return Err(FileError::at(every, "`every` needs `times`, and an `at` to begin with"));
        }
        (None, Some(times)) => {
            return Err(FileError::at(times, "`times` needs `every`, and an `at` to begin with"));
        }
    };
    let record = record(row, start)?;
    for turn in 0..times {
        let later = every.checked_mul(turn as i32).and_then(|later| at?.checked_add(later).ok());
        let mut record = record.clone();
        record.time = if turn == 0 { at } else { later };
        to.push(Input { line, at: record.time, what: What::Record(Box::new(record)) });
    }
    Ok(())
}

fn record(row: &InputRow, start: Timestamp) -> Result<Record<'static>, FileError> {
    let name = row.alert.as_ref().map(|alert| alert.value.clone()).unwrap_or_default();
    if let Some(alert) = row.alert.as_ref().filter(|alert| alert.value.trim().is_empty()) {
        return Err(FileError::at(alert, "an alert needs a name"));
    }
    let mut record = Record::firing(name);
    record.labels =
        row.labels.iter().map(|(name, value)| (name.clone().into(), value.clone().into())).collect();
    record.text = row.text.clone().unwrap_or_default().into();
    if let Some(state) = &row.state {
        record.status = match state.value.as_str() {
            "event" => Status::Event,
            "pending" => Status::Pending,
            "firing" => Status::Firing,
            "resolved" => Status::Resolved,
            other => {
                let message = format!("`{other}` is no state: write firing, resolved, pending or event");
                return Err(FileError::at(state, message));
            }
        };
    }
    record.starts = row.starts.as_ref().map(|at| instant(at, Some(start))).transpose()?;
    if let Some(ends) = &row.ends {
        record.ends = Ends::At(instant(ends, Some(start))?);
    }
    record.key = row.dedup_key.clone().map(Into::into);
    record.suppression = match (&row.silenced_by, &row.inhibited_by) {
        (Some(by), _) => Suppression::Silenced(by.clone().into()),
        (None, Some(by)) => Suppression::Inhibited(by.clone().into()),
        (None, None) => Suppression::None,
    };
    Ok(record)
}

/// A span behind `start`, or an instant.
fn instant(text: &Text, start: Option<Timestamp>) -> Result<Timestamp, FileError> {
    if let Ok(at) = text.value.parse::<Timestamp>() {
        return Ok(at);
    }
    let Some(start) = start else {
        return Err(FileError::at(text, format!("`{}` is no time: write 2026-11-23T06:51:59Z", text.value)));
    };
    let bad = || {
        let message = format!(
            "`{}` is no time: write 0m, 90s, 1h30m behind the start, or 2026-11-23T06:51:59Z",
            text.value
        );
        FileError::at(text, message)
    };
    let value = if text.value == "0" { "0s" } else { &text.value };
    let span = yaml::span(value).ok_or_else(bad)?;
    if span.is_negative() {
        return Err(bad());
    }
    start.checked_add(span).map_err(|_| bad())
}

fn span(text: &Text) -> Result<SignedDuration, FileError> {
    yaml::positive_span(text, "90s, 15m, 1h")
}

/// A word nobody can get must not be expected in vain.
fn words(expect: &Expect) -> Result<(), FileError> {
    let mut checked: Vec<(&Option<Text>, &str, Vec<String>)> = Vec::new();
    let shown = |words: &[&dyn std::fmt::Display]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let priorities = shown(&[&Priority::P1, &Priority::P2, &Priority::P3, &Priority::P4, &Priority::P5]);
    let notify = shown(&[&Notify::Page, &Notify::Ticket, &Notify::None]);
    let verdicts: Vec<String> = Verdict::ALL.iter().map(ToString::to_string).collect();
    let roles = shown(&[&Role::Cause, &Role::Symptom, &Role::Member]);
    use Severity::{Critical, Error, Info, None as Nothing, Unknown, Warning};
    let severities = shown(&[&Critical, &Error, &Warning, &Unknown, &Info, &Nothing]);
    use Change::{Changed, Closed, Escalated, Opened, Reopened, Unsilenced};
    let changes = shown(&[&Opened, &Escalated, &Reopened, &Unsilenced, &Changed, &Closed]);
    let mut alerts: Vec<&AlertRow> = expect.alerts.iter().flatten().map(|alert| &alert.value).collect();
    for incident in expect.incidents.iter().flatten().map(|incident| &incident.value) {
        checked.push((&incident.priority, "priority", priorities.clone()));
        checked.push((&incident.notify, "notify", notify.clone()));
        checked.push((&incident.state, "verdict", verdicts.clone()));
        alerts.extend(incident.members.iter().flatten().map(|member| &member.value));
    }
    for alert in &alerts {
        checked.push((&alert.verdict, "verdict", verdicts.clone()));
        checked.push((&alert.role, "role", roles.clone()));
        checked.push((&alert.severity, "severity", severities.clone()));
    }
    for notice in expect.notices.iter().flatten().map(|notice| &notice.value) {
        checked.push((&notice.priority, "priority", priorities.clone()));
        checked.push((&notice.notify, "notify", notify.clone()));
        checked.push((&notice.change, "change", changes.clone()));
    }
    for (text, what, known) in checked {
        if let Some(text) = text.as_ref().filter(|text| !known.contains(&text.value)) {
            let message = format!("`{}` is no {what}: write {}", text.value, known.join(", "));
            return Err(FileError::at(text, message));
        }
    }
    Ok(())
}
