//! What is known of one label set of an alert: episodes, repeats, the newest word.
//!
//! Everything here is a union, a minimum or a maximum over the records seen, so that neither their order nor the way
//! they were split over engines can be told from the result.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::announced::Announced;
use super::live::Heard;
use crate::place::Place;
use crate::record::{Ends, Held, Record, Status};

/// Episodes kept of one label set; of older ones only the count remains.
const EPISODES: usize = 256;

/// Runs kept of one label set; 24 runs with gaps of 15 minutes reach back 6 hours and more.
const RUNS: usize = 24;

/// One label set.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Set {
    /// By start. A source without starts has one for each time it said something.
    pub(crate) episodes: BTreeMap<Timestamp, Episode>,
    /// When a source that never says "over" said it, gaps up to the limit closed; by time.
    pub(crate) runs: Vec<Run>,
    /// Ends that were told with no start.
    pub(crate) ends: BTreeMap<Timestamp, End>,
    /// Ends announced with no start and no time, as amtool sends them: fires until then.
    loose: Announced,
    /// The newest places of records without a time.
    pub(crate) untimed_fire: Option<Place>,
    pub(crate) untimed_pending: Option<Place>,
    pub(crate) untimed_end: Option<Place>,
    /// The newest places of any record.
    pub(crate) last_fire: Option<Place>,
    pub(crate) last_end: Option<Place>,
    first_untimed: Option<Place>,
    /// The newest instant at which it was known to be told.
    pub(crate) seen: Option<Timestamp>,
    /// When its records arrived, if anybody listened.
    pub(crate) heard: Heard,
    /// Part of an answer about the present.
    pub(crate) snapshot: bool,
    /// The newest record that the source held back, and the newest that it did not.
    pub(crate) held: Option<(Option<Timestamp>, HeldBack)>,
    pub(crate) free: Option<Option<Timestamp>>,
    /// Records without a time, and those of episodes no longer kept.
    untimed: u64,
    folded: u64,
    oldest_folded: Option<(Timestamp, Place)>,
}

/// From one start to one end.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Episode {
    pub(crate) pending: Told,
    pub(crate) firing: Told,
    pub(crate) resolved: Told,
    /// The latest end told with it; for a resolved one it is past.
    pub(crate) ended: Option<Timestamp>,
    /// Over then, unless moved.
    pub(crate) ends: Announced,
    /// Given up then.
    pub(crate) times_out: Option<Timestamp>,
    /// Said without a start: repeats count, and a later end closes it.
    pub(crate) instant: bool,
}

/// An end told with no start.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct End {
    pub(crate) told: Told,
    keyed: bool,
}

impl End {
    fn merge(&mut self, other: End) {
        self.told.merge(other.told);
        self.keyed |= other.keyed;
    }
}

/// How often a thing was told, and where first.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Told {
    pub(crate) count: u64,
    pub(crate) place: Option<Place>,
}

/// Times without a gap longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) from: (Timestamp, Place),
    pub(crate) to: (Timestamp, Place),
    pub(crate) count: u64,
}

/// By what the source held it back; ordered, so that two of one instant have a winner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HeldBack {
    Silenced(Box<str>),
    Inhibited(Box<str>),
}

impl Told {
    fn tell(&mut self, place: Place) {
        self.count += 1;
        self.place = earliest(self.place, Some(place));
    }

    fn merge(&mut self, other: Told) {
        self.count += other.count;
        self.place = earliest(self.place, other.place);
    }

    pub(crate) fn is_told(self) -> bool {
        self.count > 0
    }

    /// Beyond the first.
    fn repeats(self) -> u64 {
        self.count.saturating_sub(1)
    }
}

impl Episode {
    fn merge(&mut self, other: &Episode) {
        self.pending.merge(other.pending);
        self.firing.merge(other.firing);
        self.resolved.merge(other.resolved);
        self.ended = self.ended.max(other.ended);
        self.ends.merge(&other.ends);
        self.times_out = self.times_out.max(other.times_out);
        self.instant |= other.instant;
    }

    fn records(&self) -> u64 {
        self.pending.count + self.firing.count + self.resolved.count
    }

    fn repeats(&self) -> u64 {
        if self.instant {
            return 0;
        }
        self.pending.repeats() + self.firing.repeats() + self.resolved.repeats()
    }
}

fn earliest(a: Option<Place>, b: Option<Place>) -> Option<Place> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Set {
    pub(crate) fn record(
        &mut self,
        place: Place,
        record: &Record<'_>,
        gap: SignedDuration,
        arrival: Option<Timestamp>,
    ) {
        match arrival {
            Some(at) if record.status == Status::Resolved => self.heard.restart(at),
            Some(at) => self.heard.hear(at, gap),
            None => {}
        }
        self.snapshot |= record.snapshot;
        self.seen = self.seen.max(record.newest());
        if record.status == Status::Firing {
            self.held_or_free(record);
        }
        // What is delivered again must change nothing, places included.
        match (record.status, record.ends, record.starts.or(record.time)) {
            (Status::Resolved, ..) => self.last_end = self.last_end.max(Some(place)),
            // Whether it fires or has ended is for the judge's now to say.
            (Status::Firing, Ends::At(end), None) => return self.loose(end, place),
            _ => self.last_fire = self.last_fire.max(Some(place)),
        }
        match (record.status, record.starts, record.time) {
            (Status::Event, _, Some(at)) => {
                self.run(Run { from: (at, place), to: (at, place), count: 1 }, gap)
            }
            (status, Some(starts), _) => {
                let mut episode = Episode::default();
                episode.told(status).tell(place);
                match (status, record.ends) {
                    (Status::Resolved, Ends::At(at) | Ends::TimesOut(at)) => episode.ended = Some(at),
                    // An end by status alone: no later than it was said, no earlier than it began.
                    (Status::Resolved, Ends::Open) => episode.ended = record.time.max(Some(starts)),
                    (_, Ends::At(at)) => episode.ends.tell(at, place),
                    (_, Ends::TimesOut(at)) => episode.times_out = Some(at),
                    (_, Ends::Open) => {}
                }
                self.episode(starts, &episode);
            }
            (Status::Resolved, None, _) if record.time.is_some() || matches!(record.ends, Ends::At(_)) => {
                let at = match record.ends {
                    Ends::At(at) => Some(at),
                    _ => record.time,
                };
                if let Some(at) = at {
                    let mut end = End { keyed: record.keyed, ..End::default() };
                    end.told.tell(place);
                    self.ends.entry(at).or_default().merge(end);
                    self.fold_ends();
                }
            }
            (status, None, Some(at)) => {
                let mut episode = Episode { instant: !record.keyed, ..Episode::default() };
                episode.told(status).tell(place);
                match record.ends {
                    Ends::At(end) => episode.ends.tell(end, place),
                    Ends::TimesOut(end) => episode.times_out = Some(end),
                    Ends::Open => {}
                }
                self.episode(at, &episode);
            }
            (status, None, None) => {
                let newest = match status {
                    Status::Resolved => &mut self.untimed_end,
                    Status::Pending => &mut self.untimed_pending,
                    Status::Firing | Status::Event => &mut self.untimed_fire,
                };
                *newest = (*newest).max(Some(place));
                self.first_untimed = earliest(self.first_untimed, Some(place));
                self.untimed += 1;
            }
        }
    }

    fn loose(&mut self, end: Timestamp, place: Place) {
        self.loose.tell(end, place);
        self.first_untimed = earliest(self.first_untimed, Some(place));
        self.untimed += 1;
    }

    /// As known at `now`: an end announced with no start has passed, or the alert fires without a time.
    pub(crate) fn at(&self, now: Option<Timestamp>) -> Cow<'_, Self> {
        let Some((end, place)) = self.loose.last() else { return Cow::Borrowed(self) };
        let mut set = self.clone();
        let place = Some(place);
        if now.is_some_and(|now| end <= now) {
            set.ends.entry(end).or_default();
            set.last_end = set.last_end.max(place);
        } else {
            set.untimed_fire = set.untimed_fire.max(place);
            set.last_fire = set.last_fire.max(place);
        }
        Cow::Owned(set)
    }

    fn held_or_free(&mut self, record: &Record<'_>) {
        let at = record.newest();
        let held = match &record.held {
            Held::No => {
                self.free = self.free.max(Some(at));
                return;
            }
            Held::Silenced(by) => HeldBack::Silenced(by.as_ref().into()),
            Held::Inhibited(by) => HeldBack::Inhibited(by.as_ref().into()),
        };
        self.held = self.held.take().max(Some((at, held)));
    }

    /// By what the source holds it back now, if it does; of two words of one instant the louder is believed.
    pub(crate) fn held_back(&self) -> Option<&HeldBack> {
        let (at, held) = self.held.as_ref()?;
        self.free.is_none_or(|free| free < *at).then_some(held)
    }

    fn episode(&mut self, starts: Timestamp, told: &Episode) {
        self.episodes.entry(starts).or_default().merge(told);
        self.fold_episodes();
    }

    fn fold_episodes(&mut self) {
        while self.episodes.len() > EPISODES {
            if let Some((starts, episode)) = self.episodes.pop_first() {
                let place = [episode.pending, episode.firing, episode.resolved]
                    .into_iter()
                    .fold(None, |first, told| earliest(first, told.place));
                self.folded(starts, place, episode.records());
            }
        }
    }

    fn fold_ends(&mut self) {
        while self.ends.len() > EPISODES {
            if let Some((at, end)) = self.ends.pop_first() {
                self.folded(at, end.told.place, end.told.count);
            }
        }
    }

    fn folded(&mut self, at: Timestamp, place: Option<Place>, records: u64) {
        self.folded += records;
        if let Some(place) = place {
            let oldest = self.oldest_folded.get_or_insert((at, place));
            *oldest = (*oldest).min((at, place));
        }
    }

    fn run(&mut self, mut run: Run, gap: SignedDuration) {
        let joins = |a: &Run, b: &Run| {
            a.from.0.duration_since(b.to.0) <= gap && b.from.0.duration_since(a.to.0) <= gap
        };
        let start = self.runs.partition_point(|known| known.to.0 < run.from.0 && !joins(known, &run));
        let mut end = start;
        while let Some(known) = self.runs.get(end).filter(|known| joins(known, &run)) {
            run.from = run.from.min(known.from);
            run.to = run.to.max(known.to);
            run.count += known.count;
            end += 1;
        }
        self.runs.splice(start..end, [run]);
        if self.runs.len() > RUNS {
            let oldest = self.runs.remove(0);
            self.folded(oldest.from.0, Some(oldest.from.1), oldest.count);
        }
    }

    pub(crate) fn merge(&mut self, other: Set, gap: SignedDuration) {
        for (starts, episode) in &other.episodes {
            self.episode(*starts, episode);
        }
        for run in other.runs {
            self.run(run, gap);
        }
        for (at, end) in other.ends {
            self.ends.entry(at).or_default().merge(end);
        }
        self.fold_ends();
        self.loose.merge(&other.loose);
        self.untimed_fire = self.untimed_fire.max(other.untimed_fire);
        self.untimed_pending = self.untimed_pending.max(other.untimed_pending);
        self.untimed_end = self.untimed_end.max(other.untimed_end);
        self.last_fire = self.last_fire.max(other.last_fire);
        self.last_end = self.last_end.max(other.last_end);
        self.first_untimed = earliest(self.first_untimed, other.first_untimed);
        self.seen = self.seen.max(other.seen);
        self.heard.merge(other.heard, gap);
        self.snapshot |= other.snapshot;
        self.held = self.held.take().max(other.held);
        self.free = self.free.max(other.free);
        self.untimed += other.untimed;
        self.folded += other.folded;
        if let Some(oldest) = other.oldest_folded {
            let mine = self.oldest_folded.get_or_insert(oldest);
            *mine = (*mine).min(oldest);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.episodes.values().map(Episode::records).sum::<u64>()
            + self.runs.iter().map(|run| run.count).sum::<u64>()
            + self.ends.values().map(|end| end.told.count).sum::<u64>()
            + self.untimed
            + self.folded
    }

    pub(crate) fn repeats(&self) -> u64 {
        let ends = self.ends.values().filter(|end| end.keyed).map(|end| end.told.repeats());
        self.episodes.values().map(Episode::repeats).sum::<u64>() + ends.sum::<u64>()
    }

    /// Earliest and latest record: by time, where there is one, else by place.
    pub(crate) fn span(&self) -> Option<(Seen, Seen)> {
        let mut first: Option<Seen> = None;
        let mut last: Option<Seen> = None;
        let mut add = |at: Option<Timestamp>, place: Place| {
            let seen = Seen { at, place };
            first = Some(first.map_or(seen, |first| first.earlier(seen)));
            last = Some(last.map_or(seen, |last| last.later(seen)));
        };
        for (starts, episode) in &self.episodes {
            for (told, at) in [
                (episode.pending, Some(*starts)),
                (episode.firing, Some(*starts)),
                (episode.resolved, episode.ended.or(Some(*starts))),
            ] {
                if let Some(place) = told.place {
                    add(at, place);
                }
            }
        }
        for run in &self.runs {
            add(Some(run.from.0), run.from.1);
            add(Some(run.to.0), run.to.1);
        }
        for (at, end) in &self.ends {
            if let Some(place) = end.told.place {
                add(Some(*at), place);
            }
        }
        if let Some((at, place)) = self.oldest_folded {
            add(Some(at), place);
        }
        let loose = self.loose.last().map(|(_, place)| place);
        for place in [self.first_untimed, loose, self.untimed_fire, self.untimed_pending, self.untimed_end]
            .into_iter()
            .flatten()
        {
            add(None, place);
        }
        first.zip(last)
    }
}

impl Episode {
    fn told(&mut self, status: Status) -> &mut Told {
        match status {
            Status::Pending => &mut self.pending,
            Status::Firing | Status::Event => &mut self.firing,
            Status::Resolved => &mut self.resolved,
        }
    }
}

/// When and where a record was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) at: Option<Timestamp>,
    pub(crate) place: Place,
}

impl Seen {
    /// Times come before places: a line without a time says nothing of when.
    pub(crate) fn earlier(self, other: Seen) -> Seen {
        match (self.at, other.at) {
            (Some(a), Some(b)) => {
                if (b, other.place) < (a, self.place) {
                    other
                } else {
                    self
                }
            }
            (Some(_), None) => self,
            (None, Some(_)) => other,
            (None, None) => {
                if other.place < self.place {
                    other
                } else {
                    self
                }
            }
        }
    }

    pub(crate) fn later(self, other: Seen) -> Seen {
        match (self.at, other.at) {
            (Some(a), Some(b)) => {
                if (b, other.place) > (a, self.place) {
                    other
                } else {
                    self
                }
            }
            (Some(_), None) => self,
            (None, Some(_)) => other,
            (None, None) => {
                if other.place > self.place {
                    other
                } else {
                    self
                }
            }
        }
    }
}
