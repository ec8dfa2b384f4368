//! The rights a watch needs, asked for at its start: a right that is missing must not show at the trip.

use breaker_core::{ClusterError, WorkloadRef};

use crate::connect::Cluster;

/// Answers with what is missing and can be done without; empty when all is allowed.
///
/// # Errors
/// [`ClusterError::Forbidden`] for a right that a trip cannot do without.
pub(crate) async fn check(
    cluster: &Cluster,
    target: &WorkloadRef,
    dry_run: bool,
) -> anyhow::Result<Vec<ClusterError>> {
    let missing = cluster.kube.missing_permissions(target, dry_run).await?;
    if let Some(error) = missing.required.into_iter().next() {
        return Err(error.into());
    }
    Ok(missing.wanted)
}
