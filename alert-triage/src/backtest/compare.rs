//! What one would have told and the other would not.

use std::collections::{BTreeSet, HashMap};

use super::instants::Instants;
use super::replay::{Alert, Replay, Told};
use super::{Backtest, Critical, Moved, SentNotification, Shift};
use crate::report::words::counted;
use crate::verdict::{Notify, Priority};

/// Alerts of one that share records with an alert of the other.
type Links = HashMap<usize, BTreeSet<usize>>;

pub(super) fn compare(candidate: &Replay, baseline: &Replay, instants: &Instants) -> Backtest {
    let (to_baseline, to_candidate) = links(candidate, baseline);
    let pages = matched(candidate, baseline, &to_baseline, Notify::Page);
    let tickets = matched(candidate, baseline, &to_baseline, Notify::Ticket);
    let mine = |number: &usize| notification(candidate, baseline, &to_baseline, *number);
    let theirs = |number: &usize| notification(baseline, candidate, &to_candidate, *number);
    let moved =
        pages.pairs.iter().filter(|(mine, theirs)| candidate.told[*mine].at != baseline.told[*theirs].at);
    Backtest {
        from: instants.from,
        to: instants.judged.last().copied().flatten(),
        judged: instants.judged.len() as u64,
        instants: instants.all,
        candidate: candidate.sent,
        baseline: baseline.sent,
        pages_moved: moved
            .map(|(mine, theirs)| Moved {
                headline: candidate.told[*mine].notice.headline.clone(),
                scopes: candidate.told[*mine].scopes.clone(),
                candidate: candidate.told[*mine].at,
                baseline: baseline.told[*theirs].at,
            })
            .collect(),
        pages_gained: pages.mine.iter().map(mine).collect(),
        pages_lost: pages.theirs.iter().map(theirs).collect(),
        tickets_gained: tickets.mine.iter().map(mine).collect(),
        tickets_lost: tickets.theirs.iter().map(theirs).collect(),
        priorities: shifts(candidate, baseline, &to_baseline, &to_candidate),
        criticals_missed: criticals(candidate, baseline, &to_candidate),
        criticals_caught: criticals(baseline, candidate, &to_baseline),
        caveats: caveats(candidate, baseline, instants),
    }
}

fn links(candidate: &Replay, baseline: &Replay) -> (Links, Links) {
    let (mut mine, mut theirs) = (Links::new(), Links::new());
    for (record, &ours) in &candidate.of_record {
        if let Some(&other) = baseline.of_record.get(record) {
            mine.entry(ours).or_default().insert(other);
            theirs.entry(other).or_default().insert(ours);
        }
    }
    (mine, theirs)
}

/// Notifications of one class: those that are about the same records, and those left over.
struct Matched {
    pairs: Vec<(usize, usize)>,
    mine: Vec<usize>,
    theirs: Vec<usize>,
}

fn matched(candidate: &Replay, baseline: &Replay, links: &Links, class: Notify) -> Matched {
    let of_class = |replay: &Replay| -> Vec<usize> {
        (0..replay.told.len()).filter(|number| replay.told[*number].notice.notify == class).collect()
    };
    let (mut mine, theirs) = (of_class(candidate), of_class(baseline));
    let mut of_alert: HashMap<usize, Vec<usize>> = HashMap::new();
    for &number in &theirs {
        for &alert in &baseline.told[number].alerts {
            of_alert.entry(alert).or_default().push(number);
        }
    }
    let about = |told: &Told| -> BTreeSet<usize> {
        let linked = told.alerts.iter().filter_map(|alert| links.get(alert)).flatten();
        linked.filter_map(|alert| of_alert.get(alert)).flatten().copied().collect()
    };
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    let mut pairs = Vec::new();
    // The nearest first: the same news at the same time, then any at the same time, then the nearest in time.
    for pass in 0..3 {
        mine.retain(|&number| {
            let told = &candidate.told[number];
            let far = |other: &usize| match (told.at, baseline.told[*other].at) {
                (Some(a), Some(b)) => a.duration_since(b).abs(),
                _ => jiff::SignedDuration::ZERO,
            };
            let free = about(told).into_iter().filter(|other| !taken.contains(other));
            let fits = |other: &usize| match pass {
                0 => far(other).is_zero() && baseline.told[*other].notice.change == told.notice.change,
                1 => far(other).is_zero(),
                _ => true,
            };
            let Some(other) = free.filter(fits).min_by_key(|other| (far(other), *other)) else { return true };
            taken.insert(other);
            pairs.push((number, other));
            false
        });
    }
    pairs.sort_unstable();
    let theirs = theirs.into_iter().filter(|number| !taken.contains(number)).collect();
    Matched { pairs, mine, theirs }
}

fn notification(of: &Replay, other: &Replay, links: &Links, number: usize) -> SentNotification {
    let told = &of.told[number];
    let notice = &told.notice;
    let because = notice.because.first().cloned().unwrap_or_default();
    let head = told.head;
    SentNotification {
        at: told.at,
        change: notice.change,
        priority: notice.priority,
        headline: notice.headline.clone(),
        scopes: told.scopes.clone(),
        because,
        instead: head.map_or_else(String::new, |head| instead(other, links.get(&head))),
        evidence: head.map(|head| of.evidence(head)).unwrap_or_default(),
    }
}

/// What the other made of it.
fn instead(other: &Replay, links: Option<&BTreeSet<usize>>) -> String {
    let Some(links) = links else { return "no record of it could be read".to_owned() };
    match best(other, links).and_then(|alert| alert.peak.as_ref()) {
        Some((priority, why)) => format!("{priority}, {}: {why}", priority.notify()),
        None => "never stood".to_owned(),
    }
}

/// The most urgent of several that share records with it.
fn best<'r>(replay: &'r Replay, links: &BTreeSet<usize>) -> Option<&'r Alert> {
    let rank = |alert: &&Alert| alert.peak.as_ref().map_or((true, Priority::P5), |(peak, _)| (false, *peak));
    links.iter().map(|number| &replay.alerts[*number]).min_by_key(rank)
}

fn shifts(candidate: &Replay, baseline: &Replay, to_baseline: &Links, to_candidate: &Links) -> Vec<Shift> {
    let none = BTreeSet::new();
    let mut shifts: Vec<Shift> = Vec::new();
    let mut tell = |mine: Option<&Alert>, theirs: Option<&Alert>, evidence: Vec<crate::explain::At>| {
        let peak = |alert: Option<&Alert>| alert.and_then(|alert| alert.peak.clone());
        let (ours, others) = (peak(mine), peak(theirs));
        let is_head = [mine, theirs].into_iter().flatten().any(|alert| alert.heads);
        let priority = |peak: &Option<(Priority, String)>| peak.as_ref().map(|(priority, _)| *priority);
        // What the one never saw stand is told of, whoever headed its incident.
        let is_lost = ours.is_none() || others.is_none();
        if !(is_head || is_lost) || priority(&ours) == priority(&others) {
            return;
        }
        let Some(alert) = mine.or(theirs) else { return };
        let why = |alert: Option<&Alert>, peak: &Option<(Priority, String)>| match (alert, peak) {
            (None, _) => "no record of it could be read".to_owned(),
            (_, None) => "never stood".to_owned(),
            (_, Some((_, why))) => why.clone(),
        };
        shifts.push(Shift {
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
        tell(Some(alert), theirs, candidate.evidence(number));
    }
    for (number, alert) in baseline.alerts.iter().enumerate() {
        if !to_candidate.contains_key(&number) {
            tell(None, Some(alert), baseline.evidence(number));
        }
    }
    // What mattered most before, or matters most now, first.
    let worst = |shift: &Shift| shift.candidate.into_iter().chain(shift.baseline).min();
    shifts.sort_by(|a, b| (worst(a), &a.alert, &a.scope).cmp(&(worst(b), &b.alert, &b.scope)));
    shifts
}

/// Critical alerts for which `pages` pages and `of` never does.
fn criticals(of: &Replay, pages: &Replay, links: &Links) -> Vec<Critical> {
    let mut found = Vec::new();
    for (number, alert) in pages.alerts.iter().enumerate().filter(|(_, alert)| alert.pages) {
        let linked = links.get(&number);
        let ours = || linked.into_iter().flatten().map(|number| &of.alerts[*number]);
        let is_critical = alert.is_critical || ours().any(|alert| alert.is_critical);
        if is_critical && !ours().any(|alert| alert.pages) {
            found.push(Critical {
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

fn caveats(candidate: &Replay, baseline: &Replay, instants: &Instants) -> Vec<String> {
    let mut caveats = Vec::new();
    let judged = instants.judged.len() as u64;
    if judged < instants.all {
        let unseen = match instants.unseen {
            0 => "whatever was said to be over was looked at while it stood".to_owned(),
            // Both sets of rules have read it.
            unseen => format!("{} began and ended unseen", counted(unseen.div_ceil(2), "alert")),
        };
        caveats.push(format!(
            "judged at {judged} of {} instants, and notifications come at the next one; {unseen}",
            instants.all
        ));
    }
    if instants.judged.first().is_some_and(Option::is_none) {
        let mut caveat = "no record carries a time: the history was judged as one report".to_owned();
        if candidate.has_timed_silences || baseline.has_timed_silences {
            caveat.push_str(", and silences with a beginning or an end are not in force");
        }
        caveats.push(caveat);
    }
    for (whose, replay) in [("candidate", candidate), ("baseline", baseline)] {
        if replay.has_overflow {
            caveats.push(format!(
                "the {whose}'s limit on distinct alerts was passed: what was counted together is not compared"
            ));
        }
    }
    if candidate.sent.malformed + baseline.sent.malformed > 0 {
        caveats.push(format!(
            "malformed: {} by the candidate, {} by the baseline; they are no part of the comparison",
            candidate.sent.malformed, baseline.sent.malformed
        ));
    }
    caveats
}
