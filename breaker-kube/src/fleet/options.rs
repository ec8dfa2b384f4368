//! [`FleetOptions`]: how a fleet behaves.

use std::sync::Arc;

use breaker_core::Classifier;
use breaker_core::guard::CommonPeerMode;
use breaker_core::webhook::WebhookClient;
use jiff::SignedDuration;

/// How a fleet behaves.
#[derive(Clone)]
#[non_exhaustive]
pub struct FleetOptions {
    /// Namespace whose CircuitBreakers run. Default `None`: all namespaces.
    pub namespace: Option<String>,
    /// The outage guard holds every trip while more targets than this, and more than half of all,
    /// fail at once. Default 3.
    pub outage_guard_targets: u32,
    /// What the guard does with trips of breakers that do not say so themselves, when every failing
    /// target names one peer. Default: hold them.
    pub outage_guard_common_peer: CommonPeerMode,
    /// Classifies terminations. Default: the built-in rules.
    pub classifier: Arc<Classifier>,
    /// How often each breaker refreshes its status. An unchanged status is not written.
    /// Default 60 s.
    pub status_interval: SignedDuration,
    /// The pod that this process runs in. A breaker whose target is the workload of that pod is
    /// refused. Default `None`: this process does not run in the cluster.
    pub own_pod: Option<OwnPod>,
    /// The Lease of the election, as `NAMESPACE/NAME`: it is written into each status, so that
    /// clients see whether a controller runs. Default `None`: no election.
    pub lease: Option<String>,
    /// Sends the hooks of the CircuitBreakers. Default `None`: hooks are not called.
    pub webhooks: Option<Arc<dyn WebhookClient>>,
}

/// The pod that this process runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPod {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
}

impl Default for FleetOptions {
    fn default() -> Self {
        Self {
            namespace: None,
            outage_guard_targets: 3,
            outage_guard_common_peer: CommonPeerMode::default(),
            classifier: Arc::default(),
            status_interval: SignedDuration::from_secs(60),
            own_pod: None,
            lease: None,
            webhooks: None,
        }
    }
}
