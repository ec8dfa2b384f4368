//! Faults of the calls to the in-memory cluster.

use jiff::SignedDuration;

/// A call of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // named after the methods of ClusterClient and WebhookClient
pub enum Call {
    ListPods,
    ReadScale,
    WriteScale,
    ScaledBy,
    LogTail,
    PodEvents,
    LoadRecord,
    SaveRecord,
    Publish,
    Post,
}

/// A fault; each applies once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call is not carried out and not answered.
    Refuse(Call),
    /// The call is carried out, and the answer is lost.
    LoseAnswer(Call),
    /// The call is answered with 403.
    Forbid(Call),
    /// The call meets a conflict, as if another client had just changed the object.
    Conflict(Call),
    /// The call takes this time.
    Lag(Call, SignedDuration),
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
