//! One container's restarts, by number.
//!
//! Instance `n` of a container (the first is 0) has ended for good when `restartCount` is above `n`;
//! until then its termination is known but is no restart yet. `restartCount` can jump, so some instances
//! were never seen to end; it can fall, which starts a new series; and reports can repeat or come late.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::identity::InstanceId;
use crate::pod::{ContainerReport, ContainerState, Terminated};
use crate::policy::Unobserved;
use crate::verdict::UnknownReason;
use crate::{Cause, Verdict};

/// Unobserved restarts remembered of one jump; a policy that needs more is told apart by its count anyway.
const MOST_OF_A_JUMP: u32 = 1024;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerHistory {
    pub(crate) pod_name: String,
    pub(crate) revision: String,
    /// Highest `restartCount` seen in this series.
    pub(crate) seen: u32,
    /// Newest instant that a status has shown; tells a new series from a late report.
    newest: Option<Timestamp>,
    /// When the container was last observed; where a gap begins.
    pub(crate) observed_at: Timestamp,
    /// Terminations of this series by instance number.
    pub(crate) terminations: BTreeMap<u32, Instance>,
    /// Restarts of former series.
    pub(crate) earlier: Vec<Instance>,
    /// Exit codes with which this container was seen to end on a failed probe.
    pub(crate) probe_exits: BTreeSet<i32>,
    running: Option<InstanceId>,
    gaps: Vec<Gap>,
}

/// One ended instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    /// `finishedAt`; where the runtime lost that, when it was noticed.
    pub(crate) at: Timestamp,
    pub(crate) exit_code: i32,
    /// Its termination was seen, rather than deduced from `restartCount`.
    pub(crate) observed: bool,
    /// Never counts: the kubelet stopped it because a sibling ended (restart of all containers), or it
    /// ended in an earlier episode.
    pub(crate) discounted: bool,
    /// `None` while evidence is being taken.
    pub(crate) verdict: Option<Verdict>,
    /// Its restart has been told.
    pub(crate) told: bool,
}

/// Instances `from..to` ended between two observations, the first of them at `since`.
#[derive(Debug, Clone, PartialEq)]
struct Gap {
    from: u32,
    to: u32,
    since: Timestamp,
}

/// How a report relates to what is known.
enum Arrival {
    /// Same series, nothing older than what is known.
    Current,
    /// An older report of this series: terminations in it may be news, its count is not.
    Late,
    /// `restartCount` fell and the report is newer than all before.
    Fell,
    /// It shows an instance of a former series.
    Foreign,
}

impl ContainerHistory {
    pub(crate) fn new(pod_name: &str, revision: &str, created: Timestamp) -> Self {
        Self {
            pod_name: pod_name.to_owned(),
            revision: revision.to_owned(),
            seen: 0,
            newest: None,
            observed_at: created,
            terminations: BTreeMap::new(),
            earlier: Vec::new(),
            probe_exits: BTreeSet::new(),
            running: None,
            gaps: Vec::new(),
        }
    }

    /// Takes in one report; answers with the numbers of the terminations that are new.
    pub(crate) fn observe(
        &mut self,
        report: &ContainerReport,
        stopped: impl Fn(&Terminated) -> bool,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Vec<u32> {
        let arrival = self.arrival(report);
        match arrival {
            Arrival::Foreign => return Vec::new(),
            Arrival::Fell => self.start_over(),
            Arrival::Current | Arrival::Late => {}
        }
        let settled = self.seen;
        let mut fresh = Vec::new();
        for (number, terminated) in numbered_terminations(report) {
            let known = self.terminations.get(&number);
            // Below `settled` everything was accounted for; only a termination deduced from the count may still be filled in.
            let new = match known {
                Some(entry) => !entry.observed,
                None => number >= settled && !self.knows_termination(&InstanceId::of(terminated, number)),
            };
            if new {
                let told = known.is_some_and(|entry| entry.told);
                self.terminations
                    .insert(number, Instance::observed(terminated, number, stopped(terminated), told, now));
                fresh.push(number);
            }
        }
        if !matches!(arrival, Arrival::Late) {
            self.advance(report, oldest, now);
        }
        fresh
    }

    fn arrival(&self, report: &ContainerReport) -> Arrival {
        let own = InstanceId::known(&report.container_id);
        let last = report.last.as_ref().and_then(|terminated| InstanceId::known(&terminated.container_id));
        let former = |id: &Option<InstanceId>| {
            id.as_ref().is_some_and(|id| self.earlier.iter().any(|entry| entry.observed && entry.id == *id))
        };
        if former(&own) || (report.restart_count > self.seen && former(&last)) {
            return Arrival::Foreign;
        }
        if report.restart_count >= self.seen {
            return Arrival::Current;
        }
        let known = own.as_ref().is_some_and(|id| self.knows(id));
        if !known && newest_instant(report) > self.newest { Arrival::Fell } else { Arrival::Late }
    }

    fn knows(&self, id: &InstanceId) -> bool {
        self.running.as_ref() == Some(id) || self.knows_termination(id)
    }

    fn knows_termination(&self, id: &InstanceId) -> bool {
        self.terminations.values().chain(&self.earlier).any(|entry| entry.observed && entry.id == *id)
    }

    fn start_over(&mut self) {
        let ended = std::mem::take(&mut self.terminations);
        self.earlier.extend(ended.into_iter().filter(|(number, _)| *number < self.seen).map(|(_, e)| e));
        // Nothing can be inherited across the fall any more.
        for entry in self.earlier.iter_mut().filter(|entry| !entry.observed) {
            entry.verdict.get_or_insert_with(|| Verdict::unknown(UnknownReason::Unobserved));
        }
        self.gaps.clear();
        self.seen = 0;
        self.running = None;
    }

    fn advance(&mut self, report: &ContainerReport, oldest: Timestamp, now: Timestamp) {
        let (from, to) = (self.seen, report.restart_count);
        let since = self.observed_at;
        // Restarts that nobody saw can be placed in time only when the whole gap is inside the window.
        if (from..to).any(|number| !self.terminations.contains_key(&number)) && since >= oldest {
            let dated = self.terminations.range(from..).next_back().map_or(now, |(_, entry)| entry.at);
            for number in from.max(to.saturating_sub(MOST_OF_A_JUMP))..to {
                self.terminations.entry(number).or_insert_with(|| Instance::deduced(number, dated));
            }
            self.gaps.push(Gap { from, to, since });
        }
        self.seen = to;
        self.newest = self.newest.max(newest_instant(report));
        self.observed_at = now;
        self.running = match report.state {
            ContainerState::Running { .. } => InstanceId::known(&report.container_id),
            _ => None,
        };
    }

    pub(crate) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Gives the restarts that nobody saw their verdicts, where the evidence around them is complete.
    pub(crate) fn settle(&mut self, rule: Unobserved, failing: bool, oldest: Timestamp) {
        let gaps = std::mem::take(&mut self.gaps);
        for gap in gaps {
            let around = || self.terminations.range(gap.from..).filter(|(_, entry)| entry.observed);
            if around().any(|(_, entry)| entry.verdict.is_none()) {
                self.gaps.push(gap);
                continue;
            }
            let newest = around().next_back().and_then(|(_, e)| Some((e.at, e.verdict.clone()?)));
            let inherited = newest.filter(|(_, verdict)| {
                let same = |cause: Option<Cause>| cause == Some(verdict.cause);
                rule == Unobserved::Inherit
                    && failing
                    && gap.since >= oldest
                    && around().all(|(_, entry)| same(entry.verdict.as_ref().map(|v| v.cause)))
            });
            for (_, entry) in self.terminations.range_mut(gap.from..gap.to).filter(|(_, e)| !e.observed) {
                if entry.verdict.is_some() {
                    continue;
                }
                match &inherited {
                    Some((at, verdict)) => {
                        entry.at = *at;
                        entry.verdict = Some(verdict.clone());
                    }
                    None => entry.verdict = Some(Verdict::unknown(UnknownReason::Unobserved)),
                }
            }
        }
    }

    /// The restarts of this container with a verdict: terminations whose successor has shown itself.
    pub(crate) fn restarts(&self) -> impl Iterator<Item = &Instance> {
        let seen = self.seen;
        self.earlier
            .iter()
            .chain(self.terminations.range(..seen).map(|(_, entry)| entry))
            .filter(|entry| !entry.discounted && entry.verdict.is_some())
    }

    pub(crate) fn restarts_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        let seen = self.seen;
        self.earlier
            .iter_mut()
            .chain(self.terminations.range_mut(..seen).map(|(_, entry)| entry))
            .filter(|entry| !entry.discounted && entry.verdict.is_some())
    }

    pub(crate) fn instance_mut(&mut self, id: &InstanceId) -> Option<&mut Instance> {
        self.terminations.values_mut().chain(&mut self.earlier).find(|entry| entry.id == *id)
    }

    /// The restart count up to which every restart has its verdict; what is still pending is counted
    /// again after a crash.
    pub(crate) fn accounted(&self) -> u32 {
        let pending = self.terminations.range(..self.seen).find(|(_, entry)| entry.verdict.is_none());
        pending.map_or(self.seen, |(number, _)| *number)
    }

    /// Some earlier termination of this container was never seen.
    pub(crate) fn missed_some(&self) -> bool {
        self.seen > 0 && (0..self.seen).any(|n| self.terminations.get(&n).is_none_or(|entry| !entry.observed))
    }

    /// A new episode: what has been seen to end counts no more, nor what it left to be deduced.
    pub(crate) fn start_episode(&mut self) {
        self.earlier.clear();
        self.gaps.clear();
        self.terminations = self.terminations.split_off(&self.seen);
        for entry in self.terminations.values_mut() {
            entry.discounted = true;
        }
    }

    /// Forgets restarts that ended before `oldest`.
    pub(crate) fn forget_before(&mut self, oldest: Timestamp) {
        let seen = self.seen;
        self.earlier.retain(|entry| entry.at >= oldest);
        self.terminations.retain(|number, entry| *number >= seen || entry.at >= oldest);
        while self.terminations.len() > 2 * MOST_OF_A_JUMP as usize {
            self.terminations.pop_first();
        }
    }
}

impl Instance {
    fn observed(terminated: &Terminated, number: u32, discounted: bool, told: bool, now: Timestamp) -> Self {
        Self {
            id: InstanceId::of(terminated, number),
            at: terminated.finished_at.unwrap_or(now),
            exit_code: terminated.exit_code,
            observed: true,
            discounted,
            verdict: None,
            told,
        }
    }

    fn deduced(number: u32, at: Timestamp) -> Self {
        Self {
            id: InstanceId::numbered(number),
            at,
            exit_code: 0,
            observed: false,
            discounted: false,
            verdict: None,
            told: false,
        }
    }
}

/// The terminations a status shows, each with the number of the instance that ended. While a container is
/// terminated, `state` and `lastState` hold two different terminations.
pub(crate) fn numbered_terminations(report: &ContainerReport) -> Vec<(u32, &Terminated)> {
    let mut terminations = Vec::with_capacity(2);
    let own = |terminated: &Terminated| {
        !report.container_id.is_empty() && terminated.container_id == report.container_id
    };
    if let Some(terminated) = report.last.as_deref() {
        let waiting = matches!(report.state, ContainerState::Waiting { .. });
        if waiting && own(terminated) {
            terminations.push((report.restart_count, terminated));
        } else if let Some(number) = report.restart_count.checked_sub(1) {
            terminations.push((number, terminated));
        }
    }
    if let ContainerState::Terminated(terminated) = &report.state {
        terminations.push((report.restart_count, terminated));
    }
    terminations
}

/// The newest instant that a status shows.
pub(crate) fn newest_instant(report: &ContainerReport) -> Option<Timestamp> {
    let of = |terminated: &Terminated| terminated.finished_at.max(terminated.started_at);
    let state = match &report.state {
        ContainerState::Running { started_at } => *started_at,
        ContainerState::Terminated(terminated) => of(terminated),
        ContainerState::Waiting { .. } => None,
    };
    state.max(report.last.as_deref().and_then(of))
}
