//! The flags of `watcher run`, and the checked options that they become.

use std::path::PathBuf;
use std::sync::Arc;

use breaker_core::policy::Mode;
use breaker_core::supervisor::RunUntil;
use breaker_core::webhook::WebhookClient;
use breaker_core::{Classifier, Policy};
use clap::Args;
use jiff::SignedDuration;

use crate::cli::cluster_args::{ClusterArgs, TargetArgs};
use crate::cli::counting_args::CountingArgs;
use crate::cli::exit::UsageError;
use crate::cli::format::LineFormat;
use crate::cli::hooks::{CheckedHooks, HookArgs};
use crate::cli::rules;
use crate::cli::values::Heartbeat;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    counting: CountingArgs,
    /// Custom classifier rules (YAML), added to the built-in ones.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    hooks: HookArgs,
    /// Report when it would trip; write nothing to the cluster.
    #[arg(long, help_heading = "Running")]
    dry_run: bool,
    /// Continue after a trip, or after the first `would_trip` of a dry run.
    #[arg(long, help_heading = "Running")]
    keep_watching: bool,
    /// Interval of the heartbeat lines, from 1s to 24h, or none.
    #[arg(
        long,
        value_name = "SPAN",
        default_value = "60s",
        allow_hyphen_values = true,
        help_heading = "Running"
    )]
    heartbeat: Heartbeat,
    /// Format of the events on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Running")]
    output: LineFormat,
}

/// The checked options of `watcher run`.
pub(crate) struct RunOptions {
    pub(crate) cluster: ClusterArgs,
    pub(crate) target: TargetArgs,
    pub(crate) policy: Policy,
    pub(crate) classifier: Classifier,
    pub(crate) until: RunUntil,
    pub(crate) heartbeat: Option<SignedDuration>,
    pub(crate) format: LineFormat,
    pub(crate) webhooks: Option<Arc<dyn WebhookClient>>,
}

impl RunArgs {
    /// # Errors
    /// [`UsageError`] when the rules file or the secret file cannot be used.
    pub(crate) fn check(self) -> Result<RunOptions, UsageError> {
        let Self { target, cluster, counting, rules, hooks, dry_run, keep_watching, heartbeat, output } =
            self;
        let CheckedHooks { hooks, webhooks } = hooks.check()?;
        let mode = if dry_run { Mode::Observe } else { Mode::Enforce };
        Ok(RunOptions {
            cluster,
            target,
            policy: Policy { hooks, ..counting.policy(mode) },
            classifier: rules::load(rules.as_deref())?,
            until: if keep_watching { RunUntil::Forever } else { RunUntil::Tripped },
            heartbeat: heartbeat.0,
            format: output,
            webhooks,
        })
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::WorkloadRef;
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};

    #[test]
    fn without_flags_the_policy_is_the_default_one() {
        let cli = Cli::try_parse_from(["watcher", "run", "--deployment", "swype-app"]).unwrap();
        let Command::Run(args) = cli.command else { panic!("not run") };
        let run = args.check().unwrap();
        assert_eq!(run.policy, Policy::default());
        assert_eq!(run.until, RunUntil::Tripped);
        let target = run.target.in_namespace("sre").unwrap();
        assert_eq!(target, WorkloadRef::deployment("sre", "swype-app"));
    }
}
