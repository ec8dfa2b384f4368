//! The history of one label set of an alert: episodes, repeats and the newest state.
//!
//! Everything here is a union, a minimum or a maximum over the records, so that the result depends
//! neither on their order nor on how they were split over engines.

use jiff::{SignedDuration, Timestamp};

use super::announced_ends::AnnouncedEnds;
use super::arrival_span::ArrivalSpan;
use super::bursts::Bursts;
use super::newest::Newest;
use super::small_map::SmallMap;
use crate::line_cache::LineCount;
use crate::record::{Ends, Record, Status, Suppression};
use crate::source_position::SourcePosition;

/// At most this number of episodes, and of status reports, is kept per label set; older ones are
/// only counted.
const MAX_KEPT: usize = 256;

/// The history of one label set.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct LabelSetHistory {
    /// By start, for sources that send it.
    pub(crate) episodes: SmallMap<Timestamp, Episode>,
    /// States with a time and without a start; at one instant the later state wins.
    pub(crate) status_reports: SmallMap<(Timestamp, Status), StatusReport>,
    /// The times of events.
    pub(crate) bursts: Bursts,
    /// Announced ends without a start and a time, as amtool sends them: the alert fires until then.
    pub(crate) undated_ends: AnnouncedEnds,
    pub(crate) undated: UndatedRecords,
    /// The newest instant at which the source sent a record.
    pub(crate) last_seen: Option<Timestamp>,
    /// When the records arrived, if arrival times are known.
    pub(crate) arrivals: ArrivalSpan,
    /// The first and the last position of a record that is part of a snapshot of the present.
    pub(crate) snapshots: Option<(SourcePosition, SourcePosition)>,
    /// The newest acknowledge: when, if that is known, and where.
    pub(crate) acknowledged: Option<(Option<Timestamp>, SourcePosition)>,
    /// The newest record that the source suppressed.
    suppressed: Option<(Option<Timestamp>, SuppressedBy)>,
    /// Boxed, since many sources send neither.
    pub(crate) newest: Option<Box<Newest>>,
    unsuppressed: Option<Option<Timestamp>>,
    /// The records of dropped episodes and status reports.
    folded: u64,
    oldest_folded: Option<(Timestamp, SourcePosition)>,
}

/// An alert from one start to one end. A second record of a state is a repeat.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Episode {
    pending: Deliveries,
    pub(crate) firing: Deliveries,
    pub(crate) resolved: Deliveries,
    /// The latest end of a resolve; it has passed.
    pub(crate) ended: Option<Timestamp>,
    /// Announced ends of a firing record.
    pub(crate) ends: AnnouncedEnds,
    /// When the source gives the alert up.
    pub(crate) times_out: Option<Timestamp>,
    /// The newest time of a firing record, if it is later than the start.
    fired_at: Option<Timestamp>,
    /// The last positions of a firing record and of a resolve. A snapshot has no order of arrival,
    /// so its records do not count.
    last_fire: SourcePosition,
    last_end: SourcePosition,
}

/// Whether an alert is reported as firing again, with the same start, after its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FiredAgain {
    No,
    /// It arrived after the end, but may be older: a late repeat.
    Perhaps,
    /// The firing record is younger than the end.
    Yes,
}

/// A firing record that arrives this long after the end is not a late repeat of another sender.
const MAX_LATENESS: SignedDuration = SignedDuration::from_mins(5);

/// One state of an alert, reported at one time.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct StatusReport {
    /// Records of a source that sends each event once.
    keyed: Deliveries,
    unkeyed: LineCount,
    pub(crate) ends: AnnouncedEnds,
    pub(crate) times_out: Option<Timestamp>,
}

/// Records without a time: the newest position of each state.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct UndatedRecords {
    pub(crate) fire: Option<SourcePosition>,
    pub(crate) pending: Option<SourcePosition>,
    pub(crate) end: Option<SourcePosition>,
    first: Option<SourcePosition>,
    count: u64,
}

/// How often one event was delivered, and where first. A second delivery changes nothing, not even
/// positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Deliveries {
    count: u64,
    first: SourcePosition,
}

/// What suppresses the alert in its source. Ordered, so that one of two at the same instant wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SuppressedBy {
    Silenced(Box<str>),
    Inhibited(Box<str>),
}

impl Default for Deliveries {
    fn default() -> Self {
        Self { count: 0, first: SourcePosition::MAX }
    }
}

impl Deliveries {
    fn once(position: SourcePosition) -> Self {
        Self { count: 1, first: position }
    }

    fn merge(&mut self, other: Deliveries) {
        self.count += other.count;
        self.first = self.first.min(other.first);
    }

    pub(crate) fn first_position(self) -> Option<SourcePosition> {
        (self.count > 0).then_some(self.first)
    }

    pub(crate) fn any(self) -> bool {
        self.count > 0
    }

    fn repeats(self) -> u64 {
        self.count.saturating_sub(1)
    }
}

impl Episode {
    fn deliveries(&self) -> [Deliveries; 3] {
        [self.pending, self.firing, self.resolved]
    }

    fn merge(&mut self, other: &Episode) {
        self.pending.merge(other.pending);
        self.firing.merge(other.firing);
        self.resolved.merge(other.resolved);
        self.ended = self.ended.max(other.ended);
        self.ends.merge(&other.ends);
        self.times_out = self.times_out.max(other.times_out);
        self.fired_at = self.fired_at.max(other.fired_at);
        self.last_fire = self.last_fire.max(other.last_fire);
        self.last_end = self.last_end.max(other.last_end);
    }

    /// Whether it is reported as firing again after `end`. `arrived` is when the last record of the
    /// label set arrived, if that is known.
    pub(crate) fn fired_again(&self, end: Timestamp, arrived: Option<Timestamp>) -> FiredAgain {
        if self.fired_at.is_some_and(|at| at > end) {
            return FiredAgain::Yes;
        }
        // It fired, ended, and fired again. With one of these missing, the records came in another
        // order.
        let is_same_source = self.last_fire.source() == self.last_end.source();
        let is_again = self.firing.first < self.last_end && self.last_end < self.last_fire;
        if !is_same_source || !is_again {
            return FiredAgain::No;
        }
        let is_pushed = self.ends.last().is_some_and(|(pushed, at)| pushed > end && at > self.last_end);
        let is_late = arrived.is_some_and(|at| at.duration_since(end) >= MAX_LATENESS);
        if is_pushed || is_late { FiredAgain::Yes } else { FiredAgain::Perhaps }
    }

    fn records(&self) -> u64 {
        self.deliveries().iter().map(|deliveries| deliveries.count).sum()
    }

    fn first(&self) -> Option<SourcePosition> {
        self.deliveries().into_iter().filter_map(Deliveries::first_position).min()
    }
}

impl StatusReport {
    fn merge(&mut self, other: &StatusReport) {
        self.keyed.merge(other.keyed);
        self.unkeyed.add(other.unkeyed);
        self.ends.merge(&other.ends);
        self.times_out = self.times_out.max(other.times_out);
    }

    fn records(&self) -> u64 {
        self.keyed.count + self.unkeyed.count
    }

    fn first(&self) -> Option<SourcePosition> {
        let plain = (self.unkeyed.count > 0).then_some(self.unkeyed.first);
        self.keyed.first_position().into_iter().chain(plain).min()
    }

    fn last(&self) -> Option<SourcePosition> {
        let plain = (self.unkeyed.count > 0).then_some(self.unkeyed.last);
        self.keyed.first_position().max(plain)
    }
}

impl UndatedRecords {
    fn merge(&mut self, other: UndatedRecords) {
        self.fire = self.fire.max(other.fire);
        self.pending = self.pending.max(other.pending);
        self.end = self.end.max(other.end);
        self.first = self.first.into_iter().chain(other.first).min();
        self.count += other.count;
    }

    fn from_status(status: Status, position: SourcePosition) -> Self {
        let mut records = Self { first: Some(position), count: 1, ..Self::default() };
        match status {
            Status::Resolved => records.end = Some(position),
            Status::Pending => records.pending = Some(position),
            Status::Firing | Status::Event => records.fire = Some(position),
        }
        records
    }
}

impl LabelSetHistory {
    pub(crate) fn record(
        &mut self,
        position: SourcePosition,
        record: &Record<'_>,
        gap: SignedDuration,
        arrival: Option<Timestamp>,
    ) {
        match arrival {
            Some(at) if record.status == Status::Resolved => self.arrivals.restart(at),
            Some(at) => self.arrivals.extend(at, gap),
            None => {}
        }
        if record.snapshot {
            self.extend_snapshots((position, position));
        }
        if record.acknowledged && record.status != Status::Resolved {
            self.acknowledged =
                self.acknowledged.max(Some((record.acknowledged_at.or(record.time), position)));
        }
        self.last_seen = self.last_seen.max(record.newest());
        if record.status == Status::Firing {
            self.note_suppression(record);
        }
        if Newest::concerns(record) {
            self.newest.get_or_insert_default().record(position, record);
        }
        let over = match (record.status, record.ends) {
            (Status::Resolved, Ends::At(at)) => Some(at),
            _ => None,
        };
        match (record.starts, over.or(record.time), record.ends) {
            (Some(starts), ..) => self.add_episode(starts, &episode(position, record, starts)),
            (None, Some(at), _) if record.status == Status::Event && !record.keyed => {
                self.bursts.add(at, position, gap);
            }
            (None, Some(at), _) => {
                if record.status == Status::Event {
                    self.bursts.extend(at, gap);
                }
                self.add_status_report((at, record.status), &report(position, record));
            }
            // Whether the alert fires or has ended depends on the instant it is judged at.
            (None, None, Ends::At(end)) => {
                self.undated_ends.add(end, position);
                self.undated.merge(UndatedRecords {
                    first: Some(position),
                    count: 1,
                    ..UndatedRecords::default()
                });
            }
            (None, None, _) => self.undated.merge(UndatedRecords::from_status(record.status, position)),
        }
    }

    fn extend_snapshots(&mut self, (first, last): (SourcePosition, SourcePosition)) {
        let span = self.snapshots.get_or_insert((first, last));
        *span = (span.0.min(first), span.1.max(last));
    }

    fn note_suppression(&mut self, record: &Record<'_>) {
        let at = record.newest();
        let suppressed = match &record.suppression {
            Suppression::None => {
                self.unsuppressed = self.unsuppressed.max(Some(at));
                return;
            }
            Suppression::Silenced(by) => SuppressedBy::Silenced(by.as_ref().into()),
            Suppression::Inhibited(by) => SuppressedBy::Inhibited(by.as_ref().into()),
        };
        self.suppressed = self.suppressed.take().max(Some((at, suppressed)));
    }

    /// What suppresses the alert now, if anything does. At one instant an unsuppressed record wins.
    pub(crate) fn suppressed_by(&self) -> Option<&SuppressedBy> {
        let (at, suppressed) = self.suppressed.as_ref()?;
        self.unsuppressed.is_none_or(|free| free < *at).then_some(suppressed)
    }

    fn add_episode(&mut self, starts: Timestamp, episode: &Episode) {
        self.episodes.or_default(starts).merge(episode);
        while self.episodes.len() > MAX_KEPT {
            if let Some((starts, episode)) = self.episodes.pop_first() {
                self.add_folded(starts, episode.first(), episode.records());
            }
        }
    }

    fn add_status_report(&mut self, at: (Timestamp, Status), report: &StatusReport) {
        self.status_reports.or_default(at).merge(report);
        while self.status_reports.len() > MAX_KEPT {
            if let Some(((at, _), report)) = self.status_reports.pop_first() {
                self.add_folded(at, report.first(), report.records());
            }
        }
    }

    fn add_folded(&mut self, at: Timestamp, position: Option<SourcePosition>, records: u64) {
        self.folded += records;
        if let Some(position) = position {
            let oldest = self.oldest_folded.get_or_insert((at, position));
            *oldest = (*oldest).min((at, position));
        }
    }

    pub(crate) fn merge(&mut self, other: LabelSetHistory, gap: SignedDuration) {
        for (starts, episode) in &other.episodes {
            self.add_episode(*starts, episode);
        }
        for (at, report) in &other.status_reports {
            self.add_status_report(*at, report);
        }
        self.bursts.merge(other.bursts, gap);
        self.undated_ends.merge(&other.undated_ends);
        self.undated.merge(other.undated);
        self.last_seen = self.last_seen.max(other.last_seen);
        self.arrivals.merge(other.arrivals, gap);
        if let Some(snapshots) = other.snapshots {
            self.extend_snapshots(snapshots);
        }
        self.acknowledged = self.acknowledged.max(other.acknowledged);
        self.suppressed = self.suppressed.take().max(other.suppressed);
        self.unsuppressed = self.unsuppressed.max(other.unsuppressed);
        if let Some(theirs) = other.newest {
            self.newest.get_or_insert_default().merge(*theirs);
        }
        self.folded += other.folded;
        if let Some((at, position)) = other.oldest_folded {
            self.add_folded(at, Some(position), 0);
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.episodes.values().map(Episode::records).sum::<u64>()
            + self.status_reports.values().map(StatusReport::records).sum::<u64>()
            + self.bursts.records()
            + self.undated.count
            + self.folded
    }

    pub(crate) fn repeats(&self) -> u64 {
        let episodes = self.episodes.values().flat_map(Episode::deliveries);
        episodes.chain(self.status_reports.values().map(|report| report.keyed)).map(Deliveries::repeats).sum()
    }

    /// Whether a record at this position follows the end of the episode with this start.
    pub(crate) fn is_after_end(&self, starts: Timestamp, position: SourcePosition) -> bool {
        self.episodes.get(&starts).is_some_and(|episode| {
            let end = episode.last_end;
            episode.resolved.any() && end.source() == position.source() && end < position
        })
    }

    /// The newest position of a resolve with a time.
    pub(crate) fn last_timed_end(&self) -> Option<SourcePosition> {
        let episodes = self.episodes.values().filter_map(|episode| episode.resolved.first_position());
        let words = self.status_reports.iter().filter(|((_, status), _)| *status == Status::Resolved);
        episodes.chain(words.filter_map(|(_, report)| report.last())).max()
    }

    /// The newest position of any other record with a time.
    pub(crate) fn last_timed_fire(&self) -> Option<SourcePosition> {
        let episodes = self.episodes.values().flat_map(|episode| [episode.pending, episode.firing]);
        let words = self.status_reports.iter().filter(|((_, status), _)| *status != Status::Resolved);
        let positions = episodes
            .filter_map(Deliveries::first_position)
            .chain(words.filter_map(|(_, report)| report.last()));
        positions.max().max(self.bursts.last())
    }

    /// The newest position of any record but a resolve.
    pub(crate) fn last_fire(&self) -> Option<SourcePosition> {
        self.last_timed_fire().max(self.undated.fire).max(self.undated.pending)
    }

    /// The earliest and the latest record: by time, else by position.
    pub(crate) fn span(&self) -> Option<(TimedPosition, TimedPosition)> {
        let mut span: Option<(TimedPosition, TimedPosition)> = None;
        let mut add = |at: Option<Timestamp>, position: Option<SourcePosition>| {
            let Some(position) = position else { return };
            let seen = TimedPosition { at, position };
            let (first, last) = span.unwrap_or((seen, seen));
            span = Some((first.earlier(seen), last.later(seen)));
        };
        for (starts, episode) in &self.episodes {
            add(Some(*starts), episode.pending.first_position());
            add(Some(*starts), episode.firing.first_position());
            add(episode.ended.or(Some(*starts)), episode.resolved.first_position());
        }
        for ((at, _), report) in &self.status_reports {
            add(Some(*at), report.first());
            add(Some(*at), report.last());
        }
        for (at, position) in self.bursts.ends().into_iter().flatten().chain(self.oldest_folded) {
            add(Some(at), Some(position));
        }
        let undated_ends = self.undated_ends.last().map(|(_, position)| position);
        let UndatedRecords { fire, pending, end, first, .. } = self.undated;
        for position in [first, undated_ends, fire, pending, end] {
            add(None, position);
        }
        span
    }
}

/// The episode of a record with a start.
fn episode(position: SourcePosition, record: &Record<'_>, starts: Timestamp) -> Episode {
    let mut episode = Episode::default();
    let deliveries = match record.status {
        Status::Pending => &mut episode.pending,
        Status::Firing | Status::Event => &mut episode.firing,
        Status::Resolved => &mut episode.resolved,
    };
    *deliveries = Deliveries::once(position);
    match record.status {
        Status::Resolved => episode.last_end = position,
        _ if record.snapshot => {}
        Status::Firing | Status::Event => episode.last_fire = position,
        Status::Pending => {}
    }
    if record.status == Status::Firing {
        episode.fired_at = record.time.filter(|at| *at > starts);
    }
    match (record.status, record.ends) {
        (Status::Resolved, Ends::At(at) | Ends::TimesOut(at)) => episode.ended = Some(at),
        // A resolve without an end: it ended no later than the record's time, no earlier than its
        // start.
        (Status::Resolved, Ends::Open) => episode.ended = record.time.max(Some(starts)),
        (_, Ends::At(at)) => episode.ends.add(at, position),
        (_, Ends::TimesOut(at)) => episode.times_out = Some(at),
        (_, Ends::Open) => {}
    }
    episode
}

/// The status report of a record with a time and without a start.
fn report(position: SourcePosition, record: &Record<'_>) -> StatusReport {
    let mut report = StatusReport::default();
    match record.keyed {
        true => report.keyed = Deliveries::once(position),
        false => report.unkeyed = LineCount { count: 1, first: position, last: position },
    }
    match (record.status, record.ends) {
        (Status::Resolved, _) | (_, Ends::Open) => {}
        (_, Ends::At(at)) => report.ends.add(at, position),
        (_, Ends::TimesOut(at)) => report.times_out = Some(at),
    }
    report
}

/// The time and the position of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimedPosition {
    pub(crate) at: Option<Timestamp>,
    pub(crate) position: SourcePosition,
}

impl TimedPosition {
    /// Times come before positions: a line without a time is not known to be earlier.
    pub(crate) fn earlier(self, other: TimedPosition) -> TimedPosition {
        let rank = |seen: &TimedPosition| (seen.at.is_none(), seen.at, seen.position);
        if rank(&other) < rank(&self) { other } else { self }
    }

    pub(crate) fn later(self, other: TimedPosition) -> TimedPosition {
        let rank = |seen: &TimedPosition| (seen.at, seen.position);
        if rank(&other) > rank(&self) { other } else { self }
    }
}
