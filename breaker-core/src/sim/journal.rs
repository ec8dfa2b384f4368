//! What really happened: every change of the workload and of its Record, for an auditor.

use jiff::Timestamp;

use crate::Record;

/// One change of the workload or of its Record.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When it took effect, by the clock of the cluster.
    pub at: Timestamp,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// The wall clock of the watcher when it was sent.
    pub watcher_time: Timestamp,
    /// The Record that was stored when it was sent, if it could be read.
    pub sent_over: Option<Record>,
    /// `spec.replicas` before.
    pub replicas: u32,
    /// The Record that was stored before, if it could be read.
    pub record: Option<Record>,
    /// What changed.
    pub kind: ChangeKind,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeKind {
    /// The watcher set the replicas.
    Scaled(u32),
    /// Another client set the replicas.
    ScaledByOther(u32),
    /// The watcher stored this Record.
    Recorded(Box<Record>),
    /// The target was created again, or deleted.
    Replaced,
    /// The storage went back to a backup.
    WentBack,
    /// The stored Record was damaged or mended by another client.
    RecordTouched,
    /// Nothing: the watcher found a stored Record that cannot be read.
    FoundDamaged,
}
