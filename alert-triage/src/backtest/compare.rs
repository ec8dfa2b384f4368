//! Compares the replays of two sets of rules.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::arrival;
use super::evaluation_times::EvaluationTimes;
use super::pairing::{Links, links, pair};
use super::replay::{Replay, ReplayedAlert};
use super::result::{Backtest, MissedCritical, MovedPage, PriorityChange, UnmatchedNotification};
use crate::ledger::Engine;
use crate::report::wording::counted;
use crate::verdict::{Notify, Priority};

impl Backtest {
    /// Replays a history with both sets of rules and compares the notifications.
    ///
    /// Both engines must have been [recording](Engine::recording) while they read the same inputs.
    /// `now` is the end of the history if it is later than the last record.
    pub fn run(mut candidate: Engine, mut baseline: Engine, now: Option<Timestamp>) -> Self {
        let (mine, theirs) = (arrival::arrivals(&mut candidate), arrival::arrivals(&mut baseline));
        let distinct = candidate.entries.len().max(baseline.entries.len());
        let rules = [candidate.rules(), baseline.rules()];
        let times = EvaluationTimes::new([&mine, &theirs], rules, now, distinct as u64);
        let candidate = Replay::run(candidate, mine, &times.times);
        let baseline = Replay::run(baseline, theirs, &times.times);
        compare(&candidate, &baseline, &times)
    }
}

fn compare(candidate: &Replay, baseline: &Replay, times: &EvaluationTimes) -> Backtest {
    let (to_baseline, to_candidate) = links(candidate, baseline);
    let pages = pair(candidate, baseline, &to_baseline, Notify::Page);
    let tickets = pair(candidate, baseline, &to_baseline, Notify::Ticket);
    let mine = |number: &usize| notification(candidate, baseline, &to_baseline, *number);
    let theirs = |number: &usize| notification(baseline, candidate, &to_candidate, *number);
    let moved =
        pages.pairs.iter().filter(|(mine, theirs)| candidate.sent[*mine].at != baseline.sent[*theirs].at);
    Backtest {
        from: times.from,
        to: times.times.last().copied().flatten(),
        judged: times.times.len() as u64,
        instants: times.candidates,
        candidate: candidate.totals,
        baseline: baseline.totals,
        pages_moved: moved
            .map(|(mine, theirs)| MovedPage {
                headline: candidate.sent[*mine].notice.headline.clone(),
                scopes: candidate.sent[*mine].scopes.clone(),
                candidate: candidate.sent[*mine].at,
                baseline: baseline.sent[*theirs].at,
            })
            .collect(),
        pages_gained: pages.only_candidate.iter().map(mine).collect(),
        pages_lost: pages.only_baseline.iter().map(theirs).collect(),
        tickets_gained: tickets.only_candidate.iter().map(mine).collect(),
        tickets_lost: tickets.only_baseline.iter().map(theirs).collect(),
        priorities: priority_changes(candidate, baseline, &to_baseline, &to_candidate),
        criticals_missed: criticals(candidate, baseline, &to_candidate),
        criticals_caught: criticals(baseline, candidate, &to_baseline),
        caveats: caveats(candidate, baseline, times),
    }
}

fn notification(of: &Replay, other: &Replay, links: &Links, number: usize) -> UnmatchedNotification {
    let sent = &of.sent[number];
    let notice = &sent.notice;
    let because = notice.because.first().cloned().unwrap_or_default();
    let head = sent.head;
    UnmatchedNotification {
        at: sent.at,
        change: notice.change,
        priority: notice.priority,
        headline: notice.headline.clone(),
        scopes: sent.scopes.clone(),
        because,
        instead: head.map_or_else(String::new, |head| instead(other, links.get(&head))),
        evidence: head.map(|head| of.evidence(head)).unwrap_or_default(),
    }
}

/// What the other rules conclude from the same records.
fn instead(other: &Replay, links: Option<&BTreeSet<usize>>) -> String {
    let Some(links) = links else { return "no record of it could be read".to_owned() };
    match best(other, links).and_then(|alert| alert.peak.as_ref()) {
        Some((priority, why)) => format!("{priority}, {}: {why}", priority.notify()),
        None => "was never open".to_owned(),
    }
}

/// The linked alert with the highest priority.
fn best<'r>(replay: &'r Replay, links: &BTreeSet<usize>) -> Option<&'r ReplayedAlert> {
    let rank =
        |alert: &&ReplayedAlert| alert.peak.as_ref().map_or((true, Priority::P5), |(peak, _)| (false, *peak));
    links.iter().map(|number| &replay.alerts[*number]).min_by_key(rank)
}

/// Alerts with another highest priority, the most urgent first.
fn priority_changes(
    candidate: &Replay,
    baseline: &Replay,
    to_baseline: &Links,
    to_candidate: &Links,
) -> Vec<PriorityChange> {
    let none = BTreeSet::new();
    let mut changes: Vec<PriorityChange> = Vec::new();
    let mut add = |mine: Option<&ReplayedAlert>,
                   theirs: Option<&ReplayedAlert>,
                   evidence: Vec<crate::explain::Location>| {
        let peak = |alert: Option<&ReplayedAlert>| alert.and_then(|alert| alert.peak.clone());
        let (ours, others) = (peak(mine), peak(theirs));
        let is_head = [mine, theirs].into_iter().flatten().any(|alert| alert.is_headline);
        let priority = |peak: &Option<(Priority, String)>| peak.as_ref().map(|(priority, _)| *priority);
        // An alert that was open on one side only is listed even if it was never a headline.
        let is_lost = ours.is_none() || others.is_none();
        if !(is_head || is_lost) || priority(&ours) == priority(&others) {
            return;
        }
        let Some(alert) = mine.or(theirs) else { return };
        let why = |alert: Option<&ReplayedAlert>, peak: &Option<(Priority, String)>| match (alert, peak) {
            (None, _) => "no record of it could be read".to_owned(),
            (_, None) => "was never open".to_owned(),
            (_, Some((_, why))) => why.clone(),
        };
        changes.push(PriorityChange {
            alert: alert.name.clone(),
            scope: alert.scope.clone(),
            candidate: priority(&ours),
            baseline: priority(&others),
            because: why(mine, &ours),
            instead_of: why(theirs, &others),
            evidence,
        });
    };
    for (number, alert) in candidate.alerts.iter().enumerate() {
        let theirs = best(baseline, to_baseline.get(&number).unwrap_or(&none));
        add(Some(alert), theirs, candidate.evidence(number));
    }
    for (number, alert) in baseline.alerts.iter().enumerate() {
        if !to_candidate.contains_key(&number) {
            add(None, Some(alert), baseline.evidence(number));
        }
    }
    // Sorted by the higher of the two priorities.
    let worst = |change: &PriorityChange| change.candidate.into_iter().chain(change.baseline).min();
    changes.sort_by(|a, b| (worst(a), &a.alert, &a.scope).cmp(&(worst(b), &b.alert, &b.scope)));
    changes
}

/// Critical alerts that page in `pages` and never in `of`.
fn criticals(of: &Replay, pages: &Replay, links: &Links) -> Vec<MissedCritical> {
    let mut found = Vec::new();
    for (number, alert) in pages.alerts.iter().enumerate().filter(|(_, alert)| alert.pages) {
        let linked = links.get(&number);
        let ours = || linked.into_iter().flatten().map(|number| &of.alerts[*number]);
        let is_critical = alert.is_critical || ours().any(|alert| alert.is_critical);
        if is_critical && !ours().any(|alert| alert.pages) {
            found.push(MissedCritical {
                alert: alert.name.clone(),
                scope: alert.scope.clone(),
                because: instead(of, linked),
                evidence: pages.evidence(number),
            });
        }
    }
    found.sort_by(|a, b| (&a.alert, &a.scope).cmp(&(&b.alert, &b.scope)));
    found
}

fn caveats(candidate: &Replay, baseline: &Replay, times: &EvaluationTimes) -> Vec<String> {
    let mut caveats = Vec::new();
    let evaluated = times.times.len() as u64;
    if evaluated < times.candidates {
        let missed = match times.missed {
            0 => "every resolved alert was evaluated while it was open".to_owned(),
            // Each episode was read by both sets of rules.
            missed => {
                format!("{} began and ended between two evaluations", counted(missed.div_ceil(2), "alert"))
            }
        };
        caveats.push(format!(
            "evaluated at {evaluated} of {} instants; a notification is dated at the next evaluation; {missed}",
            times.candidates
        ));
    }
    if times.times.first().is_some_and(Option::is_none) {
        let mut caveat = "no record carries a time: the history was evaluated as one report".to_owned();
        if candidate.has_timed_silences || baseline.has_timed_silences {
            caveat.push_str(", and silences with a start or an end do not apply");
        }
        caveats.push(caveat);
    }
    for (whose, replay) in [("candidate", candidate), ("baseline", baseline)] {
        if replay.has_overflow {
            caveats.push(format!(
                "the {whose} exceeded its limit on distinct alerts: alerts in the overflow are not compared"
            ));
        }
    }
    if candidate.totals.malformed + baseline.totals.malformed > 0 {
        caveats.push(format!(
            "malformed: {} with the candidate, {} with the baseline; they are not compared",
            candidate.totals.malformed, baseline.totals.malformed
        ));
    }
    caveats
}
