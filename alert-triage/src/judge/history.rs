//! What one label set went through, drawn out in time.

use jiff::{SignedDuration, Timestamp};

use super::stand::Stand;
use crate::ledger::LabelSetHistory;
use crate::record::Status;
use crate::rules::Limits;

/// Spans of firing and pending, and how each ended.
pub(crate) struct History {
    /// The one that was said last comes last, and decides.
    spans: Vec<Span>,
    /// Something was said to be over, be it known to have begun or not.
    has_ends: bool,
    /// When it began and when it closed, a closing is true; by time.
    changes: Vec<(Timestamp, bool)>,
    pub(crate) episodes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    from: Timestamp,
    /// Said last; later than `from` for a burst only.
    said: Timestamp,
    stand: Stand,
    /// Closed or given up then.
    till: Option<Timestamp>,
    told: By,
}

/// What tells of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// An episode with its start.
    Episode,
    /// A state with its time: it may go on from the span before.
    Word,
    /// A state that is over when it says so itself.
    OwnEnd,
    /// Events in a row.
    Burst,
}

impl Span {
    fn is_state(&self) -> bool {
        self.told != By::Burst
    }
}

impl History {
    pub(crate) fn of(set: &LabelSetHistory, now: Option<Timestamp>, gap: SignedDuration) -> Self {
        let passed = |at: Option<Timestamp>| at.filter(|at| now.is_some_and(|now| *at <= now));
        let words = || set.status_reports.iter().map(|((at, status), word)| (*at, *status, word));
        let loose = passed(set.undated_ends.end());
        let mut ends: Vec<Timestamp> = words()
            .filter(|(_, status, _)| *status == Status::Resolved)
            .map(|(at, ..)| at)
            .chain(loose)
            .collect();
        ends.sort_unstable();
        let has_ends = !ends.is_empty();
        let first_from =
            |ends: &[Timestamp], at: Timestamp| ends.get(ends.partition_point(|end| *end < at)).copied();

        let mut spans = Vec::new();
        let mut closers = ends.clone();
        for (&from, episode) in &set.episodes {
            let own = match episode.resolved.any() {
                true => Some(episode.ended.unwrap_or(from).max(from)),
                false => passed(episode.ends.end()),
            };
            let given_up = passed(episode.times_out);
            let (stand, till) = match (own, first_from(&ends, from), given_up) {
                (Some(end), ..) => (Stand::Resolved, Some(end)),
                (None, Some(end), _) => (Stand::Resolved, Some(end)),
                (None, None, Some(end)) => (Stand::Obsolete, Some(end)),
                (None, None, None) if episode.firing.any() => (Stand::Open, None),
                (None, None, None) => (Stand::Pending, None),
            };
            if let Some(end) = own {
                // A new episode begins whatever was said of the one before.
                let next = set.episodes.after(&from).map(|(next, _)| *next);
                closers.push(next.map_or(end, |next| end.min(next)));
            }
            spans.push(Span { from, said: from, stand, till, told: By::Episode });
        }
        closers.sort_unstable();
        for (from, status, word) in words() {
            let stand = match status {
                Status::Firing => Stand::Open,
                Status::Pending => Stand::Pending,
                Status::Resolved | Status::Event => continue,
            };
            let (stand, till, told) =
                match (first_from(&closers, from), passed(word.ends.end()), passed(word.times_out)) {
                    (Some(end), ..) => (Stand::Resolved, Some(end), By::Word),
                    (None, Some(end), _) => (Stand::Resolved, Some(end.max(from)), By::OwnEnd),
                    (None, None, Some(end)) => (Stand::Obsolete, Some(end), By::OwnEnd),
                    (None, None, None) => (stand, None, By::Word),
                };
            spans.push(Span { from, said: from, stand, till, told });
        }
        spans.extend(set.bursts.bursts(gap, &closers).into_iter().map(|run| Span {
            from: run.from,
            said: run.to,
            stand: if run.ended.is_some() { Stand::Resolved } else { Stand::Open },
            till: run.ended,
            told: By::Burst,
        }));
        // Of two that were said at once, the one that stands decides.
        spans.sort_by_key(|span| (span.said, span.stand));
        Self { has_ends, changes: Vec::new(), episodes: 0, spans }.drawn_out()
    }

    /// Finds what began and what closed. A word that finds things as they were begins nothing, and many words are closed
    /// by one end.
    fn drawn_out(mut self) -> Self {
        let mut before: Option<Span> = None;
        let mut closed: Option<Timestamp> = None;
        for span in &self.spans {
            let goes_on = span.told == By::Word
                && before.is_some_and(|before| match before.stand {
                    Stand::Open | Stand::Pending => true,
                    Stand::Resolved => before.till == span.till,
                    Stand::Obsolete => false,
                });
            if !goes_on {
                self.episodes += 1;
                self.changes.push((span.from, false));
            }
            let is_new = span.told == By::Episode || closed != span.till;
            if let Some(till) = span.till.filter(|_| span.stand == Stand::Resolved && is_new) {
                self.changes.push((till, true));
                closed = Some(till);
            }
            before = Some(*span);
        }
        self.episodes = self.episodes.max(1);
        self.changes.sort_unstable();
        self
    }

    /// None if nothing carries a time.
    pub(crate) fn stand(&self) -> Option<Stand> {
        self.spans.last().map(|span| span.stand).or(self.has_ends.then_some(Stand::Resolved))
    }

    /// When its source gave it up, if that is how it stands.
    pub(crate) fn timed_out(&self) -> Option<Timestamp> {
        self.spans.last().filter(|span| span.stand == Stand::Obsolete).and_then(|span| span.till)
    }

    /// The newest end.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        self.changes.iter().rev().find(|(_, closes)| *closes).map(|(at, _)| *at)
    }

    /// What was never said to be over goes on into what is said next: the spans that stand now.
    fn standing(&self) -> impl Iterator<Item = &Span> {
        let stand = self.spans.last().map(|span| span.stand);
        let stands = stand.filter(|stand| matches!(stand, Stand::Open | Stand::Pending));
        self.spans.iter().rev().take_while(move |span| Some(span.stand) == stands)
    }

    /// It stands since then.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.standing().map(|span| span.from).min()
    }

    /// It began last then, whether that is over or not.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.spans.last().map(|span| span.from)
    }

    /// As long as a state stands, or as long as the last burst went on.
    pub(crate) fn lasted(&self, now: Option<Timestamp>) -> SignedDuration {
        let by_state = self.state_since().zip(now).map(|(since, now)| now.duration_since(since));
        let by_burst =
            self.standing().find(|span| !span.is_state()).map(|run| run.said.duration_since(run.from));
        by_state.max(by_burst).unwrap_or_default().max(SignedDuration::ZERO)
    }

    pub(crate) fn is_sustained(&self, now: Option<Timestamp>, limits: &Limits) -> bool {
        let Some(now) = now else { return false };
        let by_state = self.state_since().is_some_and(|since| now.duration_since(since) >= limits.sustained);
        let goes_on = |span: &Span| {
            span.said.duration_since(span.from) >= limits.sustained
                && now.duration_since(span.said) <= limits.gap
        };
        by_state || self.standing().any(|span| !span.is_state() && goes_on(span))
    }

    fn state_since(&self) -> Option<Timestamp> {
        self.standing().filter(|span| span.is_state()).map(|span| span.from).min()
    }

    /// Closed episodes of the flapping that goes on at `now`; 0 if none does.
    pub(crate) fn cycles(&self, now: Option<Timestamp>, limits: &Limits) -> u32 {
        let mut recent: Vec<Timestamp> = Vec::new();
        let mut cycles = 0u32;
        let mut last: Option<Timestamp> = None;
        for &(at, closes) in &self.changes {
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
