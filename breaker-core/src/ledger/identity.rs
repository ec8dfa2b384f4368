//! Identities: which container, which of its instances.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pod::{PodUid, Terminated};

/// One container of one pod, over all its instances.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContainerKey {
    /// UID of the pod.
    pub pod: PodUid,
    /// Name of the container.
    pub container: String,
}

/// One instance of a container: its containerID in the short form that `docker` and `crictl` print,
/// or `#n` when the runtime lost the ID, with n the instance's number from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    pub(crate) fn of(terminated: &Terminated, number: u32) -> Self {
        Self::known(&terminated.container_id).unwrap_or_else(|| Self::numbered(number))
    }

    /// The identity behind a `containerID`, unless that is empty.
    pub(crate) fn known(container_id: &str) -> Option<Self> {
        let bare = container_id.rsplit("://").next().unwrap_or_default();
        let end = bare.char_indices().nth(12).map_or(bare.len(), |(at, _)| at);
        (!bare.is_empty()).then(|| Self(bare[..end].to_owned()))
    }

    pub(crate) fn numbered(number: u32) -> Self {
        Self(format!("#{number}"))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of one termination: (pod UID, container, instance). Seen again, it is the same termination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TerminationId {
    /// Whose termination.
    pub key: ContainerKey,
    /// Which instance.
    pub instance: InstanceId,
}
