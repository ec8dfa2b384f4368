//! Why an incident pages or does not page.

use super::naming::alert_label;
use crate::judge::IncidentIx;
use crate::report::Report;
use crate::verdict::{Notify, Priority};

/// Maximum number of members listed.
const MAX_LISTED: usize = 8;

/// Why the incident pages or does not page, one sentence each.
pub(super) fn reasons(report: &Report<'_>, incident: IncidentIx) -> Vec<String> {
    let core = &report.evaluation.incidents[incident];
    let members = report.evaluation.members(incident);
    let notify = core.priority.notify();
    let mut lines = vec![match notify {
        Notify::Page => format!("{} pages: P1 and P2 notify a person at once", core.priority),
        Notify::Ticket => {
            format!("{} opens a ticket: only P1 and P2 page", core.priority)
        }
        Notify::None => format!("{} notifies nobody: it is listed in the report only", core.priority),
    }];
    if notify == Notify::Page {
        let which = members.iter().filter(|at| {
            let alert = report.alert(**at);
            alert.sets_priority() && alert.priority.notify() == Notify::Page
        });
        let which: Vec<String> = which.take(MAX_LISTED).map(|at| alert_label(report, *at)).collect();
        lines.push(format!("it pages for {}", which.join(", ")));
        if let Some(group) = core.group {
            let group = &report.evaluation.groups[group];
            lines.push(format!(
                "one notification covers all {} scopes in which {} is firing",
                group.scopes.len(),
                report.name(core.headline)
            ));
        }
        return lines;
    }
    let mut reasons = 0;
    for &at in members {
        let alert = report.alert(at);
        let would_page = Priority::from_severity(alert.severity).notify() == Notify::Page;
        if !would_page || alert.sets_priority() && alert.priority.notify() == Notify::Page {
            continue;
        }
        reasons += 1;
        if reasons > MAX_LISTED {
            continue;
        }
        let why = report.member(at).why;
        lines.push(format!("{} is {} and {}: {why}", alert_label(report, at), alert.severity, alert.verdict));
    }
    if reasons > MAX_LISTED {
        lines.push(format!("and {} more", reasons - MAX_LISTED));
    }
    if reasons == 0 {
        lines.push(match members.iter().any(|at| report.alert(*at).sets_priority()) {
            true => "no member is critical or an error".to_owned(),
            false => "no member is firing".to_owned(),
        });
    }
    lines
}
