//! [`KubeClient`]: the connection to an API server that everything in this crate shares.

use std::sync::Arc;

use breaker_core::Clock;
use kube::Client;

use crate::discovery::KindCache;
use crate::peers::PeerCache;
use crate::request_metrics::{RequestCounter, RequestMetrics};
use crate::watch_liveness::WatchLiveness;

/// A cluster behind an API server: [`ClusterClient`](breaker_core::ClusterClient) on kube-rs.
///
/// Cheap to clone. Clones share connections, metrics and the cache of kinds, and may serve many
/// supervisors at once. Each call makes one attempt; [`breaker_core`] decides about retries.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Instant;
///
/// use breaker_core::jiff::{SignedDuration, Timestamp};
/// use breaker_core::{Clock, ClusterClient, WorkloadRef};
/// use breaker_kube::{ConnectOptions, KubeClient};
///
/// struct SystemClock(Instant);
///
/// #[async_trait::async_trait]
/// impl Clock for SystemClock {
///     fn now(&self) -> Timestamp {
///         Timestamp::now()
///     }
///
///     fn elapsed(&self) -> SignedDuration {
///         self.0.elapsed().try_into().unwrap_or(SignedDuration::MAX)
///     }
///
///     async fn sleep_until(&self, until: Timestamp) {
///         let wait = until.duration_since(Timestamp::now());
///         tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(SystemClock(Instant::now()));
/// let client = KubeClient::connect(ConnectOptions::default(), clock).await?;
/// let scale = client.read_scale(&WorkloadRef::deployment("sre", "swype-app")).await?;
/// println!("{} replicas of the pods {}", scale.replicas, scale.selector);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KubeClient {
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) watch_liveness: WatchLiveness,
    pub(crate) kinds: Arc<KindCache>,
    pub(crate) peers: Arc<PeerCache>,
    pub(crate) requests: RequestCounter,
    pub(crate) namespace: String,
    /// Hosts by which the API server is known to this process.
    pub(crate) api_server_hosts: Vec<String>,
}

impl KubeClient {
    /// The namespace of the kubeconfig's context or of the service account; else `default`.
    pub fn default_namespace(&self) -> &str {
        &self.namespace
    }

    /// What this client and its clones have counted so far.
    pub fn request_metrics(&self) -> RequestMetrics {
        self.requests.metrics()
    }
}
