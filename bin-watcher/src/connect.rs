//! From the cluster flags to a client, within a time that a person waits for.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::ClusterClient;

use crate::args::ClusterArgs;
use crate::exit::Usage;

/// Connecting and the first reads may take so long, all together, so that "unreachable" is said within
/// ten seconds.
const START_WITHIN: Duration = Duration::from_secs(9);

/// A cluster, and the namespace that is meant.
pub(crate) struct Cluster {
    pub(crate) client: Arc<dyn ClusterClient>,
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
    pub(crate) async fn connect(args: &ClusterArgs) -> anyhow::Result<Self> {
        if let Some(path) = args.kubeconfig.as_ref().filter(|path| !path.exists()) {
            let path = path.display();
            return Err(Usage(format!(
                "kubeconfig {path} does not exist; check the path given to --kubeconfig"
            ))
            .into());
        }
        Err(Usage("no way to a cluster is built in yet".into()).into())
    }
}

/// What happens at the start, or [`Unreachable`].
pub(crate) async fn in_time<T>(start: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(START_WITHIN, start).await {
        Ok(done) => done,
        Err(_) => Err(Unreachable.into()),
    }
}
