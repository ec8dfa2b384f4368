//! Inputs and actions of a breaker.

use jiff::{SignedDuration, Timestamp};

use crate::cluster::{KubernetesEvent, Scale};
use crate::ledger::{EvidenceRequest, TerminationId};
use crate::pod::{PodReport, PodUid};
use crate::policy::Mode;
use crate::state::Override;
use crate::webhook::{BeforeTrip, CloudEvent, DeliveryError, Endpoint, HookDecision};
use crate::{BreakerEvent, Policy, Record, Verdict};

/// An input of [`Breaker::step`](crate::Breaker::step).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// A pod was added or changed.
    Pod(PodReport),
    /// A pod was deleted.
    PodDeleted(PodUid),
    /// A list of the pods.
    PodsListed {
        /// All pods that existed at some instant after `asked_at`.
        pods: Vec<PodReport>,
        /// When the list was asked for. It says nothing about a pod that was reported later.
        asked_at: Timestamp,
    },
    /// The watch is connected; no pod has changed.
    WatchAlive,
    /// The pods cannot be listed or watched, for this reason.
    WatchDown(String),
    /// The wall clock was set forward by this time, or back if it is negative.
    ClockStepped(SignedDuration),
    /// The verdict of a termination.
    Verdict(TerminationId, Verdict),
    /// The outcome of an [`Action`].
    Done(Outcome),
    /// An [`Action`] failed; the breaker decides when to retry.
    Failed(Failure),
    /// A command of a person or of the fleet.
    Command(Command),
    /// Emit a [`BreakerEvent::Heartbeat`].
    Heartbeat,
    /// Time has passed.
    Tick,
}

/// An action that was carried out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// [`Action::ReadScale`]; `None` when the target is gone.
    ScaleRead(Option<Scale>),
    /// [`Action::WriteScale`], with the scale as it is now.
    ScaleWritten(Scale),
    /// [`Action::SaveRecord`].
    RecordSaved,
    /// [`Action::SaveRecord`] or [`Action::LoadRecord`] found the Record of another watcher.
    RecordFound(Option<Box<Record>>),
    /// [`Action::FindScaler`].
    Scaler(Option<String>),
    /// [`Action::Publish`], by the event's key.
    Published(String),
    /// [`Action::CallHook`]: the answer, or why there was none within the timeout.
    HookAnswered {
        /// Id of the event.
        id: String,
        /// The answer.
        answer: Result<HookDecision, DeliveryError>,
    },
    /// [`Action::Notify`], acknowledged or failed.
    Notified {
        /// The receiver.
        to: Endpoint,
        /// Id of the event.
        id: String,
        /// Why it was not acknowledged.
        failure: Option<DeliveryError>,
    },
}

/// An action that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of action.
    pub of: Attempt,
    /// Why, on one line.
    pub why: String,
    /// Whether a retry can succeed.
    pub retryable: bool,
    /// The object had changed since it was read (HTTP 409).
    pub conflict: bool,
}

impl Failure {
    /// Whether the API server refused: a retry fails until somebody changes something.
    pub fn is_refusal(&self) -> bool {
        !self.retryable && !self.conflict
    }
}

/// The kinds of action that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // named after the actions
#[non_exhaustive]
pub enum Attempt {
    ReadScale,
    ListPods,
    LoadRecord,
    SaveRecord,
    WriteScale,
    FindScaler,
    Publish,
}

/// A command of a person, or of the fleet around the breaker.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Trip now: scale to zero, whatever the counts are.
    Press,
    /// Restore the replicas and count from zero.
    Reset,
    /// As [`Command::Reset`], once for each id. The id is stored in the Record that has the effect
    /// of the reset, as [`HandledRequests::reset`](crate::record::HandledRequests::reset). While
    /// the breaker may not scale, the request waits.
    ResetRequest(String),
    /// Set the override. [`Override::ForcedOpen`] trips once, not again while it stays set; while
    /// the breaker may not scale, it waits. The override is stored in the Record that has its
    /// effect, as [`HandledRequests::override_`](crate::record::HandledRequests::override_).
    Override(Override),
    /// Set the mode: act, or only observe.
    Mode(Mode),
    /// Replace the policy. The counts and the state stay. A trip in progress continues, unless the
    /// new policy only observes.
    Policy(Box<Policy>),
    /// Turn the outage guard of the fleet on or off. `Some` is the reason to hold every trip that
    /// no person asked for. With `None` a held trip is decided again, on a new list of pods.
    Guard(Option<String>),
}

/// An effect that a breaker asks for. Its outcome comes back as an [`Input`].
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find the cause of a termination; answer with [`Input::Verdict`].
    GatherEvidence(Box<EvidenceRequest>),
    /// Read the target's scale.
    ReadScale,
    /// List the target's pods; answer with [`Input::PodsListed`].
    ListPods,
    /// Read the Record again, since another watcher may have written it.
    LoadRecord,
    /// Store the Record in place of the version last read or written.
    SaveRecord(Box<Record>),
    /// Set the replicas, if the target is unchanged since `seen`.
    WriteScale {
        /// The precondition.
        seen: Scale,
        /// The replicas to set.
        replicas: u32,
    },
    /// Find out who scaled the target.
    FindScaler,
    /// Publish an Event on the target.
    Publish(KubernetesEvent),
    /// Call the hook, within its timeout; answer with [`Outcome::HookAnswered`].
    CallHook {
        /// The hook, with its timeout.
        hook: BeforeTrip,
        /// The message.
        event: Box<CloudEvent>,
    },
    /// Send a notification once; answer with [`Outcome::Notified`].
    Notify {
        /// The receiver.
        to: Endpoint,
        /// The message.
        event: Box<CloudEvent>,
    },
    /// Hand an event to the observer.
    Emit(BreakerEvent),
    /// Send [`Input::Tick`] at this time, unless another input comes first.
    Wake(Timestamp),
}
