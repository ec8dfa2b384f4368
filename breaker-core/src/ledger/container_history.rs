//! The history of one container: its ended instances by number.
//!
//! Instances are numbered from 0. Instance `n` has restarted when `restartCount` is above `n`;
//! before that, its termination is known but does not count as a restart. `restartCount` can jump,
//! so that the end of some instances is never observed. It can fall, which is a counter reset.
//! Reports can repeat or come late.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::identity::InstanceId;
use crate::Verdict;
use crate::pod::{ContainerReport, ContainerState, Terminated};
use crate::policy::{Policy, Unobserved};
use crate::verdict::UnknownReason;

/// The maximum number of unobserved restarts kept of one jump of `restartCount`.
const MAX_UNOBSERVED: u32 = 1024;

/// The observed and deduced terminations of one container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerHistory {
    pub(crate) pod_name: String,
    pub(crate) revision: String,
    /// Highest `restartCount` since the newest counter reset.
    pub(crate) seen: u32,
    /// Newest time in any report, which distinguishes a counter reset from a late report.
    newest: Option<Timestamp>,
    /// When the container was last observed. A gap begins here.
    pub(crate) observed_at: Timestamp,
    /// Ended instances since the newest counter reset, by number.
    pub(crate) terminations: BTreeMap<u32, Instance>,
    /// Restarts from before the newest counter reset.
    pub(crate) earlier: Vec<Instance>,
    /// Exit codes with which this container ended after a failed probe.
    pub(crate) probe_exits: BTreeSet<i32>,
    /// The running instance, as last reported.
    running: Option<InstanceId>,
    gaps: Vec<Gap>,
}

/// One ended instance of a container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instance {
    pub(crate) id: InstanceId,
    /// `finishedAt`, or when the end was detected if the runtime lost `finishedAt`.
    pub(crate) at: Timestamp,
    pub(crate) exit_code: i32,
    /// The termination was reported, not deduced from `restartCount`.
    pub(crate) observed: bool,
    /// The instance never counts: the kubelet stopped it because another container of the pod
    /// ended, or it ended in an earlier episode.
    pub(crate) discounted: bool,
    /// Why the instance ended; `None` while evidence is being gathered.
    pub(crate) verdict: Option<Verdict>,
    /// The restart event of this instance has been emitted.
    pub(crate) emitted: bool,
}

/// Instances `from..to` ended between two observations; the first observation was at `since`.
#[derive(Debug, Clone, PartialEq)]
struct Gap {
    from: u32,
    to: u32,
    since: Timestamp,
}

/// How a report relates to the known history.
enum Arrival {
    /// The report is not older than the known history.
    Current,
    /// The report is older. Its terminations may be new, its `restartCount` is not.
    Late,
    /// `restartCount` fell, and the report is newer than all earlier ones.
    CounterReset,
    /// The report shows an instance from before the newest counter reset.
    BeforeReset,
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

    /// Takes in one report and returns the numbers of the new terminations.
    ///
    /// `stopped` returns whether the kubelet stopped the instance together with its pod's other
    /// containers. Gaps that begin before `oldest` are ignored.
    pub(crate) fn observe(
        &mut self,
        report: &ContainerReport,
        stopped: impl Fn(&Terminated) -> bool,
        oldest: Timestamp,
        now: Timestamp,
    ) -> Vec<u32> {
        let arrival = self.arrival(report);
        match arrival {
            Arrival::BeforeReset => return Vec::new(),
            Arrival::CounterReset => {
                let went_back = report.last.as_deref().is_some_and(|last| self.has_seen(last));
                self.reset_counter();
                if went_back {
                    self.seen = report.restart_count;
                }
            }
            Arrival::Current | Arrival::Late => {}
        }
        let settled = self.seen;
        let mut fresh = Vec::new();
        for (number, terminated) in numbered_terminations(report) {
            let known = self.terminations.get(&number);
            let id = InstanceId::from_terminated(terminated, number);
            let id_is_known = self.knows_termination(&id);
            // Instances below `settled` are complete, except those deduced from the count. Where
            // the count has risen, an instance has ended, also under an ID that was used before.
            let new = match known {
                Some(instance) => !instance.observed,
                None => number >= settled && (number < report.restart_count || !id_is_known),
            };
            if new {
                let emitted = known.is_some_and(|instance| instance.emitted);
                let id = if id_is_known { id.reused(number) } else { id };
                self.terminations
                    .insert(number, Instance::observed(terminated, id, stopped(terminated), emitted, now));
                fresh.push(number);
            }
        }
        if !matches!(arrival, Arrival::Late) {
            self.advance(report, oldest, now);
        }
        fresh
    }

    fn arrival(&self, report: &ContainerReport) -> Arrival {
        let own = InstanceId::from_container_id(&report.container_id);
        let last = report
            .last
            .as_ref()
            .and_then(|terminated| InstanceId::from_container_id(&terminated.container_id));
        let former = |id: &Option<InstanceId>| {
            id.as_ref()
                .is_some_and(|id| self.earlier.iter().any(|instance| instance.observed && instance.id == *id))
        };
        let shows_former = former(&own) || (report.restart_count > self.seen && former(&last));
        // A runtime may use an ID again.
        if shows_former && newest_instant(report) <= self.newest {
            return Arrival::BeforeReset;
        }
        if report.restart_count >= self.seen {
            return Arrival::Current;
        }
        let known = own.as_ref().is_some_and(|id| self.knows(id));
        if !known && newest_instant(report) > self.newest { Arrival::CounterReset } else { Arrival::Late }
    }

    fn knows(&self, id: &InstanceId) -> bool {
        self.running.as_ref() == Some(id) || self.knows_termination(id)
    }

    fn knows_termination(&self, id: &InstanceId) -> bool {
        self.terminations
            .values()
            .chain(&self.earlier)
            .any(|instance| instance.observed && instance.id == *id)
    }

    /// Whether this very termination is known: its ID may have been used before, its end may not.
    /// After a counter reset, the storage then went back in time, and the restarts up to the count
    /// are old ones.
    fn has_seen(&self, terminated: &Terminated) -> bool {
        let id = InstanceId::from_container_id(&terminated.container_id);
        self.terminations.values().chain(&self.earlier).any(|instance| {
            instance.observed
                && Some(&instance.id) == id.as_ref()
                && Some(instance.at) == terminated.finished_at
        })
    }

    fn reset_counter(&mut self) {
        let ended = std::mem::take(&mut self.terminations);
        self.earlier.extend(ended.into_iter().filter(|(number, _)| *number < self.seen).map(|(_, e)| e));
        // A restart cannot inherit a verdict across a counter reset.
        for instance in self.earlier.iter_mut().filter(|instance| !instance.observed) {
            instance.verdict.get_or_insert_with(|| Verdict::unknown(UnknownReason::Unobserved));
        }
        self.gaps.clear();
        self.seen = 0;
        self.running = None;
    }

    fn advance(&mut self, report: &ContainerReport, oldest: Timestamp, now: Timestamp) {
        let (from, to) = (self.seen, report.restart_count);
        let since = self.observed_at;
        // Unobserved restarts have a known time only if the whole gap is inside the window.
        if (from..to).any(|number| !self.terminations.contains_key(&number)) && since >= oldest {
            let dated = self.terminations.range(from..).next_back().map_or(now, |(_, instance)| instance.at);
            for number in from.max(to.saturating_sub(MAX_UNOBSERVED))..to {
                self.terminations.entry(number).or_insert_with(|| Instance::deduced(number, dated));
            }
            self.gaps.push(Gap { from, to, since });
        }
        self.seen = to;
        self.newest = self.newest.max(newest_instant(report));
        self.observed_at = now;
        self.running = match report.state {
            ContainerState::Running { .. } => InstanceId::from_container_id(&report.container_id),
            _ => None,
        };
    }

    /// Whether unobserved restarts wait for their verdicts.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Sets the verdicts of unobserved restarts in each gap whose observed terminations all have
    /// one.
    ///
    /// `failing` is whether the container fails now.
    pub(crate) fn settle(&mut self, policy: &Policy, failing: bool, oldest: Timestamp) {
        let gaps = std::mem::take(&mut self.gaps);
        for gap in gaps {
            let around = || self.terminations.range(gap.from..).filter(|(_, instance)| instance.observed);
            if around().any(|(_, instance)| instance.verdict.is_none()) {
                self.gaps.push(gap);
                continue;
            }
            let newest = around().next_back().and_then(|(_, e)| Some((e.at, e.verdict.clone()?)));
            let inherited = newest.filter(|(_, verdict)| {
                let counts = |verdict: &Verdict| policy.counts(verdict.cause, verdict.peer.as_deref());
                let same = |other: &Verdict| other.cause == verdict.cause && counts(other) == counts(verdict);
                policy.unobserved == Unobserved::Inherit
                    && failing
                    && gap.since >= oldest
                    && around().all(|(_, instance)| instance.verdict.as_ref().is_some_and(same))
            });
            for (_, instance) in self.terminations.range_mut(gap.from..gap.to).filter(|(_, e)| !e.observed) {
                if instance.verdict.is_some() {
                    continue;
                }
                match &inherited {
                    Some((at, verdict)) => {
                        instance.at = *at;
                        instance.verdict = Some(verdict.clone());
                    }
                    None => instance.verdict = Some(Verdict::unknown(UnknownReason::Unobserved)),
                }
            }
        }
    }

    /// The restarts with a verdict: terminations after which the next instance was reported.
    pub(crate) fn restarts(&self) -> impl Iterator<Item = &Instance> {
        let seen = self.seen;
        self.earlier
            .iter()
            .chain(self.terminations.range(..seen).map(|(_, instance)| instance))
            .filter(|instance| !instance.discounted && instance.verdict.is_some())
    }

    /// The restarts with a verdict, to change.
    pub(crate) fn restarts_mut(&mut self) -> impl Iterator<Item = &mut Instance> {
        let seen = self.seen;
        self.earlier
            .iter_mut()
            .chain(self.terminations.range_mut(..seen).map(|(_, instance)| instance))
            .filter(|instance| !instance.discounted && instance.verdict.is_some())
    }

    /// Whether an instance has ended that may become a counted restart: its verdict is not known
    /// yet, or the next instance was not reported yet.
    pub(crate) fn has_open_end(&self, policy: &Policy) -> bool {
        self.terminations.iter().any(|(number, instance)| {
            !instance.discounted
                && instance.verdict.as_ref().is_none_or(|verdict| {
                    *number >= self.seen && policy.counts(verdict.cause, verdict.peer.as_deref())
                })
        })
    }

    /// The ended instance with this identity.
    pub(crate) fn instance_mut(&mut self, id: &InstanceId) -> Option<&mut Instance> {
        self.terminations.values_mut().chain(&mut self.earlier).find(|instance| instance.id == *id)
    }

    /// The identity of the ended instance with this number.
    pub(crate) fn id_of(&self, number: u32) -> InstanceId {
        let known = self.terminations.get(&number);
        known.map_or_else(|| InstanceId::from_number(number), |instance| instance.id.clone())
    }

    /// The restart count up to which every restart has its verdict. Restarts above it are observed
    /// again after a crash of the watcher.
    pub(crate) fn accounted(&self) -> u32 {
        let pending = self.terminations.range(..self.seen).find(|(_, instance)| instance.verdict.is_none());
        pending.map_or(self.seen, |(number, _)| *number)
    }

    /// Whether the end of some earlier instance of this container was not observed.
    pub(crate) fn has_unobserved(&self) -> bool {
        self.seen > 0
            && (0..self.seen).any(|n| self.terminations.get(&n).is_none_or(|instance| !instance.observed))
    }

    /// Starts an episode: no termination known now counts, and no gap is filled any more.
    pub(crate) fn start_episode(&mut self) {
        self.earlier.clear();
        self.gaps.clear();
        self.terminations = self.terminations.split_off(&self.seen);
        for instance in self.terminations.values_mut() {
            instance.discounted = true;
        }
    }

    /// Removes restarts that ended before `oldest`.
    pub(crate) fn forget_before(&mut self, oldest: Timestamp) {
        let seen = self.seen;
        self.earlier.retain(|instance| instance.at >= oldest);
        self.terminations.retain(|number, instance| *number >= seen || instance.at >= oldest);
        while self.terminations.len() > 2 * MAX_UNOBSERVED as usize {
            self.terminations.pop_first();
        }
    }
}

impl Instance {
    fn observed(
        terminated: &Terminated,
        id: InstanceId,
        discounted: bool,
        emitted: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            at: terminated.finished_at.unwrap_or(now),
            exit_code: terminated.exit_code,
            observed: true,
            discounted,
            verdict: None,
            emitted,
        }
    }

    fn deduced(number: u32, at: Timestamp) -> Self {
        Self {
            id: InstanceId::from_number(number),
            at,
            exit_code: 0,
            observed: false,
            discounted: false,
            verdict: None,
            emitted: false,
        }
    }
}

/// The terminations in a report, each with the number of the ended instance.
///
/// While a container is terminated, `state` and `lastState` hold two different terminations.
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

/// The newest time in a report.
pub(crate) fn newest_instant(report: &ContainerReport) -> Option<Timestamp> {
    let newest = |terminated: &Terminated| terminated.finished_at.max(terminated.started_at);
    let state = match &report.state {
        ContainerState::Running { started_at } => *started_at,
        ContainerState::Terminated(terminated) => newest(terminated),
        ContainerState::Waiting { .. } => None,
    };
    state.max(report.last.as_deref().and_then(newest))
}
