//! Parses a rule test file into tests.

use jiff::{SignedDuration, Timestamp};
use serde_saphyr::Spanned;

use super::file::{AlertRow, CheckRow, Expectation, InputRow, TestFile, TestRow};
use super::test::{InputKind, ReportCheck, RuleTest, RuleTests, TestInput};
use crate::format::{Format, UnknownFormat};
use crate::incident_tracker::Change;
use crate::record::{Ends, Record, Status, Suppression};
use crate::report::Role;
use crate::severity::Severity;
use crate::verdict::{Notify, Priority, Verdict};
use crate::yaml::{self, FileError, Text};

impl RuleTests {
    /// Parses a rule test file.
    ///
    /// # Errors
    /// The error names the line and the column and says how to fix it. Causes are YAML that does
    /// not parse, an unknown field, a word that is not a verdict, a check that comes before the one
    /// above it, and a file without tests.
    pub fn parse(yaml: &str) -> Result<Self, FileError> {
        let file: TestFile = yaml::parse(yaml)?;
        if file.tests.is_empty() {
            return Err(FileError::nowhere(
                "contains no tests: write `tests:` and rows with name, input and checks",
            ));
        }
        let tests = file.tests.into_iter().map(test).collect::<Result<_, _>>()?;
        Ok(Self { rules: file.rules, tests })
    }
}

fn test(row: TestRow) -> Result<RuleTest, FileError> {
    let start = match &row.start {
        Some(start) => instant(start, None)?,
        None => Timestamp::UNIX_EPOCH,
    };
    let mut checks: Vec<ReportCheck> = Vec::new();
    for check in row.checks {
        let line = check.referenced.line();
        let CheckRow { at, expect } = check.value;
        check_words(&expect)?;
        let judged_at = at.as_ref().map(|at| instant(at, Some(start))).transpose()?;
        let is_late = checks
            .last()
            .is_some_and(|last| last.at.is_none() || judged_at.is_some_and(|at| Some(at) < last.at));
        if let (true, Some(at)) = (is_late, &at) {
            return Err(FileError::at(
                at,
                "this check comes before the one above it: sort the checks by time",
            ));
        }
        let shown = at.map(|at| at.value).unwrap_or_default();
        checks.push(ReportCheck { line, shown, at: judged_at, expect });
    }
    if checks.is_empty() {
        return Err(FileError::at(
            &row.name,
            format!("test `{}` has no checks: write at least one row under `checks`", row.name.value),
        ));
    }
    let mut input = Vec::new();
    for row in &row.input {
        read_inputs(row, start, &mut input)?;
    }
    Ok(RuleTest { name: row.name, input, checks })
}

fn read_inputs(
    spanned: &Spanned<InputRow>,
    start: Timestamp,
    to: &mut Vec<TestInput>,
) -> Result<(), FileError> {
    let row = &spanned.value;
    let line = spanned.referenced.line();
    let at = row.at.as_ref().map(|at| instant(at, Some(start))).transpose()?;
    let format = row.format.as_ref().map(|format| {
        format.value.parse().map_err(|error: UnknownFormat| FileError::at(format, error.to_string()))
    });
    let format: Option<Format> = format.transpose()?;
    let has_alert_field = row.state.is_some()
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
        (None, Some(lines), None) if !has_alert_field => {
            to.push(TestInput { line, at, kind: InputKind::Lines(format, lines.value.clone()) });
            return Ok(());
        }
        (None, None, Some(name)) if !has_alert_field => {
            to.push(TestInput { line, at, kind: InputKind::File(format, name.clone()) });
            return Ok(());
        }
        _ => {
            let message = "an input has exactly one of `alert`, `lines` and `file`; `at` is allowed with each, `format` with \
                           `lines` and `file`, all other fields with `alert`";
            return Err(FileError::at(spanned, message));
        }
    }
    let (times, every) = match (&row.every, &row.times) {
        (None, None) => (1, SignedDuration::ZERO),
        (Some(every), Some(times)) if at.is_some() => (times.value, span(every)?),
        (Some(every), _) => {
            return Err(FileError::at(every, "`every` needs `times` and a first time in `at`"));
        }
        (None, Some(times)) => {
            return Err(FileError::at(times, "`times` needs `every` and a first time in `at`"));
        }
    };
    let record = record(row, start)?;
    for turn in 0..times {
        let later = every.checked_mul(turn as i32).and_then(|later| at?.checked_add(later).ok());
        let mut record = record.clone();
        record.time = if turn == 0 { at } else { later };
        to.push(TestInput { line, at: record.time, kind: InputKind::Record(Box::new(record)) });
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
                let message = format!("`{other}` is not a state: write firing, resolved, pending or event");
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

/// Parses a time: a duration after `start`, or an RFC 3339 instant.
fn instant(text: &Text, start: Option<Timestamp>) -> Result<Timestamp, FileError> {
    if let Ok(at) = text.value.parse::<Timestamp>() {
        return Ok(at);
    }
    let Some(start) = start else {
        return Err(FileError::at(
            text,
            format!("`{}` is not a time: write 2026-11-23T06:51:59Z", text.value),
        ));
    };
    let bad = || {
        let message = format!(
            "`{}` is not a time: write 0m, 90s, 1h30m after the start, or 2026-11-23T06:51:59Z",
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

/// Rejects an expected word that no report can contain.
fn check_words(expect: &Expectation) -> Result<(), FileError> {
    let mut checked: Vec<(&Option<Text>, &str, Vec<String>)> = Vec::new();
    let shown = |words: &[&dyn std::fmt::Display]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let priorities = shown(&[&Priority::P1, &Priority::P2, &Priority::P3, &Priority::P4, &Priority::P5]);
    let notify = shown(&[&Notify::Page, &Notify::Ticket, &Notify::None]);
    let verdicts: Vec<String> = Verdict::ALL.iter().map(ToString::to_string).collect();
    let roles = shown(&[&Role::Cause, &Role::Symptom, &Role::Member]);
    use Severity::{Critical, Error, Info, None as Nothing, Unknown, Warning};
    let severities = shown(&[&Critical, &Error, &Warning, &Unknown, &Info, &Nothing]);
    use Change::{Changed, Closed, Escalated, Grew, Opened, Reopened, Unsilenced};
    let changes = shown(&[&Opened, &Escalated, &Reopened, &Unsilenced, &Grew, &Changed, &Closed]);
    let mut alerts: Vec<&AlertRow> = expect.alerts.iter().flatten().map(|alert| &alert.value).collect();
    for incident in expect.incidents.iter().flatten().map(|incident| &incident.value) {
        checked.push((&incident.priority, "priority", priorities.clone()));
        checked.push((&incident.notify, "notify value", notify.clone()));
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
        checked.push((&notice.notify, "notify value", notify.clone()));
        checked.push((&notice.change, "change", changes.clone()));
    }
    for (text, what, known) in checked {
        if let Some(text) = text.as_ref().filter(|text| !known.contains(&text.value)) {
            let message = format!("`{}` is not a {what}: write {}", text.value, known.join(", "));
            return Err(FileError::at(text, message));
        }
    }
    Ok(())
}
