//! Judges every write that reached the world, from what was true there, not from what the breaker
//! knew or said.

use std::collections::BTreeSet;

use breaker_core::sim::{Change, ChangeKind, World};
use breaker_core::state::{State, Trip};
use breaker_core::{Policy, Record};
use jiff::{SignedDuration, Timestamp};

use super::oracle::Oracle;

/// What may be assumed of a run.
pub(crate) struct Audit<'p> {
    pub(crate) policy: &'p Policy,
    /// How old the breaker's view of the pods may be: zero while its watch works.
    pub(crate) view_age: SignedDuration,
    /// Another client scales as well, or the storage goes back: a trip may be repeated.
    pub(crate) may_repeat: bool,
}

/// The state of an audit.
#[derive(Default)]
struct Ledger {
    /// The replicas that a reset has to restore, since the breaker removed them.
    owed: Option<u32>,
    /// The replicas of the trial that runs, and since when.
    trial: Option<(u32, Timestamp)>,
    /// When the breaker last changed the replicas: an episode began.
    from: Option<Timestamp>,
    /// Episodes in which the breaker scaled to zero.
    zeroes: BTreeSet<u64>,
    /// The storage went back: what is owed follows from the next change.
    went_back: bool,
    /// The storage went back, and no Record was stored since: the breaker cannot know yet that its
    /// Record is an older one.
    has_older_record: bool,
    /// The Record that the breaker stored last, while it cannot know that it was damaged since.
    recorded: Option<Record>,
}

impl Audit<'_> {
    /// The violations, in order. `world` is as it is at the end of the run.
    pub(crate) fn violations(&self, world: &World) -> Vec<String> {
        let mut found = Vec::new();
        let mut ledger = Ledger::default();
        for change in world.changes() {
            let is_unreadable = matches!(change.kind, ChangeKind::FoundDamaged | ChangeKind::RecordTouched);
            if ledger.went_back && !is_unreadable {
                ledger.went_back = false;
                (ledger.owed, ledger.trial) = owed_by(change);
            }
            let violations = self.judge(world, change, &mut ledger);
            let at = change.at.duration_since(world.history()[0].0).as_secs();
            found.extend(violations.map(|why| format!("after {at} s, {}: {why}", describe(change))));
        }
        if let (Some(owed), 0, false) = (ledger.owed, world.replicas(), ledger.went_back)
            && world.record().and_then(removed) != Some(owed)
        {
            found.push(format!("at the end nobody knows that {owed} replicas are to be restored"));
        }
        found
    }

    fn judge(&self, world: &World, change: &Change, ledger: &mut Ledger) -> Option<String> {
        match &change.kind {
            ChangeKind::Scaled(0) if change.replicas > 0 => {
                let why = self.judge_zero(world, change, ledger).filter(|_| !ledger.has_older_record);
                ledger.owed.get_or_insert(change.replicas);
                ledger.trial = None;
                ledger.from = Some(change.at);
                why
            }
            ChangeKind::Scaled(0) => None,
            ChangeKind::Scaled(replicas) => {
                let why = judge_restore(change, *replicas, ledger).filter(|_| !ledger.has_older_record);
                ledger.from = Some(change.at);
                let is_trial = trial_of(change, ledger) == Some(*replicas);
                if is_trial || ledger.owed.is_some_and(|owed| owed != *replicas) {
                    ledger.trial = Some((*replicas, change.at));
                } else {
                    (ledger.owed, ledger.trial) = (None, None);
                }
                why
            }
            ChangeKind::ScaledByOther(replicas) if *replicas == 0 || *replicas == change.replicas => None,
            ChangeKind::ScaledByOther(_) => {
                (ledger.owed, ledger.trial) = (None, None);
                None
            }
            ChangeKind::Replaced => {
                // The episodes of another object are not those of this one.
                (ledger.owed, ledger.trial, ledger.from) = (None, None, None);
                None
            }
            ChangeKind::Recorded(record) => {
                ledger.has_older_record = false;
                ledger.recorded = Some((**record).clone());
                let owed = ledger.owed?;
                if removed(record) == Some(owed) {
                    return None;
                }
                // A trial of all replicas is a restore as soon as the breaker says so.
                ledger.owed = None;
                (change.replicas != owed)
                    .then(|| format!("the Record forgets that {owed} replicas are to be restored"))
            }
            ChangeKind::WentBack => {
                ledger.went_back = true;
                ledger.has_older_record = true;
                // A watcher that starts now knows no later episode than the storage.
                ledger.from = None;
                None
            }
            ChangeKind::RecordTouched => None,
            ChangeKind::FoundDamaged => {
                ledger.recorded = None;
                None
            }
        }
    }

    fn judge_zero(&self, world: &World, change: &Change, ledger: &mut Ledger) -> Option<String> {
        let recorded = change.sent_over.as_ref().or(ledger.recorded.as_ref());
        let Some(record) = recorded else { return Some("no Record was stored".into()) };
        let State::Tripping { trip: Trip { replicas, because }, .. } = &record.state else {
            return Some("the stored Record was not Tripping".into());
        };
        let before = ledger.trial.map_or(change.replicas, |(probe, _)| probe);
        let want = ledger.owed.unwrap_or(change.replicas);
        let now = change.record.as_ref().map_or(Some(want), removed);
        if *replicas != want || before != change.replicas || now != Some(want) {
            let stored = change.record.as_ref().and_then(removed);
            return Some(format!(
                "a reset must restore {want}, and the Record says {replicas}, then {stored:?}"
            ));
        }
        let (because, episode) = (because.clone(), record.episode);
        if !ledger.zeroes.insert(episode) && !self.may_repeat {
            return Some(format!("the second trip of episode {episode}"));
        }
        let trial = ledger.trial.filter(|_| because.probe_failed).map(|(_, since)| since);
        let holds = because.pressed || self.was_right(world, change, trial, ledger.from);
        (!holds).then(|| "the condition does not hold".into())
    }

    /// Whether the condition held when the write was sent: just before, at that instant, or within
    /// the age that the view may have.
    fn was_right(
        &self,
        world: &World,
        change: &Change,
        trial: Option<Timestamp>,
        from: Option<Timestamp>,
    ) -> bool {
        let replicas = change.replicas;
        let ahead = change.watcher_time.duration_since(change.sent_at);
        let from = from.map(|from| Timestamp::from_second(from.as_second()).unwrap());
        let right = |oracle: &Oracle, at: Timestamp| match trial {
            Some(since) => oracle.trial_fails(since, at) || oracle.trial_fails(since, at + ahead),
            None => oracle.should_trip(self.policy, replicas, from, at + ahead),
        };
        let mut oracle = Oracle::default();
        for (at, event) in world.history() {
            if *at > change.sent_at {
                break;
            }
            if *at >= change.sent_at - self.view_age && right(&oracle, *at) {
                return true;
            }
            oracle.see_event(event);
        }
        right(&oracle, change.sent_at)
    }
}

fn judge_restore(change: &Change, replicas: u32, ledger: &Ledger) -> Option<String> {
    let recorded = change.sent_over.as_ref().or(ledger.recorded.as_ref());
    let Some(record) = recorded else { return Some("no Record was stored".into()) };
    let want = match &record.state {
        _ if trial_of(change, ledger) == Some(replicas) => return None,
        State::HalfOpen { probe, .. } => *probe,
        State::Restoring { trip, .. } => ledger.owed.unwrap_or(trip.replicas),
        _ => return Some("the stored Record was neither Restoring nor HalfOpen".into()),
    };
    (replicas != want).then(|| format!("{want} replicas were to be restored"))
}

/// The replicas of the trial in the Record that was stored when the write was sent. A write that
/// starts a trial may arrive after the reset that ends it.
fn trial_of(change: &Change, ledger: &Ledger) -> Option<u32> {
    match &change.sent_over.as_ref().or(ledger.recorded.as_ref())?.state {
        State::HalfOpen { probe, .. } => Some(*probe),
        State::Restoring { probe, trip, .. } => probe.filter(|probe| *probe < trip.replicas),
        _ => None,
    }
}

/// The replicas that a reset restores by this Record.
fn removed(record: &Record) -> Option<u32> {
    record.state.trip().map(|trip| trip.replicas)
}

/// The replicas that a reset owes, and the trial that runs, by the storage just before a change.
fn owed_by(change: &Change) -> (Option<u32>, Option<(u32, Timestamp)>) {
    let Some(record) = &change.record else { return (None, None) };
    match record.state {
        State::HalfOpen { since, probe, .. } if change.replicas == probe => {
            (removed(record), Some((probe, since)))
        }
        _ => (removed(record).filter(|_| change.replicas == 0), None),
    }
}

fn describe(change: &Change) -> String {
    let stored = |record: &Record| {
        let removed = removed(record).map(|replicas| format!(" {replicas}")).unwrap_or_default();
        format!("{}{removed}", record.state.phase())
    };
    let before = change.record.as_ref().map_or("none".into(), stored);
    let what = match &change.kind {
        ChangeKind::Recorded(record) => format!("Record {}", stored(record)),
        other => format!("{other:?}"),
    };
    format!("{what} over {} replicas and Record {before}", change.replicas)
}
