//! How one alert stands at one instant: open, over, given up; since when; and whether it flaps.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::history::History;
use super::stand::Stand;
use crate::identity::source_key;
use crate::ledger::AlertEntry;
use crate::ledger::ArrivalSpan;
use crate::ledger::{LabelSetHistory, SuppressedBy};
use crate::rules::Limits;
use crate::source_position::SourcePosition;

/// The instant that is judged at, and since when arrivals are noted, if they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) now: Option<Timestamp>,
    pub(crate) arrivals_since: Option<Timestamp>,
}

impl Clock {
    /// Not seen for so long that it is given up?
    fn is_old(self, seen: Option<Timestamp>, ttl: Option<SignedDuration>) -> bool {
        seen.zip(self.now).zip(ttl).is_some_and(|((seen, now), ttl)| now.duration_since(seen) > ttl)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) stand: Stand,
    /// Open, or pending, since then.
    pub(crate) since: Option<Timestamp>,
    /// Began last then, whether that is over or not.
    pub(crate) latest: Option<Timestamp>,
    /// The newest end, of what is over.
    pub(crate) ended: Option<Timestamp>,
    pub(crate) seen: Option<Timestamp>,
    /// Given up by the source, and not by us.
    pub(crate) timed_out: Option<Timestamp>,
    /// Stood long enough, if it is a transient.
    pub(crate) is_sustained: bool,
    /// For how long, as far as the source tells: up to now by its state, up to the last line by its lines.
    pub(crate) lasted: SignedDuration,
    pub(crate) episodes: u32,
    /// Closed episodes of the flapping that goes on.
    pub(crate) cycles: u32,
    /// Every label set that stands is held back by the source; the first of them.
    pub(crate) held: Option<SuppressedBy>,
    pub(crate) has_times: bool,
    /// Ended without ever having been seen to fire.
    pub(crate) only_ended: bool,
}

impl State {
    fn plain() -> Self {
        Self {
            stand: Stand::Open,
            since: None,
            latest: None,
            ended: None,
            seen: None,
            timed_out: None,
            is_sustained: false,
            lasted: SignedDuration::ZERO,
            episodes: 1,
            cycles: 0,
            held: None,
            has_times: false,
            only_ended: false,
        }
    }

    /// An alert stands if one of its label sets does.
    pub(crate) fn of(
        entry: &AlertEntry,
        ends: &BTreeMap<Box<str>, LabelSetHistory>,
        clock: Clock,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> Self {
        let mut all = Self::of_sets(entry, ends, clock, ttl, limits).map(|(_, state)| state).reduce(Self::or);
        let mut add = |state: Self| {
            all = Some(match all.take() {
                None => state,
                Some(all) => all.or(state),
            });
        };
        let is_among_sets = entry.label_sets().next().is_some_and(|(key, _)| key.is_empty());
        if entry.lines.count > 0 && !is_among_sets {
            let mut plain = Self::plain();
            plain.apply_arrivals(entry.arrivals, clock, ttl, limits);
            add(plain);
        }
        if let Some(folded) =
            entry.timed.as_ref().map(|timed| &timed.folded).filter(|folded| folded.records > 0)
        {
            let seen = folded.last_seen.max(clock.arrivals_since.filter(|_| folded.last_seen.is_none()));
            let stand = if clock.is_old(seen, ttl) { Stand::Obsolete } else { Stand::Open };
            add(Self { stand, seen, has_times: folded.last_seen.is_some(), ..Self::plain() });
        }
        all.unwrap_or_else(Self::plain)
    }

    /// What each label set is by itself, and by what its source says of its key alone (`ends`): that reaches every label
    /// set of that key, in whichever alert, and no other of this one.
    pub(crate) fn of_sets<'e>(
        entry: &'e AlertEntry,
        ends: &'e BTreeMap<Box<str>, LabelSetHistory>,
        clock: Clock,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> impl Iterator<Item = (&'e [u8], Self)> {
        entry.label_sets().map(move |(key, set)| match source_key(key).and_then(|key| ends.get(key)) {
            Some(ends) => {
                let mut joined = set.clone();
                joined.merge(ends.clone(), limits.gap);
                // What is acknowledged was heard, and does not fire anew for it.
                joined.undated.fire = set.undated.fire;
                (key, Self::of_set(&joined, None, clock, ttl, limits))
            }
            None => (key, Self::of_set(set, Some(entry).filter(|_| key.is_empty()), clock, ttl, limits)),
        })
    }

    /// What records without a time leave open, their arrival tells, if somebody listened.
    fn apply_arrivals(
        &mut self,
        heard: ArrivalSpan,
        clock: Clock,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) {
        let Some(since) = clock.arrivals_since else { return };
        self.seen = self.seen.max(heard.last()).max(Some(since));
        if clock.is_old(self.seen, ttl) {
            self.stand = Stand::Obsolete;
            return;
        }
        if let Some((from, to)) = heard.bounds() {
            let lasted = to.duration_since(from);
            self.lasted = self.lasted.max(lasted);
            self.is_sustained |= lasted >= limits.sustained
                && clock.now.is_some_and(|now| now.duration_since(to) <= limits.gap);
        }
    }

    fn or(self, other: Self) -> Self {
        let (mut high, low) = if other.stand > self.stand { (other, self) } else { (self, other) };
        if high.stand == low.stand {
            // No time is any time.
            high.since = high.since.min(low.since);
            // Suppressed only if every open label set is.
            high.held = high.held.take().zip(low.held).map(|(a, b)| a.min(b));
            high.is_sustained |= low.is_sustained;
            high.lasted = high.lasted.max(low.lasted);
        }
        high.latest = high.latest.zip(low.latest).map(|(a, b)| a.max(b));
        high.cycles = high.cycles.max(low.cycles);
        high.episodes += low.episodes;
        high.ended = high.ended.max(low.ended);
        high.seen = high.seen.max(low.seen);
        if high.stand == Stand::Obsolete {
            high.timed_out = high.timed_out.max(low.timed_out);
        }
        high.has_times |= low.has_times;
        high.only_ended &= low.only_ended;
        high
    }

    /// `lines`: the alert whose lines with nothing but their place are of this label set.
    fn of_set(
        set: &LabelSetHistory,
        lines: Option<&AlertEntry>,
        clock: Clock,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> Self {
        let now = clock.now;
        let history = History::of(set, now, limits.gap);
        let untimed = Untimed::of(set, lines, now);
        let (stand, by_untimed) = untimed.beside(set, history.stand());
        let mut state = Self {
            stand,
            latest: history.latest().filter(|_| !by_untimed),
            ended: history.ended(),
            seen: set.last_seen.max(set.arrivals.last()),
            timed_out: history.timed_out().filter(|_| stand == Stand::Obsolete),
            episodes: history.episodes,
            cycles: history.cycles(now, limits),
            held: set.suppressed_by().cloned(),
            has_times: set.last_seen.is_some(),
            only_ended: set.last_timed_fire().is_none() && untimed.fire.max(untimed.pending).is_none(),
            ..Self::plain()
        };
        if !matches!(stand, Stand::Open | Stand::Pending) {
            return state;
        }
        state.since = history.since().filter(|_| !by_untimed);
        state.lasted = history.lasted(now);
        state.is_sustained = stand == Stand::Open && history.is_sustained(now, limits);
        if by_untimed {
            let mut heard = set.arrivals;
            heard.merge(lines.map(|entry| entry.arrivals).unwrap_or_default(), limits.gap);
            state.apply_arrivals(heard, clock, ttl, limits);
        } else {
            // An answer about the present is true as long as nobody asks again, unless its arrivals are noted.
            state.seen = state.seen.max(clock.arrivals_since.filter(|_| set.is_snapshot));
            if clock.is_old(state.seen, ttl) && (!set.is_snapshot || clock.arrivals_since.is_some()) {
                state.stand = Stand::Obsolete;
            }
        }
        state.is_sustained &= state.stand == Stand::Open;
        state
    }
}

/// What was said without a time: where it was said last.
struct Untimed {
    fire: Option<SourcePosition>,
    pending: Option<SourcePosition>,
    end: Option<SourcePosition>,
    /// Of an announced end that has passed.
    timed_end: Option<SourcePosition>,
}

impl Untimed {
    fn of(set: &LabelSetHistory, lines: Option<&AlertEntry>, now: Option<Timestamp>) -> Self {
        let lines = lines.filter(|entry| entry.lines.count > 0).map(|entry| entry.lines.last);
        let loose = set.undated_ends.last();
        let has_passed = |(end, _): &(Timestamp, SourcePosition)| now.is_some_and(|now| *end <= now);
        let position = |(_, position): (Timestamp, SourcePosition)| position;
        Self {
            fire: set.undated.fire.max(lines).max(loose.filter(|end| !has_passed(end)).map(position)),
            pending: set.undated.pending,
            end: set.undated.end,
            timed_end: set.last_timed_end().max(loose.filter(has_passed).map(position)),
        }
    }

    /// How things stand, and whether something without a time makes them stand. Beside what carries a time, what does
    /// not takes the order of its line.
    fn beside(&self, set: &LabelSetHistory, timed: Option<Stand>) -> (Stand, bool) {
        let words = [(self.fire, Stand::Open), (self.pending, Stand::Pending), (self.end, Stand::Resolved)];
        let newest = words.into_iter().filter_map(|(position, stand)| Some((position?, stand))).max();
        let Some((position, untimed)) = newest else { return (timed.unwrap_or(Stand::Open), false) };
        let position = Some(position);
        match (timed, untimed) {
            (None, stand) => (stand, stand != Stand::Resolved),
            (Some(Stand::Resolved), stand) if stand == Stand::Resolved || position <= self.timed_end => {
                (Stand::Resolved, false)
            }
            // Of one line the end is the later.
            (Some(stand), Stand::Resolved) if position < set.last_timed_fire() => (stand, false),
            (Some(_), Stand::Resolved) => (Stand::Resolved, false),
            (Some(timed), stand) => (timed.max(stand), true),
        }
    }
}
