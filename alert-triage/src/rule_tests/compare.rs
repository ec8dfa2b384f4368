//! Compares a report with an expectation, field by field.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::file::{AlertRow, Expectation, IncidentRow, NotificationRow};
use crate::incident_tracker::Notification;
use crate::printable::printable;
use crate::report::{Incident, Labels, Member, Totals};
use crate::yaml::Text;

/// Maximum number of names listed in one message.
const MAX_LISTED: usize = 6;

pub(super) struct Actual {
    pub(super) totals: Totals,
    /// The number of malformed lines, and the first one with its reason.
    pub(super) malformed: (u64, Option<String>),
    pub(super) incidents: Vec<Incident>,
    pub(super) notices: Vec<Notification>,
}

/// The line of the expectation (`None`: the line of the check) and the message.
type Mismatch = (Option<u64>, String);

pub(super) fn compare(expect: &Expectation, got: &Actual) -> Vec<Mismatch> {
    let mut failed: Vec<Mismatch> = Vec::new();
    let (malformed, first) = &got.malformed;
    if *malformed != expect.malformed {
        let first = first.as_ref().map_or(String::new(), |first| format!(": {first}"));
        failed.push((None, format!("malformed: expected {}, got {malformed}{first}", expect.malformed)));
    }
    for (what, expected, got) in [
        ("pages", expect.pages, got.totals.pages),
        ("tickets", expect.tickets, got.totals.tickets),
        ("duplicates", expect.duplicates, got.totals.duplicates),
    ] {
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            failed.push((None, format!("{what}: expected {expected}, got {got}")));
        }
    }
    if let Some(rows) = &expect.incidents {
        incidents(rows, got, &mut failed);
    }
    if let Some(rows) = &expect.alerts {
        alerts(rows, got, &mut failed);
    }
    if let Some(rows) = &expect.notices {
        notices(rows, got, &mut failed);
    }
    failed
}

fn incidents(rows: &[Spanned<IncidentRow>], got: &Actual, failed: &mut Vec<Mismatch>) {
    if rows.is_empty() && !got.incidents.is_empty() {
        failed.push((None, format!("incidents: expected none, got {}", listed(&got.incidents))));
    }
    let mut taken: Vec<Option<usize>> = Vec::new();
    for row in rows {
        let line = Some(row.referenced.line());
        let free = || (0..got.incidents.len()).filter(|at| !taken.contains(&Some(*at)));
        let is_meant = |at: &usize| {
            let incident = &got.incidents[*at];
            row.value.headline.as_ref().is_none_or(|headline| headline.value == incident.headline)
                && is_in(&row.value.scope, incident)
        };
        let differs = |at: usize| incident(row, &got.incidents[at]);
        let found = free().filter(is_meant).min_by_key(|at| differs(*at).len());
        match found {
            Some(at) => failed.extend(differs(at)),
            None => failed.push((line, not_found(&row.value, got))),
        }
        taken.push(found);
    }
    // Incidents are listed by rank, so their order is compared as well.
    let found: Vec<usize> = taken.into_iter().flatten().collect();
    if let Some(pair) = found.windows(2).find(|pair| pair[0] > pair[1]) {
        let (first, second) = (&got.incidents[pair[0]], &got.incidents[pair[1]]);
        let message = format!(
            "order: expected {} before {}, which ranks before it",
            incident_label(first),
            incident_label(second)
        );
        failed.push((None, message));
    }
}

/// Is the incident in this scope? An incident over several scopes is in each of them.
fn is_in(scope: &Labels, incident: &Incident) -> bool {
    let has = |known: &Labels| scope.iter().all(|(name, value)| known.get(name) == Some(value));
    incident.scope.iter().chain(incident.scopes.iter().flatten()).any(has)
}

fn incident(row: &Spanned<IncidentRow>, incident: &Incident) -> Vec<Mismatch> {
    let line = row.referenced.line();
    let row = &row.value;
    let mut differ =
        Comparison { what: format!("incident {}", incident_label(incident)), line, failed: Vec::new() };
    let because = incident.because.first().cloned().unwrap_or_default();
    differ.word("priority", &row.priority, incident.priority, &because);
    differ.word("notify", &row.notify, incident.notify, &because);
    differ.word("state", &row.state, incident.state, &because);
    if let Some(expected) = row.scopes {
        let scopes = incident.scopes.as_ref().map_or(1, Vec::len);
        differ.figure("scopes", Some(expected as u64), scopes as u64);
    }
    for wanted in row.members.iter().flatten() {
        let members = incident.members.iter().filter(|member| is_meant(&wanted.value, member));
        let best = members.map(|member| alert(wanted, member)).min_by_key(Vec::len);
        match best {
            Some(failed) => differ.failed.extend(failed),
            None => {
                let names: Vec<String> = incident.members.iter().map(member_label).collect();
                let missing = row_label(&wanted.value);
                let message = format!(
                    "incident {}: {missing} is not a member; members are {}",
                    incident_label(incident),
                    join(&names)
                );
                differ.failed.push((Some(wanted.referenced.line()), message));
            }
        }
    }
    differ.failed
}

fn alerts(rows: &[Spanned<AlertRow>], got: &Actual, failed: &mut Vec<Mismatch>) {
    let members = || got.incidents.iter().flat_map(|incident| &incident.members);
    if rows.is_empty() && members().next().is_some() {
        let names: Vec<String> = members().map(member_label).collect();
        failed.push((None, format!("alerts: expected none, got {}", join(&names))));
    }
    for row in rows {
        let best = members().filter(|member| is_meant(&row.value, member)).map(|member| alert(row, member));
        match best.min_by_key(Vec::len) {
            Some(differ) => failed.extend(differ),
            None => {
                let names: Vec<String> = members().map(member_label).collect();
                let message = format!("no alert {}; there are {}", row_label(&row.value), join(&names));
                failed.push((Some(row.referenced.line()), message));
            }
        }
    }
}

fn is_meant(row: &AlertRow, member: &Member) -> bool {
    row.alert.value == member.alert
        && row.labels.iter().all(|(name, value)| member.labels.get(name) == Some(value))
}

fn alert(row: &Spanned<AlertRow>, member: &Member) -> Vec<Mismatch> {
    let line = row.referenced.line();
    let row = &row.value;
    let mut differ = Comparison { what: member_label(member), line, failed: Vec::new() };
    let why = format!("{} [{}]", member.why, member.rule);
    differ.word("verdict", &row.verdict, member.verdict, &why);
    differ.word("severity", &row.severity, member.severity, &why);
    differ.word("role", &row.role, member.role, "");
    differ.word("rule", &row.rule, &member.rule, &member.why);
    let none = || "nothing".to_owned();
    differ.word("by", &row.by, member.by.as_ref().map_or_else(none, |by| by.alert.clone()), &why);
    differ.word(
        "cause",
        &row.cause,
        member.cause.as_ref().map_or_else(none, |cause| cause.alert.clone()),
        &why,
    );
    differ.word("runbook", &row.runbook, member.runbook.clone().unwrap_or_else(none), "");
    differ.figure("count", row.count, member.count);
    differ.figure("episodes", row.episodes.map(u64::from), u64::from(member.episodes));
    for flag in &row.flags {
        if !member.flags.iter().any(|has| *has == flag.value) {
            let has = match member.flags.is_empty() {
                true => none(),
                false => member.flags.join(", "),
            };
            differ.fail(Some(flag.referenced.line()), format!("flags: expected {}, got {has}", flag.value));
        }
    }
    differ.failed
}

/// Compares the notifications since the previous check, in order.
fn notices(rows: &[Spanned<NotificationRow>], got: &Actual, failed: &mut Vec<Mismatch>) {
    let summary = |notice: &Notification| {
        format!("{} {} {} {}", notice.change, notice.priority, notice.notify, notice.headline)
    };
    let all: Vec<String> = got.notices.iter().map(summary).collect();
    if rows.len() != got.notices.len() {
        let got = if all.is_empty() { "none".to_owned() } else { join(&all) };
        failed.push((None, format!("notices: expected {}, got {}: {got}", rows.len(), all.len())));
        return;
    }
    for (row, notice) in rows.iter().zip(&got.notices) {
        let line = row.referenced.line();
        let row = &row.value;
        let mut differ =
            Comparison { what: format!("notice `{}`", summary(notice)), line, failed: Vec::new() };
        differ.word("headline", &row.headline, &notice.headline, "");
        differ.word("change", &row.change, notice.change, "");
        differ.word("priority", &row.priority, notice.priority, "");
        differ.word("notify", &row.notify, notice.notify, "");
        failed.append(&mut differ.failed);
    }
}

struct Comparison {
    what: String,
    line: u64,
    failed: Vec<Mismatch>,
}

impl Comparison {
    fn fail(&mut self, line: Option<u64>, message: String) {
        self.failed.push((line.or(Some(self.line)), format!("{}: {message}", self.what)));
    }

    fn word(&mut self, what: &str, expected: &Option<Text>, got: impl ToString, because: &str) {
        let Some(expected) = expected else { return };
        let got = got.to_string();
        if got != expected.value {
            let because = if because.is_empty() { String::new() } else { format!("; {because}") };
            let message =
                format!("{what}: expected {}, got {}{because}", printable(&expected.value), printable(&got));
            self.fail(Some(expected.referenced.line()), message);
        }
    }

    fn figure(&mut self, what: &str, expected: Option<u64>, got: u64) {
        if let Some(expected) = expected.filter(|expected| *expected != got) {
            self.fail(None, format!("{what}: expected {expected}, got {got}"));
        }
    }
}

/// `X` or `X zone=AB`.
fn with_labels<'l>(name: &str, labels: impl Iterator<Item = (&'l String, &'l String)>) -> String {
    let mut text = printable(name);
    for (name, value) in labels {
        text.push_str(&format!(" {}={}", printable(name), printable(value)));
    }
    text
}

fn member_label(member: &Member) -> String {
    with_labels(&member.alert, member.labels.iter())
}

fn row_label(row: &AlertRow) -> String {
    with_labels(&row.alert.value, row.labels.iter())
}

fn incident_label(incident: &Incident) -> String {
    match &incident.scope {
        Some(scope) => with_labels(&incident.headline, scope.iter()),
        None => format!(
            "{} in {} scopes",
            printable(&incident.headline),
            incident.scopes.as_ref().map_or(0, Vec::len)
        ),
    }
}

fn listed(incidents: &[Incident]) -> String {
    let names: Vec<String> = (incidents.iter())
        .map(|incident| format!("{} {} {}", incident.priority, incident.notify, incident_label(incident)))
        .collect();
    join(&names)
}

fn join(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join("; ");
    if names.len() > MAX_LISTED {
        text.push_str(&format!("; and {} more", names.len() - MAX_LISTED));
    }
    text
}

fn not_found(row: &IncidentRow, got: &Actual) -> String {
    let empty = BTreeMap::new();
    let wanted = match &row.headline {
        Some(headline) => with_labels(&headline.value, row.scope.iter()),
        None => with_labels("any", if row.scope.is_empty() { empty.iter() } else { row.scope.iter() }),
    };
    let mut message = format!("no incident headed by {wanted}; there are {}", listed(&got.incidents));
    // The alert may be a member without being the headline.
    let Some(headline) = &row.headline else { return message };
    for incident in &got.incidents {
        let member = incident.members.iter().find(|member| {
            member.alert == headline.value
                && row.scope.iter().all(|(name, value)| member.labels.get(name) == Some(value))
        });
        if let Some(member) = member {
            message.push_str(&format!(
                "; {} is {} in the incident of {}: {}",
                member_label(member),
                member.verdict,
                incident_label(incident),
                member.why
            ));
            break;
        }
    }
    message
}
