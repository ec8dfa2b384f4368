//! The cluster API of a breaker: [`ClusterClient`], the arguments and results of its calls, and
//! their errors.

mod client;
mod error;
mod kubernetes_event;
mod peer_service;

pub use self::client::{ClusterClient, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
pub use self::error::{BoxError, ClusterError};
pub use self::kubernetes_event::KubernetesEvent;
pub use self::peer_service::{PeerService, ServiceAddress};
