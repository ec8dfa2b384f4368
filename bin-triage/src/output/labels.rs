//! Labels and names as text. All of it is printable.

use std::collections::BTreeSet;

use alert_triage::printable;
use alert_triage::report::{Incident, Labels, Member, Row};

use super::phrases::counted;

/// `zone=AB`.
pub(crate) fn scope(labels: &Labels) -> String {
    match labels.is_empty() {
        true => "no scope".to_owned(),
        false => pairs(labels),
    }
}

/// The values alone, for narrow columns: `AB`, or `prod/AB`.
pub(crate) fn scope_values(labels: &Labels) -> String {
    labels.values().map(printable).collect::<Vec<_>>().join("/")
}

/// `3 scopes: zone=AB, zone=CD, … in cluster=prod`: at most `max` of `total` scopes, and the labels
/// that all of them share.
pub(crate) fn scopes(scopes: &[Labels], total: u64, max: usize) -> String {
    let mut common = scopes.first().cloned().unwrap_or_default();
    let is_all = scopes.len() as u64 == total;
    common.retain(|name, value| is_all && scopes.iter().all(|scope| scope.get(name) == Some(value)));
    let own = |labels: &Labels| {
        let mut labels = labels.clone();
        labels.retain(|name, _| !common.contains_key(name));
        scope(&labels)
    };
    let names: Vec<String> = scopes.iter().take(max).map(own).collect();
    let more = if total > names.len() as u64 { ", …" } else { "" };
    let within = if common.is_empty() { String::new() } else { format!(" in {}", pairs(&common)) };
    format!("{}: {}{more}{within}", counted(total, "scope"), names.join(", "))
}

/// `name=value`, separated by blanks.
pub(crate) fn pairs(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.iter().map(|(name, value)| format!("{}={}", printable(name), printable(value))).collect();
    pairs.join(" ")
}

/// The labels that all members share, without those of the scope.
pub(crate) fn common_without_scope(row: &Row) -> Labels {
    let mut common = row.common.clone();
    common
        .retain(|name, value| row.incident.scope.as_ref().is_none_or(|scope| scope.get(name) != Some(value)));
    common
}

/// The labels that all members share, including those of the scope.
pub(crate) fn common(incident: &Incident) -> Labels {
    let mut common = incident.members.first().map(|first| first.labels.clone()).unwrap_or_default();
    common.retain(|name, value| incident.members.iter().all(|member| member.labels.get(name) == Some(value)));
    common.remove("severity");
    common
}

/// The name of an alert, with the labels that are not `common` to all members.
pub(crate) fn alert(member: &Member, common: &Labels) -> String {
    with_own(&member.alert, member, common)
}

/// Names the members of an incident by what differs between them.
pub(crate) struct MemberNames<'r> {
    common: &'r Labels,
    has_one_name: bool,
}

impl<'r> MemberNames<'r> {
    pub(crate) fn new(row: &'r Row) -> Self {
        let mut alerts = row.incident.members.iter().map(|member| &member.alert);
        let first = alerts.next();
        let has_one_name = row.alerts > 1 && alerts.all(|alert| Some(alert) == first);
        Self { common: &row.common, has_one_name }
    }

    /// The alert name, the labels that not all members share, and the text. The name is left out if
    /// all members have the same one and labels differ.
    pub(crate) fn name(&self, member: &Member) -> String {
        match self.has_one_name && !own(member, self.common).is_empty() {
            true => with_own("", member, self.common),
            false => alert(member, self.common),
        }
    }
}

/// Names of instances in a sentence.
const MAX_INSTANCES: usize = 6;

/// The instances of an incident that has nothing else, by the labels in which they differ: their
/// values if that is one label. `None` for any other incident.
pub(crate) fn instances(row: &Row) -> Option<String> {
    if row.instances < 2 || row.instances != row.alerts || row.incidents > 1 {
        return None;
    }
    let members = &row.incident.members;
    let differing: BTreeSet<String> =
        members.iter().flat_map(|member| own(member, &row.common).into_keys()).collect();
    let name = |member: &Member| {
        let own = own(member, &row.common);
        let labels = match differing.len() {
            1 => own.values().map(printable).collect(),
            _ => pairs(&own),
        };
        let parts = [labels, printable(&member.text)];
        let name = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        if name.is_empty() { printable(&member.alert) } else { name }
    };
    let names: Vec<String> = members.iter().take(MAX_INSTANCES).map(name).collect();
    let more = row.alerts.saturating_sub(names.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{}{more}", names.join(", ")))
}

/// The free text of the row's only alert; empty if the row has several, whose own rows show it.
pub(crate) fn text(row: &Row) -> String {
    match row.incident.members.as_slice() {
        [member] if row.alerts == 1 && row.incidents == 1 => printable(&member.text),
        _ => String::new(),
    }
}

fn own(member: &Member, common: &Labels) -> Labels {
    let mut own = member.labels.clone();
    own.retain(|name, value| name != "severity" && common.get(name) != Some(value));
    own
}

fn with_own(name: &str, member: &Member, common: &Labels) -> String {
    let parts = [printable(name), pairs(&own(member, common)), printable(&member.text)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
