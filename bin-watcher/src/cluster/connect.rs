//! Connects to the cluster that the flags name, within a startup timeout.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::ClusterClient;
use breaker_kube::{ConnectError, ConnectOptions, KubeClient};

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::Unreachable;
use crate::cluster::clock::SystemClock;

/// Timeout of connecting and the first reads together. With it "unreachable" is reported within ten
/// seconds.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(9);

/// A connected cluster, and the namespace that the flags or the context name.
pub(crate) struct Cluster {
    pub(crate) client: Arc<dyn ClusterClient>,
    pub(crate) kube: KubeClient,
    pub(crate) namespace: String,
}

impl Cluster {
    /// # Errors
    /// A kubeconfig that cannot be used.
    pub(crate) async fn connect(args: &ClusterArgs) -> Result<Self, ConnectError> {
        let options = ConnectOptions::new(args.kubeconfig.clone(), args.context.clone());
        let kube = KubeClient::connect(options, Arc::new(SystemClock)).await?;
        let namespace = args.namespace.clone().unwrap_or_else(|| kube.default_namespace().to_owned());
        Ok(Self { client: Arc::new(kube.clone()), kube, namespace })
    }
}

/// Runs `start` for at most [`STARTUP_TIMEOUT`].
///
/// # Errors
/// [`Unreachable`] after the timeout, else the error of `start`.
pub(crate) async fn with_startup_timeout<T>(
    start: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let result = tokio::time::timeout(STARTUP_TIMEOUT, start).await;
    result.unwrap_or_else(|_| Err(Unreachable(STARTUP_TIMEOUT).into()))
}
