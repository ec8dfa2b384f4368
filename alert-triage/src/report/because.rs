//! Why an incident has its priority and its members.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::member::Silent;
use super::view::Report;
use super::wording::{counted, list};
use crate::judge::{AlertIx, Flags, IncidentIx};
use crate::verdict::Verdict;

/// Why an incident has its priority and its members, one sentence each.
pub(super) fn because(report: &Report<'_>, incident: IncidentIx) -> Vec<String> {
    let evaluation = &report.evaluation;
    let core = &evaluation.incidents[incident];
    let members = evaluation.members(incident);
    let edges = evaluation.engine.rules().edges();
    let head = report.alert(core.headline);
    let name = report.name(core.headline);
    let notify = core.priority.notify();
    let mut because = Vec::new();
    because.push(match head.verdict {
        Verdict::Active => {
            format!("{}, notify {notify}: {name} is {}", core.priority, report.severity(core.headline))
        }
        Verdict::Informational => format!("{}, notify {notify}: {name} is informational", core.priority),
        Verdict::Transient => format!("{}, notify {notify}: {name} is transient", core.priority),
        verdict if head.sets_priority() => {
            format!(
                "{}, notify {notify}: {name} is {verdict}, {}",
                core.priority,
                report.severity(core.headline)
            )
        }
        verdict if head.flags.contains(Flags::FIRED_AGAIN) => format!(
            "{}, notify {notify}: {name} is {verdict}, and was then reported as firing again with the same start",
            core.priority
        ),
        verdict => format!("{}, notify {notify}: no member is firing, {name} is {verdict}", core.priority),
    });
    if let Some(first) = because.first_mut() {
        if head.flags.contains(Flags::SILENT)
            && let Some(silence) = evaluation.silence(&evaluation.state(core.headline))
        {
            let _ = write!(first, "; {}", Silent::from(silence));
        }
        if head.flags.contains(Flags::GONE) {
            first.push_str(": a newer snapshot of its source no longer contains it");
        }
    }
    if core.instances > 1 {
        because.push(format!(
            "{} of {name} in one scope: one notification covers all of them",
            counted(u64::from(core.instances), "instance")
        ));
    }
    if core.is_pattern && core.scopes > 1 {
        because.push(format!(
            "the same transient in {}: one pattern, one ticket",
            counted(u64::from(core.scopes), "scope")
        ));
    }
    if let Some(acknowledged) = acknowledged(report, members)
        && let Some(first) = because.first_mut()
    {
        let _ = write!(first, "; {acknowledged}");
    }
    let mut explained: BTreeMap<AlertIx, Vec<String>> = BTreeMap::new();
    for &at in members {
        let alert = report.alert(at);
        if let Some(cause) = alert.cause.filter(|_| !alert.flags.contains(Flags::SUPERSEDED)) {
            let edge = &edges[cause.edge as usize].id;
            explained.entry(cause.alert).or_default().push(format!("{} ({edge})", report.name(at)));
        }
    }
    // In the order of the members.
    for at in members {
        if let Some(symptoms) = explained.get(at) {
            because.push(format!("{} explains {}", report.name(*at), list(symptoms)));
        }
    }
    let aside: Vec<String> = (members.iter())
        .filter(|at| !report.alert(**at).sets_priority())
        .map(|&at| {
            let alert = report.alert(at);
            match alert.verdict {
                Verdict::Superseded => {
                    let by = alert.superior.map(|at| report.name(at)).unwrap_or_default();
                    format!("{} superseded by {by}", report.name(at))
                }
                verdict => format!("{} {verdict}", report.name(at)),
            }
        })
        .collect();
    if head.sets_priority() && !aside.is_empty() {
        because.push(format!("set aside: {}", list(&aside)));
    }
    if let Some(group) = core.group {
        let scopes = evaluation.groups[group].scopes.len();
        because.push(format!("{name} is firing in {scopes} scopes: one notification covers all of them"));
    }
    because
}

/// Which firing members somebody acknowledged.
fn acknowledged(report: &Report<'_>, members: &[AlertIx]) -> Option<String> {
    let is_acknowledged = |at: &&AlertIx| {
        let alert = report.alert(**at);
        alert.sets_priority() && alert.flags.contains(Flags::ACKNOWLEDGED)
    };
    let firing = members.iter().filter(|at| report.alert(**at).sets_priority()).count();
    let alerts: Vec<AlertIx> = members.iter().filter(is_acknowledged).copied().collect();
    let first = *alerts.first()?;
    let at = report.evaluation.state(first).acknowledged.flatten();
    let when = at.map(|at| format!(" at {at}")).unwrap_or_default();
    Some(match alerts.len() {
        1 if firing == 1 => format!("acknowledged{when}"),
        1 => format!("{} is acknowledged{when}", report.name(first)),
        many => format!("acknowledged: {many} of {firing} firing alerts, {}{when}", report.name(first)),
    })
}
