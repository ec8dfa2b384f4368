//! Engines that are never done: when records arrive, and forgetting what is long over.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::judge::alert_phase::AlertPhase;
use crate::judge::alert_state::{AlertState, Clock};
use crate::judge::{AlertIx, Evaluation, Flags, ListIndex as _};
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::Retired;
use crate::report;

impl Engine {
    /// Says that what is read from now on arrives at `at`, for whoever reads a source as it is written. Times that
    /// records carry still come first.
    ///
    /// An alert that arrives is seen then, so that one whose records carry no time, or only that of their start, becomes
    /// obsolete when it is not heard of for its TTL; of what was read before the first call it is known that it was said
    /// no later than that. Lines without a time that keep arriving are known to last, so that a transient can become
    /// sustained.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules, Verdict};
    /// use jiff::{SignedDuration, Timestamp};
    ///
    /// let (mut engine, noon) = (Engine::new(Rules::builtin()), Timestamp::from_second(1_795_521_600)?);
    /// let log = engine.add_source("tickets.log");
    /// engine.set_arrival(noon);
    /// engine.read_on(log, Format::Lines, b"Zone AB: LLMModelStale\n");
    /// let mut verdict = |hours| engine.report(Some(noon + SignedDuration::from_hours(hours))).incidents().next().unwrap().state;
    /// assert_eq!((verdict(23), verdict(25)), (Verdict::Active, Verdict::Obsolete));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn set_arrival(&mut self, at: Timestamp) {
        // Lines that are only counted so far were heard until now.
        if self.arrival.is_none_or(|before| before.as_second() != at.as_second()) {
            self.flush_line_counts();
        }
        self.arrival = Some(at);
        self.arrivals_since.get_or_insert(at);
    }

    /// How many lines and records could not be read so far.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Takes out the malformed lines kept so far, the first [`MALFORMED_KEPT`](crate::MALFORMED_KEPT) since the last
    /// call, by place. Whoever reads a source without end tells of them as they come; a report counts them still, and
    /// lists them no more.
    pub fn take_malformed(&mut self) -> Vec<report::Malformed> {
        let offsets = self.offsets();
        std::mem::take(&mut self.faults)
            .into_iter()
            .map(|((position, _), malformed)| report::Malformed::new(self, &offsets, position, &malformed))
            .collect()
    }

    /// Forgets alerts that are resolved or obsolete at `now` and of which nothing was heard for longer than `keep`;
    /// answers how many. Without it an engine remembers all it ever read, up to the rules' limit on identities, and
    /// takes ever longer to judge it.
    ///
    /// Nothing that stands, is pending or flaps is forgotten, nor what no time is known of. The records stay in the
    /// totals as [`retired`](crate::Totals::retired). A `keep` of less than the longest time-out of a source, or than
    /// the flapping window, may make an alert look new that came back.
    pub fn retire(&mut self, now: Timestamp, keep: SignedDuration) -> u64 {
        self.flush_line_counts();
        let evaluation = Evaluation::new(self, Some(now));
        let is_past = |state: &AlertState| {
            let last = state.seen.max(state.ended).max(state.timed_out).or(self.arrivals_since);
            matches!(state.phase, AlertPhase::Resolved | AlertPhase::Obsolete)
                && last.is_some_and(|last| now.duration_since(last) > keep)
        };
        let clock = Clock { now: Some(now), arrivals_since: self.arrivals_since };
        let mut gone = Vec::with_capacity(self.entries.len());
        let mut over: Vec<(usize, Vec<Box<[u8]>>)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let alert = AlertIx::new(at);
            let verdict = &evaluation.alerts[alert];
            let is_closed = matches!(verdict.phase, AlertPhase::Resolved | AlertPhase::Obsolete);
            let is_gone =
                is_closed && !verdict.flags.contains(Flags::FLAPPING) && is_past(&evaluation.state(alert));
            gone.push(is_gone);
            // Pods of a workload come and go while its alert stands.
            if !is_gone && entry.label_sets().nth(1).is_some() {
                let identity = entry.identity();
                let ttl = self
                    .rules
                    .is_on("ttl")
                    .then(|| self.rules.ttl(identity.alert, |name| identity.label(name)));
                let sets: Vec<Box<[u8]>> =
                    AlertState::of_sets(entry, &self.keyed_ends, clock, ttl, self.rules.limits())
                        .filter(|(_, state)| state.cycles == 0 && is_past(state))
                        .map(|(key, _)| key.into())
                        .collect();
                if !sets.is_empty() {
                    over.push((at, sets));
                }
            }
        }
        for (at, sets) in over {
            self.entries[at].retire_label_sets(&sets);
        }
        let forgotten = gone.iter().filter(|gone| **gone).count() as u64;
        if forgotten > 0 {
            self.forget(&gone);
        }
        self.forget_keys(now, keep);
        forgotten
    }

    /// Drops those entries; everything that knew them by their number starts anew.
    fn forget(&mut self, gone: &[bool]) {
        self.line_cache.clear();
        self.eviction_heap = None;
        self.index.clear();
        let entries = std::mem::take(&mut self.entries);
        for (entry, gone) in entries.into_iter().zip(gone) {
            if *gone {
                self.retired.add(Retired { records: entry.records(), repeats: entry.repeats() });
            } else {
                self.entries.push(entry);
            }
        }
        self.entries.shrink_to_fit();
        let entries = &self.entries;
        for (at, entry) in entries.iter().enumerate() {
            self.index.insert_unique(entry.hash, at as u32, |&at| entries[at as usize].hash);
        }
    }

    /// Drops ends whose alert nobody knows any more.
    fn forget_keys(&mut self, now: Timestamp, keep: SignedDuration) {
        let held: HashSet<&str> =
            self.entries.iter().flat_map(AlertEntry::keyed_label_sets).map(|(key, _)| key).collect();
        let mut retired = Retired::default();
        let since = self.arrivals_since;
        self.keyed_ends.retain(|key, set| {
            let last = set.last_seen.max(set.arrivals.last()).or(since);
            let is_past = last.is_some_and(|last| now.duration_since(last) > keep);
            let is_gone = is_past && !held.contains(key.as_ref());
            if is_gone {
                retired.add(Retired { records: set.records(), repeats: set.repeats() });
            }
            !is_gone
        });
        self.retired.add(retired);
    }
}

#[cfg(test)]
mod tests;
