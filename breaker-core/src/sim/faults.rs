//! Faults of the calls to the in-memory cluster.

use jiff::{SignedDuration, Timestamp};

/// A call of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // named after the methods of ClusterClient and WebhookClient
pub enum Call {
    ListPods,
    ReadScale,
    WriteScale,
    ScaledBy,
    LogTail,
    PodEvents,
    PeerService,
    LoadRecord,
    SaveRecord,
    Publish,
    Post,
}

/// A fault.
///
/// | fault | carried out | answer |
/// |---|---|---|
/// | `Refuse` | no | none |
/// | `LoseAnswer` | yes | none |
/// | `TimeOut` | later | none |
/// | `BadGateway` | no | the page of a proxy |
/// | `GarbleAnswer` | yes | cut off or not JSON, with status 200 |
/// | `Conflict` | no | 409 |
/// | `NotFound` | no | 404 |
/// | `Forbid` | no | 403: a permission is missing |
/// | `Deny` | no | 403 of an admission policy |
/// | `Reject` | no | 422 |
/// | `Lag` | after the delay | the right one |
/// | `DelayAnswer` | yes | the right one, after the delay |
///
/// ```
/// use breaker_core::sim::{Call, Fault, Sim};
/// use breaker_core::{ClusterClient, ClusterError, WorkloadRef};
///
/// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 3);
/// sim.with(|world| world.fault(Fault::GarbleAnswer(Call::WriteScale)));
/// let answer = sim.run(async {
///     let scale = sim.read_scale(sim.target()).await?;
///     sim.write_scale(sim.target(), &scale, 0).await
/// });
/// assert!(matches!(answer, Some(Err(ClusterError::Unclear { .. }))));
/// assert_eq!(sim.with(|world| world.replicas()), 0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call is not carried out and not answered.
    Refuse(Call),
    /// The call is carried out, and the answer is lost.
    LoseAnswer(Call),
    /// The client gives up after ten seconds; the call is carried out after this time all the same.
    TimeOut(Call, SignedDuration),
    /// A proxy answers 502 in place of the API server.
    BadGateway(Call),
    /// The call is carried out, and the answer cannot be decoded.
    GarbleAnswer(Call),
    /// The call meets a conflict, as if another client had just changed the object.
    Conflict(Call),
    /// The call is answered with 404.
    NotFound(Call),
    /// The call is answered with 403, now and ever after: a permission is missing.
    Forbid(Call),
    /// An admission policy denies the call, with a sentence.
    Deny(Call),
    /// The API server refuses the call as invalid.
    Reject(Call),
    /// The call takes this time, and is carried out at its end.
    Lag(Call, SignedDuration),
    /// The call is carried out at once, and the answer takes this time: a list comes late.
    DelayAnswer(Call, SignedDuration),
    /// The watch loses its next event; the next list corrects it.
    DropNews,
    /// The watch delivers its next event twice.
    DuplicateNews,
    /// The process crashes after more calls have reached the cluster.
    Crash {
        /// Number of calls still carried out; with 0 the process crashes before the next one.
        after: u32,
    },
}

impl Fault {
    /// The call that it applies to; `None` for a fault of the watch or of the process.
    pub fn call(self) -> Option<Call> {
        match self {
            Self::Refuse(call)
            | Self::LoseAnswer(call)
            | Self::TimeOut(call, _)
            | Self::BadGateway(call)
            | Self::GarbleAnswer(call)
            | Self::Conflict(call)
            | Self::NotFound(call)
            | Self::Forbid(call)
            | Self::Deny(call)
            | Self::Reject(call)
            | Self::Lag(call, _)
            | Self::DelayAnswer(call, _) => Some(call),
            Self::DropNews | Self::DuplicateNews | Self::Crash { .. } => None,
        }
    }

    fn is_of_the_watch(self) -> bool {
        matches!(self, Self::DropNews | Self::DuplicateNews)
    }
}

/// A fault that waits for its call.
#[derive(Debug, Clone, Copy)]
struct Planned {
    fault: Fault,
    /// Fitting calls that it lets pass.
    skip: u32,
    /// It applies to every fitting call until then, not only to one.
    until: Option<Timestamp>,
}

/// The faults to come, and those that have applied.
#[derive(Debug, Default)]
pub(super) struct FaultQueue {
    planned: Vec<Planned>,
    pub(super) struck: Vec<Fault>,
}

impl FaultQueue {
    pub(super) fn add(&mut self, fault: Fault, skip: u32, until: Option<Timestamp>) {
        // A missing permission stays missing.
        let until = if matches!(fault, Fault::Forbid(_)) { Some(Timestamp::MAX) } else { until };
        self.planned.push(Planned { fault, skip, until });
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    /// The fault of this call, if there is one, and whether it lasts.
    pub(super) fn strikes(&mut self, call: Call, now: Timestamp) -> Option<(Fault, bool)> {
        self.take(|fault| fault.call() == Some(call), now)
    }

    /// How often the watch delivers its next event.
    pub(super) fn copies_of_news(&mut self, now: Timestamp) -> usize {
        match self.take(Fault::is_of_the_watch, now) {
            Some((Fault::DropNews, _)) => 0,
            Some(_) => 2,
            None => 1,
        }
    }

    fn take(&mut self, fits: impl Fn(Fault) -> bool, now: Timestamp) -> Option<(Fault, bool)> {
        self.planned.retain(|planned| planned.until.is_none_or(|until| now < until));
        let mut first = None;
        for (at, planned) in self.planned.iter_mut().enumerate().filter(|(_, planned)| fits(planned.fault)) {
            if planned.skip > 0 {
                planned.skip -= 1;
            } else if first.is_none() {
                first = Some(at);
            }
        }
        let Planned { fault, until, .. } = self.planned[first?];
        if until.is_none() {
            self.planned.remove(first?);
        }
        self.struck.push(fault);
        Some((fault, until.is_some()))
    }
}
