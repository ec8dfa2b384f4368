//! The flags that name a cluster and a workload or breaker in it.

use std::path::PathBuf;

use breaker_core::WorkloadRef;
use breaker_core::workload::TargetArg;
use clap::Args;

use crate::cli::exit::UsageError;
use crate::cli::values;

/// Which cluster; the flags are kubectl's own.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Path of the kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's service account].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Namespace of the workload [default: the context's].
    #[arg(short, long, value_name = "NS", value_parser = values::name)]
    pub(crate) namespace: Option<String>,
}

/// Which workload: exactly one of the two.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Target (one of)")]
pub(crate) struct TargetArgs {
    /// A Deployment, by name.
    #[arg(long, value_name = "NAME", value_parser = values::deployment)]
    deployment: Option<TargetArg>,
    /// Anything with a scale subresource, as kubectl names it: statefulset/ledger, rollout.argoproj.io/app.
    #[arg(long, value_name = "KIND/NAME", value_parser = values::target)]
    target: Option<TargetArg>,
}

impl TargetArgs {
    /// # Errors
    /// [`UsageError`] when neither was given, which clap refuses before.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, UsageError> {
        let typed = self.deployment.as_ref().or(self.target.as_ref());
        let typed = typed.ok_or_else(|| UsageError("give --deployment NAME or --target KIND/NAME".into()))?;
        Ok(typed.clone().in_namespace(namespace))
    }
}

/// Which breaker, or which workload without one.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Target (one of)")]
pub(crate) struct SubjectArgs {
    /// A CircuitBreaker, by name; its controller does it.
    #[arg(value_name = "BREAKER", value_parser = values::name)]
    pub(crate) breaker: Option<String>,
    /// A Deployment, by name, without a CircuitBreaker.
    #[arg(long, value_name = "NAME", value_parser = values::deployment)]
    deployment: Option<TargetArg>,
    /// Anything with a scale subresource, as kubectl names it: statefulset/ledger, rollout.argoproj.io/app.
    #[arg(long, value_name = "KIND/NAME", value_parser = values::target)]
    target: Option<TargetArg>,
}

impl SubjectArgs {
    /// Nobody in particular.
    pub(crate) fn is_empty(&self) -> bool {
        self.breaker.is_none() && self.deployment.is_none() && self.target.is_none()
    }

    /// # Errors
    /// [`UsageError`] when no workload was given.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, UsageError> {
        let Self { deployment, target, .. } = self.clone();
        TargetArgs { deployment, target }.in_namespace(namespace)
    }
}
