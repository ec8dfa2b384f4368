//! The target's scale as last read, and when it must be read again.

use jiff::{SignedDuration, Timestamp};

use crate::clock::shifted;
use crate::cluster::Scale;

/// A change of a pod has reached the target's own status after this time.
const REFRESH_DELAY: SignedDuration = SignedDuration::from_millis(100);

/// How long a write that was not answered may still take effect, if the target is unchanged. The
/// API server gives up on a request after 60 s; a proxy in between can hold it for longer.
const MAX_WRITE_DELAY: SignedDuration = SignedDuration::from_mins(2);

/// Time between two reads that wait for the effect of such a write.
const RECHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(2);

/// A write that was not answered, or whose answer is not understood.
#[derive(Debug, Clone, PartialEq)]
struct UnclearWrite {
    write: Write,
    at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
struct Write {
    /// The precondition: the write cannot take effect once the target has another version.
    version: String,
    replicas: u32,
}

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
    /// The API server has said once that the target does not exist.
    missing: bool,
    /// A write has failed because the target had changed: nothing is decided on `last` until it is
    /// read again.
    is_outdated: bool,
    /// The write under way.
    writing: Option<Write>,
    unclear: Option<UnclearWrite>,
    /// When the scale is to be read again, because no pod shows it.
    unseen_read_at: Option<Timestamp>,
    /// When to read whether an unclear write has taken effect.
    recheck_at: Option<Timestamp>,
}

impl ScaleReads {
    pub(super) fn new(scale: Scale) -> Self {
        Self { last: Some(scale), ..Self::default() }
    }

    pub(super) fn selector(&self) -> Option<&String> {
        self.last.as_ref().map(|scale| &scale.selector)
    }

    /// The version as last read or written; `None` if it is known to have changed.
    pub(super) fn version(&self) -> Option<String> {
        self.last.as_ref().filter(|_| !self.is_outdated).map(|scale| scale.resource_version.clone())
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

    /// The target was not found; whether that is to be believed. A single 404 may come from a
    /// proxy or from an API server that is starting.
    pub(super) fn confirms_missing(&mut self) -> bool {
        std::mem::replace(&mut self.missing, true)
    }

    /// The scale was read: returns the one before.
    pub(super) fn replace(&mut self, scale: Scale) -> Option<Scale> {
        (self.missing, self.is_outdated) = (false, false);
        self.last.replace(scale)
    }

    /// Whether the target is older than it was `before`: the storage of the API server has gone
    /// back to a backup.
    pub(super) fn went_back_since(&self, before: Option<&Scale>) -> bool {
        let number = |scale: &Scale| scale.resource_version.parse::<u64>().ok();
        let (before, now) = (before.and_then(number), self.last.as_ref().and_then(number));
        before.zip(now).is_some_and(|(before, now)| now < before)
    }

    /// A write is sent.
    pub(super) fn write_sent(&mut self, seen: &Scale, replicas: u32) {
        self.writing = Some(Write { version: seen.resource_version.clone(), replicas });
    }

    /// The write under way was answered: with a refusal, which says nothing about an earlier write
    /// whose outcome is unclear.
    pub(super) fn write_answered(&mut self) {
        self.writing = None;
    }

    /// The write under way has failed because the target had changed.
    pub(super) fn write_conflicted(&mut self) {
        (self.writing, self.is_outdated) = (None, true);
    }

    /// No write is under way, and none may follow.
    pub(super) fn writes_settled(&mut self) {
        (self.writing, self.unclear) = (None, None);
    }

    /// Whether the target has changed since it was read last.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated
    }

    /// The write under way was not answered, or its answer is not understood.
    pub(super) fn write_unclear(&mut self, now: Timestamp) {
        self.unclear = self.writing.take().map(|write| UnclearWrite { write, at: now });
    }

    /// Whether a write that was given up may still take effect and change the replicas.
    pub(super) fn write_may_follow(&self, now: Timestamp) -> bool {
        let (Some(UnclearWrite { write, at }), Some(scale)) = (&self.unclear, &self.last) else {
            return false;
        };
        scale.resource_version == write.version
            && scale.replicas != write.replicas
            && now.duration_since(*at) < MAX_WRITE_DELAY
    }

    /// Plans a read that shows whether an unclear write has taken effect; when.
    pub(super) fn plan_recheck(&mut self, now: Timestamp) -> Timestamp {
        *self.recheck_at.get_or_insert(now + RECHECK_INTERVAL)
    }

    /// Whether that read is due; it is then no longer planned.
    pub(super) fn take_recheck(&mut self, now: Timestamp) -> bool {
        self.recheck_at.take_if(|at| *at <= now).is_some()
    }

    pub(super) fn shift(&mut self, by: SignedDuration) {
        self.refresh_at = self.refresh_at.map(|at| shifted(at, by));
        self.recheck_at = self.recheck_at.map(|at| shifted(at, by));
        self.unseen_read_at = self.unseen_read_at.map(|at| shifted(at, by));
        if let Some(write) = &mut self.unclear {
            write.at = shifted(write.at, by);
        }
    }

    /// Plans the next read of a scale that no pod shows: whether one is due now, and when to wake
    /// if that is new.
    pub(super) fn plan_unseen_read(
        &mut self,
        now: Timestamp,
        interval: SignedDuration,
    ) -> (bool, Option<Timestamp>) {
        let is_due = self.unseen_read_at.is_some_and(|at| at <= now);
        if !is_due && self.unseen_read_at.is_some() {
            return (false, None);
        }
        self.unseen_read_at = Some(now + interval);
        (is_due, self.unseen_read_at)
    }

    /// Pods show what happens to the target.
    pub(super) fn forget_unseen_read(&mut self) {
        self.unseen_read_at = None;
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
