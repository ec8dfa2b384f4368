//! The target's scale as last read, and when it must be read again.

use jiff::{SignedDuration, Timestamp};

use crate::clock::shifted;
use crate::cluster::Scale;

/// A change of a pod has reached the target's own status after this time.
const REFRESH_DELAY: SignedDuration = SignedDuration::from_millis(100);

/// The scale, and when it must be read again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ScaleReads {
    /// As last read or written; `None` once the target is gone.
    pub(super) last: Option<Scale>,
    /// It was read since the counted restarts reached the threshold.
    pub(super) read_ahead: bool,
    /// A read is under way that was sent before the last write was acknowledged. Its answer may be
    /// from before the write, and would look like the change of another client.
    pub(super) read_is_old: bool,
    /// When the scale that was read ahead is to be read again: pods change the target's status, and
    /// with it the version that the precondition names.
    refresh_at: Option<Timestamp>,
}

impl ScaleReads {
    pub(super) fn new(scale: Scale) -> Self {
        Self { last: Some(scale), ..Self::default() }
    }

    pub(super) fn selector(&self) -> Option<&String> {
        self.last.as_ref().map(|scale| &scale.selector)
    }

    pub(super) fn replicas(&self) -> Option<u32> {
        self.last.as_ref().map(|scale| scale.replicas)
    }

    /// Plans a refresh of a scale that was read ahead; when, if none was planned.
    pub(super) fn plan_refresh(&mut self, now: Timestamp) -> Option<Timestamp> {
        if !self.read_ahead || self.refresh_at.is_some() {
            return None;
        }
        self.refresh_at = Some(now + REFRESH_DELAY);
        self.refresh_at
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.refresh_at = self.refresh_at.map(|at| shifted(at, by));
    }

    /// Whether the planned refresh is due; it is then no longer planned.
    pub(super) fn take_refresh(&mut self, now: Timestamp) -> bool {
        let due = self.refresh_at.is_some_and(|at| at <= now);
        if due {
            self.refresh_at = None;
        }
        due && self.read_ahead
    }
}
