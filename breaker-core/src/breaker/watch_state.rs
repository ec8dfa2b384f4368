//! Whether the breaker sees its pods.

use jiff::{SignedDuration, Timestamp};

use crate::clock::shifted;
use crate::snapshot::Blind;

/// The state of the pod watch, as far as it was reported.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct WatchState {
    /// Since when the pods cannot be seen, and why.
    blind: Option<Blind>,
    /// Only a list ends the blindness: the pods of this target or selector were never listed.
    needs_list: bool,
    sync: Sync,
}

/// Whether the watch has shown everything up to now.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Sync {
    #[default]
    UpToDate,
    /// The watch failed.
    Failed,
    /// The watch failed and was accepted again. The changes that were missed may be on their way.
    CatchingUp,
}

impl WatchState {
    /// The pods have to be listed from now on.
    pub(super) fn await_list(&mut self, now: Timestamp) {
        self.needs_list = true;
        self.blind = Some(Blind { since: now, why: "the pods are not listed yet".into() });
    }

    /// The pods cannot be listed or watched. Returns when that is to be reported, if it is new.
    pub(super) fn failed(&mut self, why: String, now: Timestamp) -> Option<Timestamp> {
        self.sync = Sync::Failed;
        match &mut self.blind {
            Some(blind) => {
                blind.why = why;
                None
            }
            None => {
                self.blind = Some(Blind { since: now, why });
                now.checked_add(Blind::REPORTED_AFTER).ok()
            }
        }
    }

    /// The pods were listed.
    pub(super) fn listed(&mut self) {
        *self = Self::default();
    }

    /// The watch showed a change of a pod. Returns whether the pods are known as of now: after a
    /// failure that made the cache stale, more changes may be on their way.
    pub(super) fn showed(&mut self, stale: bool) -> bool {
        self.connected();
        if self.sync != Sync::UpToDate && stale {
            return false;
        }
        self.sync = Sync::UpToDate;
        true
    }

    /// The watch was accepted; `missed`: changes may have been missed before. Returns whether the
    /// pods are known as of now. A watch that is accepted again without a failure has shown all
    /// changes up to its end.
    pub(super) fn accepted(&mut self, missed: bool) -> bool {
        self.connected();
        let up_to_date = match self.sync {
            Sync::UpToDate => !missed,
            Sync::Failed => false,
            Sync::CatchingUp => true,
        };
        self.sync = if up_to_date { Sync::UpToDate } else { Sync::CatchingUp };
        up_to_date
    }

    fn connected(&mut self) {
        if !self.needs_list {
            self.blind = None;
        }
    }

    /// What a status shows: a short interruption is routine.
    pub(super) fn blind(&self, now: Timestamp) -> Option<&Blind> {
        self.blind.as_ref().filter(|blind| now.duration_since(blind.since) >= Blind::REPORTED_AFTER)
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        if let Some(blind) = &mut self.blind {
            blind.since = shifted(blind.since, by);
        }
    }
}
