//! What a supervisor is given, and how it stops.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::webhook::WebhookClient;
use crate::{Classifier, Clock, ClusterClient, ClusterError};

/// When a [`Supervisor`](crate::Supervisor) stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunUntil {
    /// The target is at zero and its pods have terminated, or two minutes have passed. In a dry
    /// run: the breaker would have tripped.
    Tripped,
    /// A command has been carried out and recorded.
    Settled,
    /// Never, unless the target is deleted.
    Forever,
}

/// Why a [`Supervisor`](crate::Supervisor) stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// The target is at zero.
    Tripped {
        /// Names of the pods that have not terminated in time.
        left: Vec<String>,
    },
    /// Dry run: the breaker would have tripped.
    WouldTrip,
    /// The command is done.
    Settled,
    /// The target was deleted.
    Lost,
}

/// The dependencies of a [`Supervisor`](crate::Supervisor).
#[derive(Clone)]
pub struct Dependencies {
    /// The cluster.
    pub client: Arc<dyn ClusterClient>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The classifier of terminations.
    pub classifier: Arc<Classifier>,
    /// The client for the policy's webhooks; `None` if none may be called.
    pub webhooks: Option<Arc<dyn WebhookClient>>,
}

/// Options of a [`Supervisor`](crate::Supervisor).
#[derive(Debug)]
pub struct SupervisorOptions {
    /// Write neither the Record nor Events, and send no notifications; for a policy that only
    /// observes. Default: false.
    pub dry_run: bool,
    /// Where the Record is kept. Default: [`RecordStorage::Preferred`].
    pub record: RecordStorage,
    /// Read logs and Events of terminated containers. If false, only the status of a pod decides
    /// the cause. Default: true.
    pub gather_evidence: bool,
    /// How often to emit a [`BreakerEvent::Heartbeat`](crate::BreakerEvent::Heartbeat); `None` for
    /// never. Default: never.
    pub heartbeat: Option<SignedDuration>,
    /// A sentence that ends the Event of a trip: how to restore the replicas. Default: none.
    pub restore_hint: Option<String>,
    /// Permissions known to be missing; each is reported once. Default: none.
    pub missing_permissions: Vec<ClusterError>,
    /// Report a pod watch that fails as a [`BreakerEvent::Warning`](crate::BreakerEvent::Warning).
    /// False where one watch serves many breakers and is reported once. Default: true.
    pub report_watch: bool,
}

/// Where the Record is kept. This is decided at the start: a save that fails later holds a trip.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecordStorage {
    /// In the cluster. A Record that must not be read is an error at the start.
    Required,
    /// In the cluster, or in memory if the Record must not be read.
    #[default]
    Preferred,
    /// In memory: it is lost with the process, and a trip must then be undone by hand.
    Memory,
}

impl Default for SupervisorOptions {
    fn default() -> Self {
        Self {
            dry_run: false,
            record: RecordStorage::default(),
            gather_evidence: true,
            heartbeat: None,
            restore_hint: None,
            missing_permissions: Vec::new(),
            report_watch: true,
        }
    }
}
