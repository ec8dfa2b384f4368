//! Inputs and actions of a breaker.

use jiff::Timestamp;

use crate::cluster::{KubernetesEvent, Scale};
use crate::ledger::{EvidenceRequest, TerminationId};
use crate::pod::{PodReport, PodUid};
use crate::policy::Mode;
use crate::state::Override;
use crate::webhook::{BeforeTrip, CloudEvent, DeliveryError, Endpoint, HookDecision};
use crate::{BreakerEvent, Policy, Record, Verdict};

/// An input of [`Breaker::step`](crate::Breaker::step).
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A pod was added or changed.
    Pod(PodReport),
    /// A pod was deleted.
    PodDeleted(PodUid),
    /// All pods that exist.
    PodsListed(Vec<PodReport>),
    /// The watch is alive, without other news.
    WatchAlive,
    /// A termination's verdict.
    Verdict(TerminationId, Verdict),
    /// The outcome of an [`Action`].
    Done(Outcome),
    /// An [`Action`] failed; the breaker decides when to try again.
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
pub enum Outcome {
    /// [`Action::ReadScale`]; `None` when the target is gone.
    ScaleRead(Option<Scale>),
    /// [`Action::WriteScale`], with the scale as it is now.
    ScaleWritten(Scale),
    /// [`Action::SaveRecord`].
    RecordSaved,
    /// [`Action::SaveRecord`] or [`Action::LoadRecord`] met another watcher's Record.
    RecordFound(Option<Box<Record>>),
    /// [`Action::FindScaler`].
    Scaler(Option<String>),
    /// [`Action::Publish`], by the event's key.
    Published(String),
    /// [`Action::CallHook`]: what was answered in time, or why there is no answer.
    HookAnswered {
        /// Id of the event.
        id: String,
        /// The answer.
        answer: Result<HookDecision, DeliveryError>,
    },
    /// [`Action::Notify`]: acknowledged, or not.
    Notified {
        /// The receiver.
        to: Endpoint,
        /// Id of the event.
        id: String,
        /// Why it was not acknowledged.
        failure: Option<DeliveryError>,
    },
}

/// An action that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub of: Attempt,
    /// Why, on one line.
    pub why: String,
    /// Trying again can help.
    pub retryable: bool,
    /// The object had changed since it was read; routine.
    pub conflict: bool,
}

/// The kinds of action that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // named after the actions
pub enum Attempt {
    ReadScale,
    ListPods,
    LoadRecord,
    SaveRecord,
    WriteScale,
    FindScaler,
    Publish,
}

/// What a person or the fleet around the breaker wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Press the red button: scale to zero whatever the counts say.
    Press,
    /// Give the replicas back and count from zero.
    Reset,
    /// Set the override. [`Override::ForcedOpen`] presses the button when it is set, not again while it stays.
    Override(Override),
    /// Act, or only report.
    Mode(Mode),
    /// Another policy from now on; what was counted and where the breaker is stay. A trip already begun goes on,
    /// unless the new policy only observes.
    Policy(Box<Policy>),
    /// The outage guard of a fleet: `Some` says why every trip holds that no person asked for, `None` lets a
    /// held trip be decided again, on a fresh list of pods.
    Guard(Option<String>),
}

/// What a breaker wants done. Each comes back as an [`Input`].
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find out why; answer with [`Input::Verdict`].
    GatherEvidence(Box<EvidenceRequest>),
    /// Read the target's scale.
    ReadScale,
    /// List the target's pods afresh; answer with [`Input::PodsListed`].
    ListPods,
    /// Read the Record again: another watcher may have written it.
    LoadRecord,
    /// Store the Record, over the version last read or written.
    SaveRecord(Box<Record>),
    /// Set the replicas, if the target still is as `seen`.
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
    /// Ask the hook, within its timeout; answer with [`Outcome::HookAnswered`].
    CallHook {
        /// The hook, with its timeout.
        hook: BeforeTrip,
        /// The question.
        event: Box<CloudEvent>,
    },
    /// Send a notification once; answer with [`Outcome::Notified`].
    Notify {
        /// The receiver.
        to: Endpoint,
        /// The message.
        event: Box<CloudEvent>,
    },
    /// Report an event.
    Emit(BreakerEvent),
    /// Come back with [`Input::Tick`] at this time, if nothing else happens before.
    Wake(Timestamp),
}
