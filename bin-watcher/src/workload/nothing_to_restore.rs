//! [`NothingToRestore`]: the error of a reset that leaves its workload at zero.

use breaker_core::WorkloadRef;

/// The breaker is closed, its workload has 0 replicas, and no Record says how many it had.
#[derive(Debug, thiserror::Error)]
#[error(
    "{target} has 0 replicas, and no Record says how many to restore; {hint}: kubectl scale -n {} {} --replicas=N",
    .target.namespace,
    .target.slash()
)]
pub(crate) struct NothingToRestore {
    pub(crate) target: WorkloadRef,
    /// What to do before the command.
    pub(crate) hint: String,
}
