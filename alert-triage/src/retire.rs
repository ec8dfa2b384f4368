//! Engines that run for ever: arrival times, and forgetting alerts that are over.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::judge::alert_phase::AlertPhase;
use crate::judge::alert_state::{AlertState, EvaluationTime};
use crate::judge::{AlertIx, Evaluation, Flags, ListIndex as _};
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::RetiredRecords;
use crate::report;

impl Engine {
    /// Sets the arrival time of everything that is read from now on, for a source that is read as
    /// it is written. The times that records carry still take precedence.
    ///
    /// With arrival times, an alert whose records carry no time, or only a start, becomes obsolete
    /// when no record arrives for its TTL, and a transient without times that keeps arriving can
    /// become sustained. What was read before the first call counts as seen at that call.
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
        // The cached counts belong to the previous arrival time.
        if self.arrival.is_none_or(|before| before.as_second() != at.as_second()) {
            self.flush_line_counts();
        }
        self.arrival = Some(at);
        self.arrivals_since.get_or_insert(at);
    }

    /// The number of lines and records that could not be read so far.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Takes out the malformed lines kept since the last call, at most
    /// [`MAX_MALFORMED_KEPT`](crate::fault::MAX_MALFORMED_KEPT), by position. A report still
    /// counts them but no longer lists them. For a source without an end, whose malformed lines are
    /// reported as they come.
    pub fn take_malformed(&mut self) -> Vec<report::Malformed> {
        let offsets = self.offsets();
        std::mem::take(&mut self.faults)
            .into_iter()
            .map(|((position, _), malformed)| report::Malformed::new(self, &offsets, position, &malformed))
            .collect()
    }

    /// Forgets alerts that are resolved or obsolete at `now` and had no record for longer than
    /// `keep`. Returns their number. Without this call an engine keeps every alert, up to the limit
    /// of the rules, and reports take longer and longer.
    ///
    /// Open, pending and flapping alerts are kept, and so are alerts without any known time. The
    /// records stay in the totals as [`retired`](crate::report::Totals::retired). If `keep` is
    /// shorter than the longest timeout of a source, or than the flapping window, an alert that
    /// returns may look new.
    pub fn retire(&mut self, now: Timestamp, keep: SignedDuration) -> u64 {
        self.flush_line_counts();
        let evaluation = Evaluation::new(self, Some(now));
        let is_past = |state: &AlertState| {
            let last = state.seen.max(state.ended).max(state.timed_out).or(self.arrivals_since);
            matches!(state.phase, AlertPhase::Resolved | AlertPhase::Obsolete)
                && last.is_some_and(|last| now.duration_since(last) > keep)
        };
        let time = EvaluationTime { now: Some(now), arrivals_since: self.arrivals_since };
        let mut gone = Vec::with_capacity(self.entries.len());
        let mut over: Vec<(usize, Vec<Box<[u8]>>)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let alert = AlertIx::new(at);
            let verdict = &evaluation.alerts[alert];
            let is_closed = matches!(verdict.phase, AlertPhase::Resolved | AlertPhase::Obsolete);
            let is_gone =
                is_closed && !verdict.flags.contains(Flags::FLAPPING) && is_past(&evaluation.state(alert));
            gone.push(is_gone);
            // Pods of a workload come and go while its alert is open.
            if !is_gone && entry.label_sets().nth(1).is_some() {
                let identity = entry.identity();
                let ttl = self
                    .rules
                    .is_on("ttl")
                    .then(|| self.rules.ttl(identity.alert, |name| identity.label(name)));
                let sets: Vec<Box<[u8]>> =
                    AlertState::of_sets(entry, &self.keyed_ends, time, ttl, self.rules.limits())
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

    /// Drops these entries and rebuilds what refers to entries by number.
    fn forget(&mut self, gone: &[bool]) {
        self.line_cache.clear();
        self.eviction_heap = None;
        self.index.clear();
        let entries = std::mem::take(&mut self.entries);
        for (entry, gone) in entries.into_iter().zip(gone) {
            if *gone {
                self.retired.add(RetiredRecords { records: entry.records(), repeats: entry.repeats() });
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

    /// Drops resolves whose alert is no longer known.
    fn forget_keys(&mut self, now: Timestamp, keep: SignedDuration) {
        let held: HashSet<&str> =
            self.entries.iter().flat_map(AlertEntry::keyed_label_sets).map(|(key, _)| key).collect();
        let mut retired = RetiredRecords::default();
        let since = self.arrivals_since;
        self.keyed_ends.retain(|key, end| {
            let set = &end.history;
            let last = set.last_seen.max(set.arrivals.last()).or(since);
            let is_past = last.is_some_and(|last| now.duration_since(last) > keep);
            let is_gone = is_past && !held.contains(key.as_ref());
            if is_gone {
                retired.add(RetiredRecords { records: set.records(), repeats: set.repeats() });
            }
            !is_gone
        });
        self.retired.add(retired);
    }
}

#[cfg(test)]
mod tests;
