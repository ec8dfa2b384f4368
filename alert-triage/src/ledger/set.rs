//! What is known of one label set of an alert: episodes, repeats, the newest word.
//!
//! Everything here is a union, a minimum or a maximum over the records seen, so that neither their order nor the way
//! they were split over engines can be told from the result.

use jiff::{SignedDuration, Timestamp};

use super::announced::Announced;
use super::bursts::Bursts;
use super::heard::Heard;
use super::plain::Plain;
use super::sorted::Sorted;
use crate::place::Place;
use crate::record::{Ends, Held, Record, Status};

/// Episodes kept of one label set, and words; of older ones only the count remains.
const KEPT: usize = 256;

/// One label set.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Set {
    /// By start, of a source that tells it.
    pub(crate) episodes: Sorted<Timestamp, Episode>,
    /// What was said at a time and with no start; of one instant the later state is the stronger word.
    pub(crate) words: Sorted<(Timestamp, Status), Word>,
    /// When a source that never says "over" said it.
    pub(crate) bursts: Bursts,
    /// Ends announced with no start and no time, as amtool sends them: fires until then.
    pub(crate) loose: Announced,
    pub(crate) untimed: Untimed,
    /// The newest instant at which it was known to be told.
    pub(crate) seen: Option<Timestamp>,
    /// When its records arrived, if anybody listened.
    pub(crate) heard: Heard,
    /// Part of an answer about the present.
    pub(crate) snapshot: bool,
    /// The newest record that the source held back, and the newest that it did not.
    held: Option<(Option<Timestamp>, HeldBack)>,
    free: Option<Option<Timestamp>>,
    /// Records of what is no longer kept.
    folded: u64,
    oldest_folded: Option<(Timestamp, Place)>,
}

/// From one start to one end. Its records are keyed: what is told again is a repeat.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Episode {
    pending: Told,
    pub(crate) firing: Told,
    pub(crate) resolved: Told,
    /// The latest end told with it; for a resolved one it is past.
    pub(crate) ended: Option<Timestamp>,
    /// Over then, unless moved.
    pub(crate) ends: Announced,
    /// Given up then.
    pub(crate) times_out: Option<Timestamp>,
}

/// What was said at one time, in one state.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Word {
    /// By a source that says each thing once.
    keyed: Told,
    plain: Plain,
    pub(crate) ends: Announced,
    pub(crate) times_out: Option<Timestamp>,
}

/// Records without a time, by the newest place of each state.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Untimed {
    pub(crate) fire: Option<Place>,
    pub(crate) pending: Option<Place>,
    pub(crate) end: Option<Place>,
    first: Option<Place>,
    count: u64,
}

/// How often a thing was told that is told once, and where first: what is delivered again must change nothing, places
/// included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Told {
    count: u64,
    first: Place,
}

/// By what the source held it back; ordered, so that two of one instant have a winner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HeldBack {
    Silenced(Box<str>),
    Inhibited(Box<str>),
}

impl Default for Told {
    fn default() -> Self {
        Self { count: 0, first: Place::MAX }
    }
}

impl Told {
    fn once(place: Place) -> Self {
        Self { count: 1, first: place }
    }

    fn merge(&mut self, other: Told) {
        self.count += other.count;
        self.first = self.first.min(other.first);
    }

    pub(crate) fn place(self) -> Option<Place> {
        (self.count > 0).then_some(self.first)
    }

    pub(crate) fn is_told(self) -> bool {
        self.count > 0
    }

    fn repeats(self) -> u64 {
        self.count.saturating_sub(1)
    }
}

impl Episode {
    fn told(&self) -> [Told; 3] {
        [self.pending, self.firing, self.resolved]
    }

    fn merge(&mut self, other: &Episode) {
        self.pending.merge(other.pending);
        self.firing.merge(other.firing);
        self.resolved.merge(other.resolved);
        self.ended = self.ended.max(other.ended);
        self.ends.merge(&other.ends);
        self.times_out = self.times_out.max(other.times_out);
    }

    fn records(&self) -> u64 {
        self.told().iter().map(|told| told.count).sum()
    }

    fn first(&self) -> Option<Place> {
        self.told().into_iter().filter_map(Told::place).min()
    }
}

impl Word {
    fn merge(&mut self, other: &Word) {
        self.keyed.merge(other.keyed);
        self.plain.add(other.plain);
        self.ends.merge(&other.ends);
        self.times_out = self.times_out.max(other.times_out);
    }

    fn records(&self) -> u64 {
        self.keyed.count + self.plain.count
    }

    fn first(&self) -> Option<Place> {
        let plain = (self.plain.count > 0).then_some(self.plain.first);
        self.keyed.place().into_iter().chain(plain).min()
    }

    fn last(&self) -> Option<Place> {
        let plain = (self.plain.count > 0).then_some(self.plain.last);
        self.keyed.place().max(plain)
    }
}

impl Untimed {
    fn merge(&mut self, other: Untimed) {
        self.fire = self.fire.max(other.fire);
        self.pending = self.pending.max(other.pending);
        self.end = self.end.max(other.end);
        self.first = self.first.into_iter().chain(other.first).min();
        self.count += other.count;
    }

    fn told(status: Status, place: Place) -> Self {
        let mut told = Self { first: Some(place), count: 1, ..Self::default() };
        match status {
            Status::Resolved => told.end = Some(place),
            Status::Pending => told.pending = Some(place),
            Status::Firing | Status::Event => told.fire = Some(place),
        }
        told
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
        let over = match (record.status, record.ends) {
            (Status::Resolved, Ends::At(at)) => Some(at),
            _ => None,
        };
        match (record.starts, over.or(record.time), record.ends) {
            (Some(starts), ..) => self.episode(starts, &episode(place, record, starts)),
            (None, Some(at), _) if record.status == Status::Event && !record.keyed => {
                self.bursts.tell(at, place, gap);
            }
            (None, Some(at), _) => {
                if record.status == Status::Event {
                    self.bursts.touch(at, gap);
                }
                self.word((at, record.status), &word(place, record));
            }
            // Whether it fires or has ended is for the judge's now to say.
            (None, None, Ends::At(end)) => {
                self.loose.tell(end, place);
                self.untimed.merge(Untimed { first: Some(place), count: 1, ..Untimed::default() });
            }
            (None, None, _) => self.untimed.merge(Untimed::told(record.status, place)),
        }
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
        self.episodes.or_default(starts).merge(told);
        while self.episodes.len() > KEPT {
            if let Some((starts, episode)) = self.episodes.pop_first() {
                self.folded(starts, episode.first(), episode.records());
            }
        }
    }

    fn word(&mut self, at: (Timestamp, Status), told: &Word) {
        self.words.or_default(at).merge(told);
        while self.words.len() > KEPT {
            if let Some(((at, _), word)) = self.words.pop_first() {
                self.folded(at, word.first(), word.records());
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

    pub(crate) fn merge(&mut self, other: Set, gap: SignedDuration) {
        for (starts, episode) in &other.episodes {
            self.episode(*starts, episode);
        }
        for (at, word) in &other.words {
            self.word(*at, word);
        }
        self.bursts.merge(other.bursts, gap);
        self.loose.merge(&other.loose);
        self.untimed.merge(other.untimed);
        self.seen = self.seen.max(other.seen);
        self.heard.merge(other.heard, gap);
        self.snapshot |= other.snapshot;
        self.held = self.held.take().max(other.held);
        self.free = self.free.max(other.free);
        self.folded += other.folded;
        if let Some((at, place)) = other.oldest_folded {
            self.folded(at, Some(place), 0);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.episodes.values().map(Episode::records).sum::<u64>()
            + self.words.values().map(Word::records).sum::<u64>()
            + self.bursts.records()
            + self.untimed.count
            + self.folded
    }

    pub(crate) fn repeats(&self) -> u64 {
        let episodes = self.episodes.values().flat_map(Episode::told);
        episodes.chain(self.words.values().map(|word| word.keyed)).map(Told::repeats).sum()
    }

    /// The newest place of an end that carries a time.
    pub(crate) fn last_timed_end(&self) -> Option<Place> {
        let episodes = self.episodes.values().filter_map(|episode| episode.resolved.place());
        let words = self.words.iter().filter(|((_, status), _)| *status == Status::Resolved);
        episodes.chain(words.filter_map(|(_, word)| word.last())).max()
    }

    /// The newest place of anything else that carries a time.
    pub(crate) fn last_timed_fire(&self) -> Option<Place> {
        let episodes = self.episodes.values().flat_map(|episode| [episode.pending, episode.firing]);
        let words = self.words.iter().filter(|((_, status), _)| *status != Status::Resolved);
        let told = episodes.filter_map(Told::place).chain(words.filter_map(|(_, word)| word.last()));
        told.max().max(self.bursts.last())
    }

    /// The newest place of anything but an end.
    pub(crate) fn last_fire(&self) -> Option<Place> {
        self.last_timed_fire().max(self.untimed.fire).max(self.untimed.pending)
    }

    /// Earliest and latest record: by time, where there is one, else by place.
    pub(crate) fn span(&self) -> Option<(Seen, Seen)> {
        let mut span: Option<(Seen, Seen)> = None;
        let mut add = |at: Option<Timestamp>, place: Option<Place>| {
            let Some(place) = place else { return };
            let seen = Seen { at, place };
            let (first, last) = span.unwrap_or((seen, seen));
            span = Some((first.earlier(seen), last.later(seen)));
        };
        for (starts, episode) in &self.episodes {
            add(Some(*starts), episode.pending.place());
            add(Some(*starts), episode.firing.place());
            add(episode.ended.or(Some(*starts)), episode.resolved.place());
        }
        for ((at, _), word) in &self.words {
            add(Some(*at), word.first());
            add(Some(*at), word.last());
        }
        for (at, place) in self.bursts.ends().into_iter().flatten().chain(self.oldest_folded) {
            add(Some(at), Some(place));
        }
        let loose = self.loose.last().map(|(_, place)| place);
        let Untimed { fire, pending, end, first, .. } = self.untimed;
        for place in [first, loose, fire, pending, end] {
            add(None, place);
        }
        span
    }
}

/// What a record with a start tells.
fn episode(place: Place, record: &Record<'_>, starts: Timestamp) -> Episode {
    let mut episode = Episode::default();
    let told = match record.status {
        Status::Pending => &mut episode.pending,
        Status::Firing | Status::Event => &mut episode.firing,
        Status::Resolved => &mut episode.resolved,
    };
    *told = Told::once(place);
    match (record.status, record.ends) {
        (Status::Resolved, Ends::At(at) | Ends::TimesOut(at)) => episode.ended = Some(at),
        // An end by status alone: no later than it was said, no earlier than it began.
        (Status::Resolved, Ends::Open) => episode.ended = record.time.max(Some(starts)),
        (_, Ends::At(at)) => episode.ends.tell(at, place),
        (_, Ends::TimesOut(at)) => episode.times_out = Some(at),
        (_, Ends::Open) => {}
    }
    episode
}

/// What a record with a time and no start tells.
fn word(place: Place, record: &Record<'_>) -> Word {
    let mut word = Word::default();
    match record.keyed {
        true => word.keyed = Told::once(place),
        false => word.plain = Plain { count: 1, first: place, last: place },
    }
    match (record.status, record.ends) {
        (Status::Resolved, _) | (_, Ends::Open) => {}
        (_, Ends::At(at)) => word.ends.tell(at, place),
        (_, Ends::TimesOut(at)) => word.times_out = Some(at),
    }
    word
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
        let rank = |seen: &Seen| (seen.at.is_none(), seen.at, seen.place);
        if rank(&other) < rank(&self) { other } else { self }
    }

    pub(crate) fn later(self, other: Seen) -> Seen {
        let rank = |seen: &Seen| (seen.at, seen.place);
        if rank(&other) > rank(&self) { other } else { self }
    }
}
