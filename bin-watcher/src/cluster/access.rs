//! The permissions that a watch needs, checked before it starts.

use breaker_core::policy::Mode;
use breaker_core::supervisor::RecordStorage;
use breaker_core::{ClusterError, WorkloadRef};

use crate::cluster::connect::Cluster;

/// Returns the missing permissions that a watch can do without; empty when all are granted.
///
/// # Errors
/// [`ClusterError::Forbidden`] for a permission that a trip needs.
pub(crate) async fn check(
    cluster: &Cluster,
    target: &WorkloadRef,
    dry_run: bool,
) -> anyhow::Result<Vec<ClusterError>> {
    let mode = if dry_run { Mode::Observe } else { Mode::Enforce };
    let missing = cluster.kube.missing_permissions(target, mode).await?;
    if let Some(error) = missing.required.into_iter().next() {
        return Err(error.into());
    }
    Ok(missing.optional)
}

/// Where `watcher run` keeps its Record with these permissions missing.
pub(crate) fn record_storage(missing: &[ClusterError]) -> RecordStorage {
    let of_record = |error: &ClusterError| matches!(error, ClusterError::Forbidden { resource, .. } if resource == "configmaps");
    if missing.iter().any(of_record) { RecordStorage::Memory } else { RecordStorage::Preferred }
}
