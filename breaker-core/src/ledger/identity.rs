//! Identities of containers, their instances and their terminations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pod::{PodUid, Terminated};

/// The identity of a container: the UID of its pod and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContainerKey {
    /// UID of the pod.
    pub pod: PodUid,
    /// Name of the container.
    pub container: String,
}

/// The identity of one instance of a container.
///
/// It is the `containerID` in the short form that `docker` and `crictl` print. When the runtime
/// lost the ID, it is `#n` with the number of the instance, from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(String);

impl InstanceId {
    /// The identity of an ended instance with this number.
    pub(crate) fn from_terminated(terminated: &Terminated, number: u32) -> Self {
        Self::from_container_id(&terminated.container_id).unwrap_or_else(|| Self::from_number(number))
    }

    /// The identity behind a `containerID`; `None` when that is empty.
    pub(crate) fn from_container_id(container_id: &str) -> Option<Self> {
        let bare = container_id.rsplit("://").next().unwrap_or_default();
        let end = bare.char_indices().nth(12).map_or(bare.len(), |(at, _)| at);
        (!bare.is_empty()).then(|| Self(bare[..end].to_owned()))
    }

    /// The identity of an instance whose `containerID` is lost: `#n`.
    pub(crate) fn from_number(number: u32) -> Self {
        Self(format!("#{number}"))
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identity of a termination: pod UID, container and instance. Two reports with the same
/// identity are about the same termination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TerminationId {
    /// The container that ended.
    pub key: ContainerKey,
    /// The instance that ended.
    pub instance: InstanceId,
}
