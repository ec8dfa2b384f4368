//! Outlines of incidents, for the comparison of one report with the next.

use jiff::Timestamp;

use super::because;
use super::labels::Labels;
use super::reason::reason;
use super::view::Report;
use crate::judge::{GroupIx, IncidentIx};
use crate::verdict::{Priority, Verdict};

/// The parts of an incident that are compared with earlier reports.
#[derive(Debug)]
pub(crate) struct IncidentOutline<'r> {
    pub(crate) id: u64,
    pub(crate) priority: Priority,
    pub(crate) state: Verdict,
    pub(crate) headline: &'r str,
    /// The folded group whose notification covers the incident.
    pub(crate) group: Option<GroupIx>,
    /// The number of members that page on their own.
    pub(crate) pages: u32,
    /// The number of firing members with the name of the headline.
    pub(crate) instances: u32,
    /// When the last of them began.
    pub(crate) joined: Option<Timestamp>,
}

impl Report<'_> {
    /// The outlines of all incidents, in the order of the report.
    pub(crate) fn outlines(&self) -> impl Iterator<Item = (IncidentIx, IncidentOutline<'_>)> {
        self.evaluation.incidents.enumerate().map(|(incident, core)| {
            let outline = IncidentOutline {
                id: core.id,
                priority: core.priority,
                state: self.alert(core.headline).verdict,
                headline: self.evaluation.name(core.headline),
                group: core.group,
                pages: core.pages,
                instances: core.instances,
                joined: core.joined,
            };
            (incident, outline)
        })
    }

    /// The members of an incident by the hashes of their identities, and whether each sets the
    /// priority.
    pub(crate) fn alerts_in(&self, incident: IncidentIx) -> impl Iterator<Item = (u64, bool)> {
        let members = self.evaluation.members(incident).iter();
        members.map(|at| (self.evaluation.entry(*at).hash, self.alert(*at).sets_priority()))
    }

    /// Why an incident has its priority and its members. If it notifies nobody, also why its
    /// headline is set aside.
    pub(crate) fn because(&self, incident: IncidentIx) -> Vec<String> {
        let mut because = because::because(self, incident);
        let headline = self.evaluation.incidents[incident].headline;
        if !self.alert(headline).sets_priority() {
            because.push(reason(self, headline, &self.evaluation.state(headline)).why);
        }
        because
    }

    /// The scope of an incident, or its scopes if there are several.
    pub(crate) fn scopes_of(&self, incident: IncidentIx) -> (Option<Labels>, Option<Vec<Labels>>) {
        self.first_scopes(incident, usize::MAX)
    }

    /// The labels and the text of the headline.
    pub(crate) fn headline_of(&self, incident: IncidentIx) -> (Labels, String) {
        let headline = self.evaluation.incidents[incident].headline;
        (self.labels(headline), self.evaluation.entry(headline).identity().text.to_owned())
    }

    /// The name of the alert of a group.
    pub(crate) fn group_name(&self, group: GroupIx) -> &str {
        &self.evaluation.groups[group].alert
    }

    /// The scopes of a group.
    pub(crate) fn group_scopes(&self, group: GroupIx) -> Vec<Labels> {
        self.evaluation.groups[group].scopes.iter().map(|scope| self.scope(*scope)).collect()
    }
}
