//! Changes by time alone: an alert lasts, a silence ends, records stop.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::simulation::Simulation;
use crate::explain::naming::identity_key;
use crate::identity::Identity;
use crate::judge::AlertIx;
use crate::ledger::AlertEntry;
use crate::record::Status;
use crate::report::wording::span;
use crate::source_position::SourcePosition;

/// Lets a transient headline last until it counts as sustained.
pub(super) fn sustain(simulation: &mut Simulation<'_>, headline: AlertIx) {
    let report = simulation.report;
    let alert = report.alert(headline);
    let (true, true, Some(mut record)) = (
        alert.is_transient(),
        report.evaluation.engine.rules().is_on("sustained") && alert.sets_priority(),
        simulation.record(headline),
    ) else {
        return;
    };
    let limits = report.evaluation.engine.rules().limits();
    let (long, gap) = (limits.sustained, limits.gap);
    let name = simulation.label(headline);
    let state = report.evaluation.state(headline);
    let key = identity_key(report, headline).to_vec();
    let entry = simulation.part.entries.iter().find(|entry| *entry.key == *key);
    let runs = entry
        .into_iter()
        .flat_map(AlertEntry::label_sets)
        .flat_map(|(_, set)| set.bursts.bursts(gap, &[]))
        .last();
    match (state.since, runs, simulation.now) {
        (Some(_), Some(run), Some(now)) => {
            // Event lines must repeat: in the current run if it continues, else in a new one.
            let continues = now.duration_since(run.to) <= gap;
            let from = if continues { run.from } else { now };
            let Ok(until) = from.checked_add(long) else { return };
            let mut part = simulation.part.subset(|_| true);
            record.status = Status::Event;
            let mut at = now;
            while at < until {
                record.time = Some(at);
                part.ingest(SourcePosition::MAX, &record);
                let Ok(next) = at.checked_add(gap) else { return };
                at = next.min(until);
            }
            record.time = Some(until);
            part.ingest(SourcePosition::MAX, &record);
            let then = simulation.counterfactuals(&part, Some(until));
            simulation.add_if_changed(format!("{name}, repeated every {gap:#} until {until}"), then);
        }
        (Some(since), None, Some(_)) => {
            let Ok(until) = since.checked_add(long) else { return };
            let then = simulation.counterfactuals(&simulation.part, Some(until));
            simulation
                .add_if_changed(format!("{name}, still open at {until}, {long:#} after it began"), then);
        }
        _ => {
            // Without times the duration is unknown. The change gives the records times.
            let mut part = simulation.part.subset(|entry| *entry.key != *key);
            let since = simulation.now.unwrap_or(Timestamp::UNIX_EPOCH);
            let Ok(until) = since.checked_add(long) else { return };
            (record.time, record.starts) = (Some(since), Some(since));
            part.ingest(SourcePosition::MAX, &record);
            let then = simulation.counterfactuals(&part, Some(until));
            simulation.add_if_changed(format!("{name}, reported with times and open for {long:#}"), then);
        }
    }
}

/// Lets time pass: silences end, and alerts without a new record become obsolete.
pub(super) fn pass_time(simulation: &mut Simulation<'_>, members: &[AlertIx]) {
    let Some(now) = simulation.now else { return };
    let rules = simulation.report.evaluation.engine.rules().clone();
    let mut ends: BTreeSet<Timestamp> = BTreeSet::new();
    for &at in members {
        let identity = Identity::from_key(identity_key(simulation.report, at));
        let silence = rules.silence(identity.alert, |name| identity.label(name), simulation.now);
        ends.extend(silence.and_then(|silence| silence.until));
    }
    for until in ends {
        let then = simulation.counterfactuals(&simulation.part, Some(until));
        simulation.add_if_changed(format!("the end of a silence at {until}"), then);
    }
    let obsolete_at = members.iter().filter(|at| simulation.report.alert(**at).sets_priority()).map(|&at| {
        let identity = Identity::from_key(identity_key(simulation.report, at));
        let ttl = rules.ttl(identity.alert, |name| identity.label(name));
        let seen = simulation.report.evaluation.state(at).seen?;
        seen.checked_add(ttl).ok()?.checked_add(SignedDuration::from_secs(1)).ok()
    });
    if !rules.is_on("ttl") {
        return;
    }
    // If one member never becomes obsolete, the incident does not end.
    let last: Option<Vec<Timestamp>> = obsolete_at.collect();
    if let Some(last) = last.and_then(|last| last.into_iter().max()).filter(|last| *last > now) {
        let then = simulation.counterfactuals(&simulation.part, Some(last));
        let passed = span(last.duration_since(now).as_secs());
        simulation.add_if_changed(format!("no record of it until {last}, for {passed}"), then);
    }
}
