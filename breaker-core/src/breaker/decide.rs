//! The decision: trip, would trip, or hold with a reason.

use jiff::{SignedDuration, Timestamp};

use super::machine::Breaker;
use crate::action::Attempt;
use crate::event::BreakerEvent;
use crate::policy::{CauseSet, PeerSet};
use crate::snapshot::{Hold, HoldReason, RevisionCounts, list_peers, most_frequent};
use crate::state::TripReason;
use crate::text::plural;
use crate::verdict::UnknownReason;

/// Trips of a contested target in an hour; one more is held.
const MAX_CONTESTED_TRIPS: usize = 3;

/// The number of further peers that a hold advises to count; of more, it advises to count any.
const MAX_ADVISED_PEERS: usize = 5;

impl Breaker {
    /// Decides whether a closed breaker trips.
    pub(super) fn consider(&mut self, now: Timestamp) {
        let revisions = std::mem::take(&mut self.revisions);
        if revisions.iter().all(|revision| revision.counts.counted <= revision.counts.threshold) {
            self.holds.end_would_trip();
        }
        let close = revisions.iter().any(|revision| revision.counts.at_threshold());
        self.scale.read_ahead &= close;
        if let Some(revision) = revisions.iter().find(|revision| revision.trips()) {
            self.holds.follow(revision);
            self.exceeded(revision, now);
        } else {
            if close && !self.scale.read_ahead && !self.retries.in_flight(Attempt::WriteScale) {
                self.read_scale();
            }
            let hold = self.held_by_policy(&revisions);
            match hold.or_else(|| self.held_by_clocks(revisions.first(), now)) {
                Some(hold) => self.hold_once(hold, now),
                None => self.holds.clear(),
            }
        }
        self.revisions = revisions;
    }

    fn exceeded(&mut self, revision: &RevisionCounts, now: Timestamp) {
        let only_observes = self.only_observes();
        if only_observes && self.holds.would_trip(self.episode.number).is_some() {
            return;
        }
        let hold = |reason, why| Hold::new(reason, why, Some(revision));
        if let Some(why) = self.holds.outage_guard.clone() {
            return self.hold_once(hold(HoldReason::Guard, why), now);
        }
        // What is read while a write is under way is not acted on.
        if self.hook.waits(now) || self.retries.in_flight(Attempt::WriteScale) {
            return;
        }
        if self.pods.is_stale(now) || self.holds.needs_fresh_list {
            return self.list_pods();
        }
        if let Some(why) = self.one_node_hold(&revision.revision, now) {
            return self.hold_once(hold(HoldReason::OneNode, why), now);
        }
        let Some(scale) = self.scale.last.clone().filter(|_| self.scale.read_ahead) else {
            return self.read_scale();
        };
        if scale.replicas == 0 {
            return;
        }
        let because = self.reason(revision, now);
        if only_observes {
            self.holds.set_would_trip(self.episode.number, because.clone());
            return self.emit(BreakerEvent::WouldTrip(because));
        }
        if self.contested.is_some() && self.trips_in_last_hour(now) >= MAX_CONTESTED_TRIPS {
            let why = format!(
                "another client scales it up after each trip; tripped {MAX_CONTESTED_TRIPS} times within 1h"
            );
            return self.hold_once(hold(HoldReason::Contested, why), now);
        }
        self.trip(because, scale, now);
    }

    fn trips_in_last_hour(&self, now: Timestamp) -> usize {
        let hour = SignedDuration::from_hours(1);
        self.trips.iter().filter(|at| now.duration_since(**at) < hour).count()
    }

    fn reason(&self, revision: &RevisionCounts, now: Timestamp) -> TripReason {
        let oldest = self.oldest(now);
        let counted = || {
            self.ledger
                .restarts_since(oldest)
                .filter(|r| r.revision() == revision.revision && r.counts(&self.policy))
        };
        let counts =
            |label: &str| counted().filter(|r| r.verdict().is_some_and(|v| v.label() == label)).count();
        let cause = revision.by_cause.keys().max_by_key(|label| counts(label)).cloned().unwrap_or_default();
        let peers = counted().filter_map(|restart| restart.verdict()?.peer.as_deref());
        let peer = most_frequent(peers);
        let of_peer =
            counted().filter(|r| peer.is_some() && r.verdict().and_then(|v| v.peer.as_deref()) == peer);
        let newest_of_peer = of_peer.max_by_key(|restart| restart.at()).and_then(|restart| restart.verdict());
        let newest = counted().max_by_key(|restart| restart.at()).and_then(|restart| restart.verdict());
        TripReason {
            pressed: false,
            probe_failed: false,
            counts: revision.counts,
            window: self.policy.window.to_string(),
            revision: revision.revision.clone(),
            cause,
            peer: peer.map(str::to_owned),
            peer_status: newest_of_peer.and_then(|verdict| verdict.peer_status.clone()),
            quote: newest.map(|verdict| verdict.quote.clone()).unwrap_or_default(),
        }
    }

    /// The hold for restarts that the watch has just shown and that do not count, because the
    /// clocks of the node and of the watcher differ.
    fn held_by_clocks(&mut self, revision: Option<&RevisionCounts>, now: Timestamp) -> Option<Hold> {
        let (why, total) = self.clock_skew.why(self.policy.window.oldest(now).unwrap_or(Timestamp::MIN))?;
        let hold = Hold::new(HoldReason::Clock, why, revision);
        Some(Hold { total: hold.total.saturating_add(total), ..hold })
    }

    /// The hold for restarts that all together exceed the threshold, while those whose cause and
    /// peer count do not.
    fn held_by_policy(&self, revisions: &[RevisionCounts]) -> Option<Hold> {
        let revision = revisions.iter().find(|revision| {
            let counts = revision.counts;
            !revision.superseded && revision.total > counts.threshold && counts.counted <= counts.threshold
        })?;
        let threshold = revision.counts.threshold;
        // Whatever it takes: first other peers, then other causes.
        let peers = self.peers_with(revision);
        let mut counted = revision.counts.counted + other_peers(revision);
        let mut causes: CauseSet = self.policy.causes;
        for cause in revision.other_causes(&self.policy) {
            if counted > threshold {
                break;
            }
            causes = causes.iter().chain([cause]).collect();
            counted += revision.total_of(cause);
        }
        let only_peers = causes == self.policy.causes;
        let reason = if only_peers { HoldReason::Peers } else { HoldReason::Causes };
        let hold = Hold::new(reason, self.uncounted(revision), Some(revision));
        Some(Hold { would_trip_with: (!only_peers).then_some(causes), would_trip_with_peers: peers, ..hold })
    }

    /// The peers that would have to count for every network restart to count; `None` if all do.
    fn peers_with(&self, revision: &RevisionCounts) -> Option<PeerSet> {
        if other_peers(revision) == 0 {
            return None;
        }
        let named = revision.other_peers.keys().map(String::as_str);
        let few = revision.unknown_peer == 0 && revision.other_peers.len() <= MAX_ADVISED_PEERS;
        let peers = few.then(|| PeerSet::new(self.policy.peers.globs().chain(named)).ok()).flatten();
        Some(peers.unwrap_or(PeerSet::ANY))
    }

    /// What the restarts of `revision` are, and what is missing for them to count.
    fn uncounted(&self, revision: &RevisionCounts) -> String {
        let seen: Vec<_> = revision.by_cause.iter().map(|(label, n)| format!("{label} {n}")).collect();
        let peers = match &self.policy.peers {
            peers if peers.is_any() => String::new(),
            peers => format!(" and a peer that counts ({peers})"),
        };
        let mut why = format!(
            "{}, limit {}; {} with a cause that counts ({}){peers}; by cause: {}",
            plural(revision.total, "restart"),
            revision.counts.threshold,
            revision.counts.counted,
            self.policy.causes,
            seen.join(", ")
        );
        if !revision.other_peers.is_empty() {
            why.push_str(&format!("; other peers: {}", list_peers(&revision.other_peers)));
        }
        if revision.unknown_peer > 0 {
            why.push_str(&format!("; {} network without a known peer", revision.unknown_peer));
        }
        for (rule, n) in &revision.missing {
            why.push_str(&format!("; {n} unknown: {}", UnknownReason::describe(rule)));
        }
        if let Some((_, quote)) = &revision.unread {
            why.push_str(&format!(", the newest says \"{quote}\": `watcher explain` prints a rule for it"));
        }
        why
    }
}

/// Network restarts that do not count because of their peer.
fn other_peers(revision: &RevisionCounts) -> u32 {
    revision.other_peers.values().sum::<u32>() + revision.unknown_peer
}
