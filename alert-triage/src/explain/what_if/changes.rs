//! The list of changes that are simulated.

use super::counterfactual::WhatIf;
use super::simulation::Simulation;
use super::{alerts, endings, rules, time};
use crate::judge::IncidentIx;
use crate::report::Report;

/// In an incident with more members, only the headline is changed.
const MAX_CHANGED_MEMBERS: usize = 32;

/// The changes that make a difference to an incident. `None` if too many alerts share a scope with
/// it.
pub(in crate::explain) fn what_ifs(report: &Report<'_>, incident: IncidentIx) -> Option<Vec<WhatIf>> {
    let mut simulation = Simulation::new(report, incident)?;
    let headline = report.evaluation.incidents[incident].headline;
    let members = report.evaluation.members(incident);
    let members = if members.len() <= MAX_CHANGED_MEMBERS { members } else { &[headline] };
    alerts::add_related_alerts(&mut simulation, members);
    alerts::change_severity(&mut simulation, headline);
    endings::silence_or_end(&mut simulation, headline, members);
    time::sustain(&mut simulation, headline);
    time::pass_time(&mut simulation, members);
    alerts::fire_pending(&mut simulation, members);
    rules::remove_rules(&mut simulation, members);
    Some(simulation.found)
}
