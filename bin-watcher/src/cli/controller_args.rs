//! The flags of `watcher controller`, and the checked options that they become.

use std::net::SocketAddr;
use std::path::PathBuf;

use breaker_core::Classifier;
use breaker_core::guard::CommonPeerMode;
use breaker_kube::webhook::LocalReceivers;
use clap::{ArgAction, Args, ValueEnum};
use jiff::SignedDuration;

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::UsageError;
use crate::cli::format::{LineFormat, LogFormat};
use crate::cli::rules;
use crate::cli::values;

/// What the outage guard does with a trip when one peer is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CommonPeerArg {
    /// Hold it, as in any other outage.
    Hold,
    /// Let it happen.
    Trip,
}

#[derive(Debug, Args)]
pub(crate) struct ControllerArgs {
    /// Path of the kubeconfig file.
    ///
    /// [default: $KUBECONFIG, then ~/.kube/config, then the service account of the pod]
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current context].
    #[arg(long, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// Watch the CircuitBreakers of this namespace [default: of all].
    #[arg(short, long, value_name = "NS", value_parser = values::name, help_heading = "Cluster")]
    namespace: Option<String>,
    /// Outage guard: hold all trips while more targets than this fail.
    ///
    /// A target counts as failing when it had a counted restart in the last 10 minutes. Trips are
    /// held only while more than half of all targets are also failing, because the cause is then
    /// probably not in the targets.
    #[arg(long, value_name = "N", default_value = "3")]
    outage_guard_targets: u32,
    /// Outage guard: trip or hold when all failing targets name one peer.
    ///
    /// The default of breakers without spec.outageGuard.commonPeer. With trip the guard holds no
    /// trip while every failing target names one and the same peer, and that peer is not a part of
    /// the cluster itself: its DNS, its API server or a node.
    #[arg(long, value_enum, value_name = "MODE", default_value = "hold")]
    outage_guard_common_peer: CommonPeerArg,
    /// Custom classifier rules (YAML), added to the built-in ones.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Let hooks and notifications go to loopback and link-local addresses.
    ///
    /// They are refused by default: who may write a CircuitBreaker would reach the controller's
    /// neighbours by them, and the metadata service of a cloud.
    #[arg(long)]
    allow_local_hooks: bool,
    /// How often each breaker compares its status, from 1s to 24h.
    ///
    /// A changed status is written.
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = values::interval, allow_hyphen_values = true)]
    status_interval: SignedDuration,
    /// Address of /metrics, /healthz and /readyz [default: not served].
    ///
    /// For example 0.0.0.0:9090. Port 0 takes a free port.
    #[arg(long, value_name = "ADDRESS", help_heading = "Running")]
    bind_address: Option<SocketAddr>,
    /// Whether to elect one leader among several replicas.
    ///
    /// Without an election this controller always acts: run a single replica.
    #[arg(
        long,
        value_name = "BOOL",
        action = ArgAction::Set,
        default_value_t = true,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        help_heading = "Leader election"
    )]
    leader_elect: bool,
    /// Name of the Lease.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "bigredbutton-controller",
        value_parser = values::name,
        help_heading = "Leader election"
    )]
    leader_election_id: String,
    /// Namespace of the Lease [default: -n, else that of the context].
    #[arg(long, value_name = "NS", value_parser = values::name, help_heading = "Leader election")]
    leader_election_namespace: Option<String>,
    /// Format of the events on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Running")]
    output: LineFormat,
    /// Format of the log on stderr.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Running")]
    pub(crate) log_format: LogFormat,
}

/// The checked options of `watcher controller`.
pub(crate) struct ControllerOptions {
    pub(crate) cluster: ClusterArgs,
    pub(crate) namespace: Option<String>,
    pub(crate) outage_guard_targets: u32,
    pub(crate) outage_guard_common_peer: CommonPeerMode,
    pub(crate) classifier: Classifier,
    pub(crate) local_receivers: LocalReceivers,
    pub(crate) status_interval: SignedDuration,
    pub(crate) bind_address: Option<SocketAddr>,
    /// The Lease of the election; `None` without an election.
    pub(crate) lease: Option<LeaseName>,
    pub(crate) format: LineFormat,
    pub(crate) log_format: LogFormat,
}

/// The name of a Lease.
pub(crate) struct LeaseName {
    /// `None`: the namespace of the controller's cluster flags.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl ControllerArgs {
    /// # Errors
    /// [`UsageError`] when the rules file cannot be used.
    pub(crate) fn check(self) -> Result<ControllerOptions, UsageError> {
        let Self { kubeconfig, context, namespace, outage_guard_targets, rules, status_interval, .. } = self;
        let lease = LeaseName { namespace: self.leader_election_namespace, name: self.leader_election_id };
        Ok(ControllerOptions {
            cluster: ClusterArgs { kubeconfig, context, namespace: namespace.clone() },
            namespace,
            outage_guard_targets,
            outage_guard_common_peer: match self.outage_guard_common_peer {
                CommonPeerArg::Hold => CommonPeerMode::Hold,
                CommonPeerArg::Trip => CommonPeerMode::Trip,
            },
            classifier: rules::load(rules.as_deref())?,
            local_receivers: if self.allow_local_hooks {
                LocalReceivers::Allowed
            } else {
                LocalReceivers::Refused
            },
            status_interval,
            bind_address: self.bind_address,
            lease: self.leader_elect.then_some(lease),
            format: self.output,
            log_format: self.log_format,
        })
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::guard::CommonPeerMode;
    use clap::Parser;

    use crate::cli::args::{Cli, Command};

    fn lease(flags: &[&str]) -> Option<(Option<String>, String)> {
        let cli = Cli::try_parse_from([&["watcher", "controller"], flags].concat()).unwrap();
        let Command::Controller(args) = cli.command else { panic!("not controller") };
        args.check().unwrap().lease.map(|lease| (lease.namespace, lease.name))
    }

    #[test]
    fn the_outage_guard_holds_unless_a_flag_lets_one_peer_trip() {
        let mode = |flags: &[&str]| {
            let cli = Cli::try_parse_from([&["watcher", "controller"], flags].concat()).unwrap();
            let Command::Controller(args) = cli.command else { panic!("not controller") };
            args.check().unwrap().outage_guard_common_peer
        };
        assert_eq!(mode(&[]), CommonPeerMode::Hold);
        assert_eq!(mode(&["--outage-guard-common-peer", "hold"]), CommonPeerMode::Hold);
        assert_eq!(mode(&["--outage-guard-common-peer=trip"]), CommonPeerMode::Trip);
    }

    #[test]
    fn a_leader_is_elected_by_the_named_lease_unless_that_is_turned_off() {
        let usual = || Some((None, "bigredbutton-controller".to_owned()));
        assert_eq!(lease(&[]), usual());
        assert_eq!(lease(&["--leader-elect"]), usual());
        assert_eq!(lease(&["--leader-elect=true"]), usual());
        assert_eq!(lease(&["--leader-elect=false", "--leader-election-id", "brb"]), None);
        let named = lease(&["--leader-election-id=brb", "--leader-election-namespace=ops"]);
        assert_eq!(named, Some((Some("ops".into()), "brb".into())));
    }
}
