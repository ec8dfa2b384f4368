//! The history of one label set: its spans of firing and pending.

use jiff::{SignedDuration, Timestamp};

use super::alert_phase::AlertPhase;
use crate::ledger::{FiredAgain, LabelSetHistory};
use crate::record::Status;
use crate::rules::Limits;

/// The spans of firing and pending of one label set, and how each ended.
pub(crate) struct SpanHistory {
    /// By the time of the last record. The last span decides the phase.
    spans: Vec<Span>,
    /// Is there an end, with or without a known start?
    has_ends: bool,
    /// Starts (false) and ends (true), by time.
    changes: Vec<(Timestamp, bool)>,
    /// The number of episodes, at least 1.
    pub(crate) episodes: u32,
    /// The start of the last episode that may be firing again after its end.
    fired_again: Option<Timestamp>,
    /// The ends of episodes that fire again after it.
    interruptions: Vec<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    from: Timestamp,
    /// The time of the last record. Later than `from` only for a burst.
    last: Timestamp,
    phase: AlertPhase,
    /// When it was resolved or became obsolete.
    until: Option<Timestamp>,
    source: SpanSource,
}

/// The kind of record that a span comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpanSource {
    /// An episode with its start.
    Episode,
    /// A state with a time, which may continue the span before.
    State,
    /// A state that carries its own end.
    OwnEnd,
    /// A series of events.
    Burst,
}

impl Span {
    fn is_state(&self) -> bool {
        self.source != SpanSource::Burst
    }
}

impl SpanHistory {
    pub(crate) fn new(set: &LabelSetHistory, now: Option<Timestamp>, gap: SignedDuration) -> Self {
        let passed = |at: Option<Timestamp>| at.filter(|at| now.is_some_and(|now| *at <= now));
        let words = || set.status_reports.iter().map(|((at, status), word)| (*at, *status, word));
        let undated = passed(set.undated_ends.end());
        let mut ends: Vec<Timestamp> = words()
            .filter(|(_, status, _)| *status == Status::Resolved)
            .map(|(at, ..)| at)
            .chain(undated)
            .collect();
        ends.sort_unstable();
        let has_ends = !ends.is_empty();
        let first_from =
            |ends: &[Timestamp], at: Timestamp| ends.get(ends.partition_point(|end| *end < at)).copied();

        let mut spans = Vec::new();
        let mut closers = ends.clone();
        let mut fired_again = None;
        let mut interruptions = Vec::new();
        for (&from, episode) in &set.episodes {
            let reported = episode.resolved.any().then(|| episode.ended.unwrap_or(from).max(from));
            let own = match reported.map(|end| (end, episode.fired_again(end, set.arrivals.last()))) {
                Some((end, FiredAgain::No)) => Some(end),
                Some((end, FiredAgain::Perhaps)) => {
                    fired_again = Some(from);
                    Some(end)
                }
                Some((end, FiredAgain::Yes)) => {
                    interruptions.push(end);
                    passed(episode.ends.end()).filter(|next| *next > end)
                }
                None => passed(episode.ends.end()),
            };
            let timed_out = passed(episode.times_out);
            let (phase, until) = match (own, first_from(&ends, from), timed_out) {
                (Some(end), ..) => (AlertPhase::Resolved, Some(end)),
                (None, Some(end), _) => (AlertPhase::Resolved, Some(end)),
                (None, None, Some(end)) => (AlertPhase::Obsolete, Some(end)),
                (None, None, None) if episode.firing.any() => (AlertPhase::Open, None),
                (None, None, None) => (AlertPhase::Pending, None),
            };
            if let Some(end) = own {
                // A new episode begins even if the end of the one before is later.
                let next = set.episodes.after(&from).map(|(next, _)| *next);
                closers.push(next.map_or(end, |next| end.min(next)));
            }
            spans.push(Span { from, last: from, phase, until, source: SpanSource::Episode });
        }
        closers.sort_unstable();
        for (from, status, word) in words() {
            let phase = match status {
                Status::Firing => AlertPhase::Open,
                Status::Pending => AlertPhase::Pending,
                Status::Resolved | Status::Event => continue,
            };
            let (phase, until, source) =
                match (first_from(&closers, from), passed(word.ends.end()), passed(word.times_out)) {
                    (Some(end), ..) => (AlertPhase::Resolved, Some(end), SpanSource::State),
                    (None, Some(end), _) => (AlertPhase::Resolved, Some(end.max(from)), SpanSource::OwnEnd),
                    (None, None, Some(end)) => (AlertPhase::Obsolete, Some(end), SpanSource::OwnEnd),
                    (None, None, None) => (phase, None, SpanSource::State),
                };
            spans.push(Span { from, last: from, phase, until, source });
        }
        spans.extend(set.bursts.bursts(gap, &closers).into_iter().map(|run| Span {
            from: run.from,
            last: run.to,
            phase: if run.ended.is_some() { AlertPhase::Resolved } else { AlertPhase::Open },
            until: run.ended,
            source: SpanSource::Burst,
        }));
        // Of two spans with equal times, the open one decides.
        spans.sort_by_key(|span| (span.last, span.phase));
        let history = Self { has_ends, changes: Vec::new(), episodes: 0, fired_again, interruptions, spans };
        history.with_changes()
    }

    /// Finds the starts and the ends. A state that continues the span before starts nothing, and
    /// one end resolves several states.
    fn with_changes(mut self) -> Self {
        let mut before: Option<Span> = None;
        let mut closed: Option<Timestamp> = None;
        for span in &self.spans {
            let continues = span.source == SpanSource::State
                && before.is_some_and(|before| match before.phase {
                    AlertPhase::Open | AlertPhase::Pending => true,
                    AlertPhase::Resolved => before.until == span.until,
                    AlertPhase::Obsolete => false,
                });
            if !continues {
                self.episodes += 1;
                self.changes.push((span.from, false));
            }
            let is_new = span.source == SpanSource::Episode || closed != span.until;
            if let Some(until) = span.until.filter(|_| span.phase == AlertPhase::Resolved && is_new) {
                self.changes.push((until, true));
                closed = Some(until);
            }
            before = Some(*span);
        }
        self.episodes = self.episodes.max(1);
        self.changes.sort_unstable();
        self
    }

    /// The phase; `None` if no record has a time.
    pub(crate) fn phase(&self) -> Option<AlertPhase> {
        self.spans.last().map(|span| span.phase).or(self.has_ends.then_some(AlertPhase::Resolved))
    }

    /// When the source stopped reporting it, if it is obsolete.
    pub(crate) fn timed_out(&self) -> Option<Timestamp> {
        self.spans.last().filter(|span| span.phase == AlertPhase::Obsolete).and_then(|span| span.until)
    }

    /// Is the last episode resolved, and reported as firing after its end by a record that may be a
    /// late repeat? Only a later end settles that, not a record of before the end.
    pub(crate) fn has_fired_again(&self) -> bool {
        let last = self.spans.iter().rev().find(|span| span.source == SpanSource::Episode);
        last.is_some_and(|last| {
            last.phase == AlertPhase::Resolved
                && Some(last.from) == self.fired_again
                && self.spans.iter().all(|span| span.until <= last.until)
        })
    }

    /// The latest end.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        self.changes.iter().rev().find(|(_, closes)| *closes).map(|(at, _)| *at)
    }

    /// The current spans: the last one, and those before it that continue into it without an end.
    fn current(&self) -> impl Iterator<Item = &Span> {
        let last = self.spans.last().map(|span| span.phase);
        let phase = last.filter(|phase| matches!(phase, AlertPhase::Open | AlertPhase::Pending));
        self.spans.iter().rev().take_while(move |span| Some(span.phase) == phase)
    }

    /// When the current phase began.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.current().map(|span| span.from).min()
    }

    /// When the latest span began, open or not.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.spans.last().map(|span| span.from)
    }

    /// How long the state has been open, or how long the last burst lasted.
    pub(crate) fn lasted(&self, now: Option<Timestamp>) -> SignedDuration {
        let by_state = self.state_since().zip(now).map(|(since, now)| now.duration_since(since));
        let by_burst =
            self.current().find(|span| !span.is_state()).map(|run| run.last.duration_since(run.from));
        by_state.max(by_burst).unwrap_or_default().max(SignedDuration::ZERO)
    }

    /// Has it been open for the limit that makes a transient sustained?
    pub(crate) fn is_sustained(&self, now: Option<Timestamp>, limits: &Limits) -> bool {
        let Some(now) = now else { return false };
        let by_state = self.state_since().is_some_and(|since| now.duration_since(since) >= limits.sustained);
        let is_long = |span: &Span| {
            span.last.duration_since(span.from) >= limits.sustained
                && now.duration_since(span.last) <= limits.gap
        };
        by_state || self.current().any(|span| !span.is_state() && is_long(span))
    }

    fn state_since(&self) -> Option<Timestamp> {
        self.current().filter(|span| span.is_state()).map(|span| span.from).min()
    }

    /// The number of resolved episodes of the flapping at `now`; 0 if it does not flap.
    pub(crate) fn cycles(&self, now: Option<Timestamp>, limits: &Limits) -> u32 {
        if self.changes.len() + self.interruptions.len() < limits.flaps {
            return 0;
        }
        let mut recent: Vec<Timestamp> = Vec::new();
        let mut cycles = 0u32;
        let mut last: Option<Timestamp> = None;
        let interruptions = self.interruptions.iter().map(|at| (*at, true));
        let mut changes: Vec<_> = self.changes.iter().copied().chain(interruptions).collect();
        changes.sort_unstable();
        for (at, closes) in changes {
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
}
