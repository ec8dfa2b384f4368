//! Clocks that differ: restarts that the watch showed as they happened, with a time that says
//! otherwise.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::clock::shifted;
use crate::pod::{ContainerReport, PodReport};
use crate::text::plural;

/// A time may precede the last observation of its container by this much without a doubt about the
/// clocks.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// The number of restarts kept.
const MAX_RESTARTS: usize = 64;

/// Restarts that do not count, or whose container does not seem to fail now, because the clock of
/// the node is behind that of the watcher.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ClockSkew {
    /// When the restarts were observed, by the clock of the watcher.
    observed: VecDeque<Timestamp>,
    newest: Option<SkewedRestart>,
}

#[derive(Debug, Clone, PartialEq)]
struct SkewedRestart {
    /// `pod/container`.
    container: String,
    finished_at: Timestamp,
    /// How far the clock of the node is behind, at least.
    behind: SignedDuration,
}

impl ClockSkew {
    /// Compares a report of a pod with the one before, which was received at `known_at`.
    ///
    /// A restart in between happened after `known_at`. If its time is well before that, the clocks
    /// differ; it is kept if that matters: it ended before `oldest`, or the difference is as long
    /// as the run after which a container no longer fails.
    pub(super) fn observe(
        &mut self,
        pod: &PodReport,
        known: &PodReport,
        known_at: Timestamp,
        oldest: Timestamp,
        now: Timestamp,
    ) {
        if pod.deleting {
            return;
        }
        for container in &pod.containers {
            let before = known.containers.iter().find(|before| before.name == container.name);
            let restarted = before.is_some_and(|before| before.restart_count < container.restart_count);
            let finished = container.last.as_ref().and_then(|terminated| terminated.finished_at);
            let Some(finished_at) = finished.filter(|_| restarted) else { continue };
            let behind = known_at.duration_since(finished_at);
            let matters = finished_at < oldest || behind >= ContainerReport::BACKOFF_RESET;
            if behind <= TOLERANCE || !matters {
                continue;
            }
            if self.observed.len() == MAX_RESTARTS {
                self.observed.pop_front();
            }
            self.observed.push_back(now);
            let container = format!("{}/{}", pod.name, container.name);
            self.newest = Some(SkewedRestart { container, finished_at, behind });
        }
    }

    /// Why restarts observed since `oldest` do not count, and how many these are.
    pub(super) fn why(&mut self, oldest: Timestamp) -> Option<(String, u32)> {
        while self.observed.front().is_some_and(|at| *at < oldest) {
            self.observed.pop_front();
        }
        let SkewedRestart { container, finished_at, behind } = self.newest.as_ref()?;
        let number = u32::try_from(self.observed.len()).ok().filter(|number| *number > 0)?;
        let why = format!(
            "{} just observed, the last one of {container}, ended at {finished_at:.0} by the clock of its \
             node; that clock is at least {} min behind the clock of this watcher; set both by NTP",
            plural(number, "restart"),
            behind.as_mins(),
        );
        Some((why, number))
    }

    /// A new episode: earlier restarts no longer matter.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        for at in &mut self.observed {
            *at = shifted(*at, by);
        }
    }
}
