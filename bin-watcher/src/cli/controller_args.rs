//! The flags of `watcher controller`, and the checked options that they become.

use std::net::SocketAddr;
use std::path::PathBuf;

use breaker_core::Classifier;
use clap::Args;
use jiff::SignedDuration;

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::UsageError;
use crate::cli::format::{LineFormat, LogFormat};
use crate::cli::rules;
use crate::cli::values::{self, LeaseArg};

#[derive(Debug, Args)]
pub(crate) struct ControllerArgs {
    /// Path of the kubeconfig [default: $KUBECONFIG, ~/.kube/config, or the pod's service account].
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// Only the CircuitBreakers of this namespace [default: those of all namespaces].
    #[arg(short, long, value_name = "NS", value_parser = values::name, help_heading = "Cluster")]
    namespace: Option<String>,
    /// Outage guard: when more targets than this, and more than half of all, had counted restarts in the last
    /// 10 min, the trouble is not theirs, and every trip holds.
    #[arg(long, value_name = "N", default_value = "3")]
    guard_targets: u32,
    /// YAML file with rules of your own for telling why a container died.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// How often each breaker compares its status with where things stand, from 1s to 24h; only what changed is
    /// written.
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = values::every, allow_hyphen_values = true)]
    heartbeat: SignedDuration,
    /// Serve /metrics, /healthz and /readyz on this address, for example 0.0.0.0:9090 [default: not served].
    #[arg(long, value_name = "ADDRESS", help_heading = "Running")]
    listen: Option<SocketAddr>,
    /// The Lease by which one of several controllers leads, or none: then this one always does [default:
    /// bigredbutton-controller, in the namespace given by -n or in the context's].
    #[arg(long, value_name = "[NS/]NAME", value_parser = values::lease, help_heading = "Running")]
    lease: Option<LeaseArg>,
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text", help_heading = "Running")]
    output: LineFormat,
    /// How the program's own log looks, on stderr.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Running")]
    pub(crate) log_format: LogFormat,
}

/// A checked `watcher controller`.
pub(crate) struct ControllerOptions {
    pub(crate) cluster: ClusterArgs,
    pub(crate) namespace: Option<String>,
    pub(crate) guard_targets: u32,
    pub(crate) classifier: Classifier,
    pub(crate) heartbeat: SignedDuration,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) lease: LeaseArg,
    pub(crate) format: LineFormat,
}

impl ControllerArgs {
    /// # Errors
    /// [`UsageError`] when the rules file cannot be used.
    pub(crate) fn check(self) -> Result<ControllerOptions, UsageError> {
        let Self { kubeconfig, context, namespace, guard_targets, rules, heartbeat, .. } = self;
        Ok(ControllerOptions {
            cluster: ClusterArgs { kubeconfig, context, namespace: namespace.clone() },
            namespace,
            guard_targets,
            classifier: rules::load(rules.as_deref())?,
            heartbeat,
            listen: self.listen,
            lease: self.lease.unwrap_or(LeaseArg::Usual),
            format: self.output,
        })
    }
}
