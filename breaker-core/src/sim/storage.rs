//! What the cluster stores of the workload: its scale and its Record.

use super::pod::Pod;
use crate::Record;

/// The stored Record.
#[derive(Debug, Clone)]
pub(super) struct RecordSlot {
    pub(super) record: Record,
    pub(super) version: u64,
    /// What is stored cannot be parsed.
    pub(super) damaged: bool,
}

/// The workload and its Record.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    /// Empty when the workload does not exist.
    pub(super) uid: String,
    pub(super) replicas: u32,
    pub(super) version: u64,
    pub(super) selector: String,
    /// The client that set the replicas last.
    pub(super) manager: String,
    pub(super) record: Option<RecordSlot>,
}

impl Storage {
    /// The Record, if it can be read.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref().filter(|slot| !slot.damaged).map(|slot| &slot.record)
    }
}

/// A backup of the storage.
#[derive(Debug, Clone)]
pub struct Backup {
    pub(super) storage: Storage,
    pub(super) pods: Vec<Pod>,
}
