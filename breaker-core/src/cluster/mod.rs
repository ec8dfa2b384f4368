//! The cluster as the breaker sees it: [`ClusterClient`], what its calls take and return, and their errors.

mod client;
mod error;
mod kubernetes_event;

pub use self::client::{ClusterClient, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
pub use self::error::{BoxError, ClusterError};
pub use self::kubernetes_event::KubernetesEvent;
