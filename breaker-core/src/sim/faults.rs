//! What can go wrong on the way to the cluster and back.

use jiff::SignedDuration;

/// A call through the door.
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

/// What goes wrong; each strikes once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call is not carried out, and nobody answers.
    Refuse(Call),
    /// The call is carried out, and the answer is lost.
    LoseAnswer(Call),
    /// The call is answered with 403.
    Forbid(Call),
    /// The call meets a conflict, as if somebody had just changed the object.
    Conflict(Call),
    /// The call takes this time.
    Lag(Call, SignedDuration),
    /// The watch loses its next event; the next list heals it.
    DropNews,
    /// The watch delivers its next event twice.
    DuplicateNews,
    /// The process dies after this many more calls have reached the cluster.
    Crash {
        /// Calls still carried out; 0 dies before the next one.
        after: u32,
    },
}
