//! From the cluster flags to a client, within a time that a person waits for.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::ClusterClient;
use breaker_kube::{ConnectError, KubeClient, Options};

use crate::args::ClusterArgs;
use crate::clock::SystemClock;

/// Connecting and the first reads may take so long, all together, so that "unreachable" is said within
/// ten seconds.
const START_WITHIN: Duration = Duration::from_secs(9);

/// A cluster, and the namespace that is meant.
pub(crate) struct Cluster {
    pub(crate) client: Arc<dyn ClusterClient>,
    pub(crate) kube: KubeClient,
    pub(crate) namespace: String,
}

/// The start took longer than [`START_WITHIN`].
#[derive(Debug, thiserror::Error)]
#[error(
    "the API server did not answer within {} s; check --kubeconfig and --context, and that this machine can \
     reach it",
    START_WITHIN.as_secs()
)]
pub(crate) struct Unreachable;

impl Cluster {
    pub(crate) async fn connect(args: &ClusterArgs) -> Result<Self, ConnectError> {
        let options = Options { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
        let kube = KubeClient::connect(options, Arc::new(SystemClock)).await?;
        let namespace = args.namespace.clone().unwrap_or_else(|| kube.default_namespace().to_owned());
        Ok(Self { client: Arc::new(kube.clone()), kube, namespace })
    }
}

/// What happens at the start, or [`Unreachable`].
pub(crate) async fn in_time<T>(start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(START_WITHIN, start).await {
        Ok(done) => done,
        Err(_) => Err(Unreachable.into()),
    }
}
