//! How one alert stands at one instant: open, over, given up; since when; and whether it flaps.

use jiff::{SignedDuration, Timestamp};

use crate::ledger::entry::Entry;
use crate::ledger::live::Heard;
use crate::ledger::set::{HeldBack, Set};
use crate::rules::Limits;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stand {
    Resolved,
    Obsolete,
    Pending,
    Open,
}

/// The instant that is judged at, and since when arrivals are noted, if they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hearing {
    pub(crate) now: Option<Timestamp>,
    pub(crate) since: Option<Timestamp>,
}

impl Hearing {
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
    pub(crate) held: Option<HeldBack>,
    pub(crate) has_times: bool,
    /// Ended without ever having been seen to fire.
    pub(crate) only_ended: bool,
}

impl State {
    fn plain() -> Self {
        Self {
            stand: Stand::Open,
            since: None,
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
        entry: &Entry,
        ends: Option<&Set>,
        hearing: Hearing,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> Self {
        let mut plain = Self::plain();
        plain.hear(entry.heard, hearing, ttl, limits);
        let Some(more) = entry.more.as_ref().filter(|more| !more.sets.is_empty() || more.rest.records > 0)
        else {
            return plain;
        };
        let mut all: Option<Self> = None;
        let mut add = |state: Self| {
            all = Some(match all.take() {
                None => state,
                Some(all) => all.or(state),
            });
        };
        for (key, mut state) in Self::of_sets(entry, ends, hearing, ttl, limits) {
            let last_end = more.sets.get(key).and_then(|set| set.at(hearing.now).last_end);
            if key.is_empty()
                && entry.plain.count > 0
                && plain.stand == Stand::Open
                && last_end.is_none_or(|end| end < entry.plain.last)
            {
                state.stand = Stand::Open;
                state.is_sustained |= plain.is_sustained;
                state.lasted = state.lasted.max(plain.lasted);
            }
            add(state);
        }
        if more.rest.records > 0 {
            let seen = more.rest.seen.max(hearing.since.filter(|_| more.rest.seen.is_none()));
            let stand = if hearing.is_old(seen, ttl) { Stand::Obsolete } else { Stand::Open };
            add(Self { stand, seen, has_times: more.rest.seen.is_some(), ..Self::plain() });
        }
        if entry.plain.count > 0 && !more.sets.contains_key(&[] as &[u8]) {
            add(plain.clone());
        }
        all.unwrap_or(plain)
    }

    /// What each label set is by itself.
    pub(crate) fn of_sets<'e>(
        entry: &'e Entry,
        ends: Option<&Set>,
        hearing: Hearing,
        ttl: Option<SignedDuration>,
        limits: &Limits,
    ) -> impl Iterator<Item = (&'e [u8], Self)> {
        entry.sets().map(move |(key, set)| match ends {
            Some(ends) if !key.is_empty() => {
                let mut joined = set.clone();
                joined.merge(ends.clone(), limits.gap);
                (key, Self::of_set(&joined.at(hearing.now), hearing, ttl, limits))
            }
            _ => (key, Self::of_set(&set.at(hearing.now), hearing, ttl, limits)),
        })
    }

    /// What records without a time leave open, their arrival tells, if somebody listened.
    fn hear(&mut self, heard: Heard, hearing: Hearing, ttl: Option<SignedDuration>, limits: &Limits) {
        let Some(since) = hearing.since else { return };
        self.seen = self.seen.max(heard.last()).max(Some(since));
        if hearing.is_old(self.seen, ttl) {
            self.stand = Stand::Obsolete;
            return;
        }
        if let Some((from, to)) = heard.run() {
            let lasted = to.duration_since(from);
            self.lasted = self.lasted.max(lasted);
            self.is_sustained |= lasted >= limits.sustained
                && hearing.now.is_some_and(|now| now.duration_since(to) <= limits.gap);
        }
    }

    fn or(self, other: Self) -> Self {
        let (mut high, low) = if other.stand > self.stand { (other, self) } else { (self, other) };
        if high.stand == low.stand {
            high.since = match (high.since, low.since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            // Held back only if all that stand are.
            high.held = high.held.take().zip(low.held).map(|(a, b)| a.min(b));
            high.is_sustained |= low.is_sustained;
            high.lasted = high.lasted.max(low.lasted);
        }
        high.cycles = high.cycles.max(low.cycles);
        high.episodes += low.episodes;
        high.ended = high.ended.max(low.ended);
        high.seen = high.seen.max(low.seen);
        high.timed_out = high.timed_out.max(low.timed_out);
        high.has_times |= low.has_times;
        high.only_ended &= low.only_ended;
        high
    }

    fn of_set(set: &Set, hearing: Hearing, ttl: Option<SignedDuration>, limits: &Limits) -> Self {
        let now = hearing.now;
        let changes = Changes::of(set, now);
        let mut state = Self {
            seen: set.seen.max(set.heard.last()),
            episodes: changes.episodes,
            cycles: changes.cycles(now, limits),
            held: set.held_back().cloned(),
            has_times: set.seen.is_some(),
            ended: changes.closings.last().copied(),
            ..Self::plain()
        };
        state.only_ended = set.last_fire.is_none();
        let has_untimed = set.untimed_fire.or(set.untimed_end).or(set.untimed_pending).is_some();
        if has_untimed {
            // An event without a time takes the order of its line, and so do the others beside it; of one line the end
            // is the later.
            state.stand = if set.last_end.is_some() && set.last_end >= set.last_fire {
                Stand::Resolved
            } else if set.untimed_pending.is_some() && set.untimed_fire.is_none() && changes.fired.is_none() {
                Stand::Pending
            } else {
                Stand::Open
            };
        } else {
            (state.stand, state.timed_out) = changes.stand;
        }
        if matches!(state.stand, Stand::Open | Stand::Pending) {
            state.since = changes.since;
            state.is_sustained = changes.is_sustained(set, now, limits);
            state.lasted = changes.lasted(set, now);
            if has_untimed {
                state.hear(set.heard, hearing, ttl, limits);
            } else {
                // An answer about the present is true as long as nobody asks again, unless its arrivals are noted.
                state.seen = state.seen.max(hearing.since.filter(|_| set.snapshot));
                if hearing.is_old(state.seen, ttl) && (!set.snapshot || hearing.since.is_some()) {
                    state.stand = Stand::Obsolete;
                }
            }
        }
        if state.stand != Stand::Open {
            state.is_sustained = false;
        }
        state
    }
}

/// The history of a label set, drawn out.
struct Changes {
    stand: (Stand, Option<Timestamp>),
    since: Option<Timestamp>,
    fired: Option<Timestamp>,
    episodes: u32,
    /// Starts and closings, by time; a closing is true.
    all: Vec<(Timestamp, bool)>,
    closings: Vec<Timestamp>,
}

impl Changes {
    fn of(set: &Set, now: Option<Timestamp>) -> Self {
        let passed = |at: Option<Timestamp>| at.filter(|at| now.is_some_and(|now| *at <= now));
        let mut closings: Vec<Timestamp> = Vec::new();
        let mut all: Vec<(Timestamp, bool)> = Vec::new();
        let mut since = None;
        let mut newest: Option<(Timestamp, Stand, Option<Timestamp>)> = None;
        let mut ends = set.ends.keys().copied().peekable();
        let mut instants_open = false;
        for (&starts, episode) in &set.episodes {
            while let Some(end) = ends.next_if(|end| *end < starts) {
                if instants_open {
                    closings.push(end);
                    instants_open = false;
                }
                since = None;
            }
            let ended = if episode.resolved.is_told() {
                Some(episode.ended.unwrap_or(starts).max(starts))
            } else {
                passed(episode.ends.end())
            };
            let given_up = passed(episode.times_out).filter(|_| ended.is_none());
            let stand = match (ended, given_up) {
                (Some(_), _) => Stand::Resolved,
                (None, Some(_)) => Stand::Obsolete,
                (None, None) if episode.firing.is_told() => Stand::Open,
                (None, None) => Stand::Pending,
            };
            all.push((starts, false));
            if let Some(end) = ended {
                closings.push(end);
            }
            instants_open = ended.is_none() && stand == Stand::Open;
            // What was never said to be over goes on into the next episode.
            match stand {
                Stand::Open => since = since.or(Some(starts)),
                Stand::Pending => since = since.or(Some(starts)),
                Stand::Resolved | Stand::Obsolete => since = None,
            }
            newest = Some((starts, stand, given_up));
        }
        let last_run = set.runs.last();
        let last_end = set.ends.keys().next_back().copied();
        if let Some(run) = last_run {
            instants_open |= last_end.is_some_and(|end| run.from.0 <= end);
        }
        if let Some(end) = ends.next().filter(|_| instants_open) {
            closings.push(end);
        }
        let fired = newest.map(|(starts, ..)| starts).max(last_run.map(|run| run.to.0));
        let mut stand = newest.map_or((Stand::Open, None), |(_, stand, given_up)| (stand, given_up));
        if let Some(run) = last_run
            && newest.is_none_or(|(starts, stand, _)| run.to.0 > starts || stand == Stand::Pending)
        {
            stand = (Stand::Open, None);
            since = since.or(Some(run.from.0));
        }
        match (last_end, fired) {
            (Some(_), None) => stand = (Stand::Resolved, None),
            (Some(end), Some(fired)) if end >= fired => stand = (Stand::Resolved, None),
            _ => {}
        }
        let episodes = set.episodes.values().filter(|episode| !episode.instant).count();
        let instants = set.episodes.values().any(|episode| episode.instant);
        let spans = closings.len() + usize::from(stand.0 == Stand::Open);
        let episodes =
            episodes + set.runs.len() + if instants { spans.saturating_sub(episodes).max(1) } else { 0 };
        closings.sort_unstable();
        all.extend(closings.iter().map(|end| (*end, true)));
        all.sort_unstable();
        Self { stand, since, fired, episodes: episodes.max(1) as u32, all, closings }
    }

    /// Closed episodes of the flapping that goes on at `now`; 0 if none does.
    fn cycles(&self, now: Option<Timestamp>, limits: &Limits) -> u32 {
        let mut recent: Vec<Timestamp> = Vec::new();
        let mut cycles = 0u32;
        let mut last: Option<Timestamp> = None;
        for &(at, closes) in &self.all {
            let quiet = last.is_some_and(|last| at.duration_since(last) >= limits.flap_quiet);
            if quiet {
                cycles = 0;
            }
            last = Some(at);
            if !closes {
                continue;
            }
            recent.retain(|end| at.duration_since(*end) <= limits.flap_window);
            recent.push(at);
            if cycles > 0 {
                cycles += 1;
            } else if recent.len() >= limits.flaps {
                cycles = recent.len() as u32;
            }
        }
        let is_quiet = last.zip(now).is_some_and(|(last, now)| now.duration_since(last) >= limits.flap_quiet);
        if is_quiet { 0 } else { cycles }
    }

    fn lasted(&self, set: &Set, now: Option<Timestamp>) -> SignedDuration {
        let by_state = self.since.zip(now).filter(|_| !set.episodes.is_empty());
        let by_state = by_state.map(|(since, now)| now.duration_since(since));
        let by_repeats = set.runs.last().map(|run| run.to.0.duration_since(run.from.0));
        by_state.max(by_repeats).unwrap_or_default().max(SignedDuration::ZERO)
    }

    fn is_sustained(&self, set: &Set, now: Option<Timestamp>, limits: &Limits) -> bool {
        let Some(now) = now else { return false };
        let by_state = !set.episodes.is_empty()
            && self.since.is_some_and(|since| now.duration_since(since) >= limits.sustained);
        let by_repeats = set.runs.iter().any(|run| {
            run.to.0.duration_since(run.from.0) >= limits.sustained
                && now.duration_since(run.to.0) <= limits.gap
        });
        by_state || by_repeats
    }
}
