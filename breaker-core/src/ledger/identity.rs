//! Identities of containers, their instances and their terminations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pod::{PodUid, Terminated};

/// Longest `containerID` that is an identity as it is. The Record has room for 32 bytes of each
/// restart.
const MAX_ID_LEN: usize = 32;

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
/// It stands for the whole `containerID`: up to 32 bytes the ID itself, else its first 12, as
/// `docker` and `crictl` print them, and a hash of the whole. When the runtime lost the ID, it is
/// `#n` with the number of the instance, from 0. When the runtime uses an ID again, `#n` follows
/// it.
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
        if bare.len() <= MAX_ID_LEN {
            return (!bare.is_empty()).then(|| Self(bare.to_owned()));
        }
        Some(Self(format!("{}-{:016x}", &bare[..bare.floor_char_boundary(12)], hash(bare))))
    }

    /// The identity of an instance whose `containerID` is lost: `#n`.
    pub(crate) fn from_number(number: u32) -> Self {
        Self(format!("#{number}"))
    }

    /// The identity of an instance that has the `containerID` of an earlier one.
    pub(crate) fn reused(&self, number: u32) -> Self {
        Self(format!("{}#{number}", self.0))
    }
}

/// FNV-1a: the Record keeps it, so it must be the same in every version and on every machine.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> InstanceId {
        InstanceId::from_container_id(text).unwrap()
    }

    #[test]
    fn ids_that_share_their_beginning_or_their_end_are_different() {
        let long = |first: char, last: char| format!("containerd://{first}{}{last}", "0".repeat(62));
        assert_ne!(id(&long('a', '1')), id(&long('a', '2')));
        assert_ne!(id(&long('a', '1')), id(&long('b', '1')));
        assert_eq!(id(&long('a', '1')), id(&long('a', '1')));
        assert_ne!(id("containerd://0000000000001"), id("containerd://0000000000002"));
        assert_eq!(id("docker://abc").to_string(), "abc");
        assert_eq!(id(&long('a', '1')).to_string(), "a00000000000-60e2362d15b62527");
    }
}
