//! The state of one alert at one instant: its phase, since when, and whether it flaps.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::alert_phase::AlertPhase;
use super::history::SpanHistory;
use super::untimed::Untimed;
use crate::identity::source_key;
use crate::ledger::AlertEntry;
use crate::ledger::ArrivalSpan;
use crate::ledger::{KeyedEnd, LabelSetHistory, SuppressedBy};
use crate::rules::Limits;
use crate::severity::Severity;
use crate::source_position::SourcePosition;

/// The instant of an evaluation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EvaluationTime {
    pub(crate) now: Option<Timestamp>,
    /// Since when the times of arrival are known, if they are.
    pub(crate) arrivals_since: Option<Timestamp>,
}

impl EvaluationTime {
    /// Is the last record older than the TTL?
    fn is_expired(self, seen: Option<Timestamp>, ttl: Option<SignedDuration>) -> bool {
        seen.zip(self.now).zip(ttl).is_some_and(|((seen, now), ttl)| now.duration_since(seen) > ttl)
    }
}

/// The state of an alert, or of one of its label sets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlertState {
    pub(crate) phase: AlertPhase,
    /// When it began to be open or pending.
    pub(crate) since: Option<Timestamp>,
    /// When its latest episode began, open or not.
    pub(crate) latest: Option<Timestamp>,
    /// The end of its latest resolved episode.
    pub(crate) ended: Option<Timestamp>,
    /// When it was last seen.
    pub(crate) seen: Option<Timestamp>,
    /// When the source stopped reporting it without an end.
    pub(crate) timed_out: Option<Timestamp>,
    /// Has it been open long enough to be sustained, if it is a transient?
    pub(crate) is_sustained: bool,
    /// For how long it has been open: up to now for a state, up to the last line for lines.
    pub(crate) lasted: SignedDuration,
    pub(crate) episodes: u32,
    /// The number of resolved episodes of the current flapping; 0 if it does not flap.
    pub(crate) cycles: u32,
    /// Why the source suppresses it, if every open label set is suppressed; the first of the
    /// reasons.
    pub(crate) suppressed_by: Option<SuppressedBy>,
    /// When somebody acknowledged what is open now, if anybody did and if the time is known.
    pub(crate) acknowledged: Option<Option<Timestamp>>,
    /// Does any of its records carry a time?
    pub(crate) has_times: bool,
    /// The severity in the newest record, for sources in which it changes. Of several open label
    /// sets, the most severe.
    pub(crate) severity: Option<Box<str>>,
    /// Is it resolved, and reported as firing after its end by a record that may be a late repeat?
    pub(crate) fired_again: bool,
    /// Is there a resolve without a firing record?
    pub(crate) only_ended: bool,
    /// Does the newest snapshot of its source no longer contain it?
    pub(crate) is_gone: bool,
    /// The interval of events that came in a regular rhythm; of several label sets, of the one that
    /// was seen last.
    rhythm: Option<SignedDuration>,
}

/// An event that came in a regular rhythm and has stopped, without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SilentSpan {
    /// For how long it has not come.
    pub(crate) lasts: SignedDuration,
    /// How often it came.
    pub(crate) every: SignedDuration,
}

/// After this number of missing events, an event that came in a rhythm is silent.
const SILENT_INTERVALS: i32 = 10;

impl AlertState {
    /// An open alert without a time.
    fn untimed() -> Self {
        Self {
            phase: AlertPhase::Open,
            since: None,
            latest: None,
            ended: None,
            seen: None,
            timed_out: None,
            is_sustained: false,
            lasted: SignedDuration::ZERO,
            episodes: 1,
            cycles: 0,
            suppressed_by: None,
            acknowledged: None,
            has_times: false,
            severity: None,
            fired_again: false,
            only_ended: false,
            is_gone: false,
            rhythm: None,
        }
    }

    /// Whether its events have stopped, if they came in a rhythm.
    pub(crate) fn silence(&self, now: Option<Timestamp>) -> Option<SilentSpan> {
        let every = self.rhythm.filter(|_| matches!(self.phase, AlertPhase::Open | AlertPhase::Obsolete))?;
        let lasts = now?.duration_since(self.seen?);
        (lasts >= every.checked_mul(SILENT_INTERVALS)?).then_some(SilentSpan { lasts, every })
    }

    /// The state of an alert. It is open if one of its label sets is.
    pub(crate) fn of_entry(
        entry: &AlertEntry,
        ends: &BTreeMap<Box<str>, KeyedEnd>,
        time: EvaluationTime,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> Self {
        let mut all =
            Self::of_sets(entry, ends, time, ttl, limits).map(|(_, state)| state).reduce(Self::combine);
        let mut add = |state: Self| {
            all = Some(match all.take() {
                None => state,
                Some(all) => all.combine(state),
            });
        };
        let is_among_sets = entry.label_sets().next().is_some_and(|(key, _)| key.is_empty());
        if entry.lines.count > 0 && !is_among_sets {
            let mut lines = Self::untimed();
            lines.apply_arrivals(entry.arrivals, time, ttl, limits);
            add(lines);
        }
        if let Some(folded) =
            entry.timed.as_ref().map(|timed| &timed.folded).filter(|folded| folded.records > 0)
        {
            let seen = folded.last_seen.max(time.arrivals_since.filter(|_| folded.last_seen.is_none()));
            let phase = if time.is_expired(seen, ttl) { AlertPhase::Obsolete } else { AlertPhase::Open };
            add(Self { phase, seen, has_times: folded.last_seen.is_some(), ..Self::untimed() });
        }
        all.unwrap_or_else(Self::untimed)
    }

    /// The state of each label set. A resolve by key (`ends`) applies to every label set of that
    /// key, in any alert.
    pub(crate) fn of_sets<'e>(
        entry: &'e AlertEntry,
        ends: &'e BTreeMap<Box<str>, KeyedEnd>,
        time: EvaluationTime,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> impl Iterator<Item = (&'e [u8], Self)> {
        entry.label_sets().map(move |(key, set)| match source_key(key).and_then(|key| ends.get(key)) {
            Some(ends) => {
                let mut joined = set.clone();
                joined.merge(ends.history.clone(), limits.gap);
                // An acknowledge is not a new firing record.
                joined.undated.fire = set.undated.fire;
                (key, Self::of_set(&joined, None, time, ttl, limits))
            }
            None => (key, Self::of_set(set, Some(entry).filter(|_| key.is_empty()), time, ttl, limits)),
        })
    }

    /// Derives the phase and the duration of records without a time from their arrivals, if these
    /// are known.
    fn apply_arrivals(
        &mut self,
        heard: ArrivalSpan,
        time: EvaluationTime,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) {
        let Some(since) = time.arrivals_since else { return };
        self.seen = self.seen.max(heard.last()).max(Some(since));
        if time.is_expired(self.seen, ttl) {
            self.phase = AlertPhase::Obsolete;
            return;
        }
        if let Some((from, to)) = heard.bounds() {
            let lasted = to.duration_since(from);
            self.lasted = self.lasted.max(lasted);
            self.is_sustained |= lasted >= limits.sustained
                && time.now.is_some_and(|now| now.duration_since(to) <= limits.gap);
        }
    }

    /// Combines the states of two label sets.
    fn combine(self, other: Self) -> Self {
        let (mut high, low) = if other.phase > self.phase { (other, self) } else { (self, other) };
        if high.phase == low.phase {
            // An unknown start is earlier than any time.
            high.since = high.since.min(low.since);
            // Suppressed only if every open label set is.
            high.suppressed_by = high.suppressed_by.take().zip(low.suppressed_by).map(|(a, b)| a.min(b));
            // Acknowledged only if every open label set is.
            high.acknowledged = high.acknowledged.zip(low.acknowledged).map(|(a, b)| a.max(b));
            high.is_sustained |= low.is_sustained;
            high.lasted = high.lasted.max(low.lasted);
            high.severity = most_severe(high.severity.take(), low.severity);
        }
        high.fired_again |= low.fired_again;
        high.latest = high.latest.zip(low.latest).map(|(a, b)| a.max(b));
        high.cycles = high.cycles.max(low.cycles);
        high.episodes += low.episodes;
        high.ended = high.ended.max(low.ended);
        high.rhythm = (high.seen, high.rhythm).max((low.seen, low.rhythm)).1;
        high.seen = high.seen.max(low.seen);
        if high.phase == AlertPhase::Obsolete {
            high.timed_out = high.timed_out.max(low.timed_out);
        }
        high.has_times |= low.has_times;
        high.only_ended &= low.only_ended;
        high
    }

    /// The state of one label set. `lines` is the alert whose lines without a time belong to it.
    fn of_set(
        set: &LabelSetHistory,
        lines: Option<&AlertEntry>,
        time: EvaluationTime,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> Self {
        let now = time.now;
        let history = SpanHistory::new(set, now, limits.gap);
        let untimed = Untimed::new(set, lines, now);
        let (phase, by_untimed) = untimed.combine(set, history.phase());
        let mut state = Self {
            phase,
            latest: history.latest().filter(|_| !by_untimed),
            ended: history.ended(),
            seen: set.last_seen.max(set.arrivals.last()),
            timed_out: history.timed_out().filter(|_| phase == AlertPhase::Obsolete),
            episodes: history.episodes,
            cycles: history.cycles(now, limits),
            suppressed_by: set.suppressed_by().cloned(),
            has_times: set.last_seen.is_some(),
            severity: set.newest.as_ref().and_then(|newest| newest.severity()).map(Into::into),
            // What its source suppresses would notify nobody even if it fired.
            fired_again: phase == AlertPhase::Resolved
                && !by_untimed
                && set.suppressed_by().is_none()
                && history.has_fired_again(),
            rhythm: set.bursts.rhythm(),
            only_ended: set.last_timed_fire().is_none() && untimed.fire.max(untimed.pending).is_none(),
            ..Self::untimed()
        };
        if !matches!(phase, AlertPhase::Open | AlertPhase::Pending) {
            return state;
        }
        state.since = history.since().filter(|_| !by_untimed);
        // An acknowledge of an earlier episode says nothing of this one.
        let is_current = |at: Option<Timestamp>, position: SourcePosition| match at.zip(state.since) {
            Some((at, since)) => since <= at,
            None => set.undated.end.max(set.last_timed_end()).is_none_or(|end| end < position),
        };
        state.acknowledged =
            set.acknowledged.filter(|(at, position)| is_current(*at, *position)).map(|(at, _)| at);
        state.lasted = history.lasted(now);
        state.is_sustained = phase == AlertPhase::Open && history.is_sustained(now, limits);
        if by_untimed {
            let mut heard = set.arrivals;
            heard.merge(lines.map(|entry| entry.arrivals).unwrap_or_default(), limits.gap);
            state.apply_arrivals(heard, time, ttl, limits);
        } else {
            // A snapshot stays valid until the next one, unless its arrivals are known.
            state.seen = state.seen.max(time.arrivals_since.filter(|_| set.snapshots.is_some()));
            if time.is_expired(state.seen, ttl) && (set.snapshots.is_none() || time.arrivals_since.is_some())
            {
                state.phase = AlertPhase::Obsolete;
            }
        }
        state.is_sustained &= state.phase == AlertPhase::Open;
        state
    }
}

/// The word of the more severe of two; of equal ones the first in alphabetical order.
fn most_severe(a: Option<Box<str>>, b: Option<Box<str>>) -> Option<Box<str>> {
    a.into_iter().chain(b).min_by_key(|word| (Severity::from_word(word).class(), word.clone()))
}
