//! The flags that name a cluster, and a workload or breaker in it.

use std::path::PathBuf;

use breaker_core::WorkloadRef;
use breaker_core::workload::TargetArg;
use clap::Args;

use crate::cli::exit::UsageError;
use crate::cli::values;

/// The cluster. The flags have kubectl's names.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Path of the kubeconfig file.
    ///
    /// [default: $KUBECONFIG, then ~/.kube/config, then the service account of the pod]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Namespace of the workload or breaker [default: that of the context].
    #[arg(short, long, value_name = "NS", value_parser = values::name)]
    pub(crate) namespace: Option<String>,
}

/// A workload, by exactly one of two flags.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
#[command(next_help_heading = "Target (one of)")]
pub(crate) struct TargetArgs {
    /// Name of a Deployment.
    #[arg(long, value_name = "NAME", value_parser = values::deployment)]
    deployment: Option<TargetArg>,
    /// Any resource with a scale subresource, as KIND/NAME.
    ///
    /// For example statefulset/ledger or rollout.argoproj.io/app.
    #[arg(long, value_name = "KIND/NAME", value_parser = values::target)]
    target: Option<TargetArg>,
}

impl TargetArgs {
    /// The workload in `namespace`.
    ///
    /// # Errors
    /// [`UsageError`] when neither flag was given. clap refuses that before.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, UsageError> {
        let arg = self.deployment.as_ref().or(self.target.as_ref());
        let arg =
            arg.ok_or_else(|| UsageError("no target; give --deployment NAME or --target KIND/NAME".into()))?;
        Ok(arg.clone().in_namespace(namespace))
    }
}

/// A breaker, or a workload without one.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Target (one of)")]
pub(crate) struct SubjectArgs {
    /// Name of a CircuitBreaker.
    #[arg(value_name = "BREAKER", value_parser = values::name)]
    pub(crate) breaker: Option<String>,
    /// Name of a Deployment that has no CircuitBreaker.
    #[arg(long, value_name = "NAME", value_parser = values::deployment)]
    deployment: Option<TargetArg>,
    /// A scalable resource that has no CircuitBreaker, as KIND/NAME.
    ///
    /// For example statefulset/ledger or rollout.argoproj.io/app.
    #[arg(long, value_name = "KIND/NAME", value_parser = values::target)]
    target: Option<TargetArg>,
}

impl SubjectArgs {
    /// Whether neither a breaker nor a workload was named.
    pub(crate) fn is_empty(&self) -> bool {
        self.breaker.is_none() && self.deployment.is_none() && self.target.is_none()
    }

    /// The workload in `namespace`.
    ///
    /// # Errors
    /// [`UsageError`] when no workload was named.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, UsageError> {
        let Self { deployment, target, .. } = self.clone();
        TargetArgs { deployment, target }.in_namespace(namespace)
    }
}
