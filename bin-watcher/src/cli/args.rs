//! The command line: what may be typed, and the checked request it becomes.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::cli::cluster_args::{ClusterArgs, SubjectArgs};
use crate::cli::controller_args::ControllerArgs;
use crate::cli::counting_args::CountingArgs;
use crate::cli::format::{ExplainFormat, LineFormat, LogFormat, StatusFormat};
use crate::cli::hooks::{HookArgs, NotifyArgs};
use crate::cli::run_args::RunArgs;

/// The big red button for a Kubernetes workload.
///
/// Watches one workload, works out why its containers keep dying, and when failures of a dependency restart
/// it too often scales it to zero, remembers how to bring it back, and says why.
#[derive(Debug, Parser)]
#[command(name = "watcher", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  tripped, would have tripped (--dry-run), or did what was asked
  1  failed for a reason that none of the others names
  2  wrong usage, missing kubeconfig, target without a selector
  3  target not found, or lost
  4  forbidden; the missing rule is printed
  5  cluster unreachable at start
  130, 143  stopped by SIGINT, SIGTERM

Logs of the watcher itself go to stderr by RUST_LOG (default warn).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a workload and scale it to zero when it keeps dying.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Press the red button: scale to zero now, whatever the counts say.
    #[command(after_help = TRIP_EXAMPLES)]
    Trip(TripArgs),
    /// Give the replicas back and count anew.
    #[command(after_help = RESET_EXAMPLES)]
    Reset(ResetArgs),
    /// Say where things stand; writes nothing.
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Say why a breaker did or did not act; or why containers ended, and by which words.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show an outage, the trip and its undoing on an in-memory cluster; needs no Kubernetes.
    Demo(DemoArgs),
    /// Run every CircuitBreaker of the cluster, or of one namespace.
    #[command(after_help = CONTROLLER_EXAMPLES)]
    Controller(ControllerArgs),
    /// Print the CustomResourceDefinition of CircuitBreaker as YAML.
    #[command(after_help = "Example:\n  watcher crd | kubectl apply --server-side -f -")]
    Crd,
    /// Print completions for a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Print the man page, or write one for each command.
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write one page for each command into this directory.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// How its log looks.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Self::Controller(args) => args.log_format,
            _ => LogFormat::Text,
        }
    }
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  watcher completions bash >/etc/bash_completion.d/watcher
  watcher completions zsh >\"${fpath[1]}/_watcher\"
  watcher completions fish >~/.config/fish/completions/watcher.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  watcher man | man -l -
  watcher man --dir /usr/local/share/man/man1";

const RUN_EXAMPLES: &str = "\
Examples:
  watcher run -n sre --deployment swype-app
  watcher run -n sre --target statefulset/ledger --max-restarts 5 --window 2h
  watcher run -n sre --deployment swype-app --causes any --dry-run --keep-watching
  watcher run -n sre --deployment swype-app --before-trip http://swype-rollback.sre:8080/before-trip
  nohup watcher run -n sre --deployment swype-app -o json >watcher.jsonl 2>watcher.err &";

const CONTROLLER_EXAMPLES: &str = "\
Examples:
  watcher crd | kubectl apply --server-side -f -
  watcher controller
  watcher controller -n sre -o json --lease none
  watcher controller --listen 0.0.0.0:9090 --log-format json

Each trip is written into the CircuitBreaker's status before it is carried out; stopped and started again, the
controller goes on where it was.";

const TRIP_EXAMPLES: &str = "\
Examples:
  watcher trip -n sre swype
  watcher trip -n sre --deployment swype-app
  watcher trip -n sre --target rollout.argoproj.io/swype-app
  watcher trip -n sre --deployment swype-app --before-trip http://swype-rollback.sre:8080/before-trip

Give the hook flags that `run` was given: they are not stored. A hook that holds leaves the workload as it is.";

const RESET_EXAMPLES: &str = "\
Examples:
  watcher reset -n sre swype
  watcher reset -n sre --deployment swype-app
  watcher reset --context prod -n sre --target statefulset/ledger";

const STATUS_EXAMPLES: &str = "\
Examples:
  watcher status -A
  watcher status -n sre swype -o yaml
  watcher status -n sre --deployment swype-app
  watcher status -n sre --deployment swype-app -o json | jq .count

For a workload without a CircuitBreaker give the counting flags that `run` was given: they are not stored.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  watcher explain -n sre swype
  watcher explain -n sre swype-app-6d4f9c7b5-x2x9q
  kubectl logs -n sre --previous swype-app-6d4f9c7b5-x2x9q | watcher explain -
  watcher explain cases.jsonl -o jsonl | jq 'select(.cause == \"unknown\")'

A file holds one case a line: {\"id\", \"terminated\": {\"reason\", \"exitCode\", \"signal\", \"message\"}, \"logTail\",
\"events\": [{\"reason\", \"message\"}], \"waiting\": {\"reason\"}}, and perhaps \"label\" and \"network_kind\": then a table of
what was got right follows.";

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").args(["breaker", "deployment", "target"]).required(true))]
pub(crate) struct ActionArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: LineFormat,
}

#[derive(Debug, Args)]
pub(crate) struct TripArgs {
    #[command(flatten)]
    pub(crate) action: ActionArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    pub(crate) action: ActionArgs,
    #[command(flatten)]
    pub(crate) notify: NotifyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    /// The breakers of all namespaces.
    #[arg(short = 'A', long, conflicts_with_all = ["breaker", "deployment", "target", "namespace"])]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) counting: CountingArgs,
    /// For people, with more columns, or for programs.
    #[arg(short, long, value_enum, default_value = "text", help_heading = "Output")]
    pub(crate) output: StatusFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A CircuitBreaker or a pod, by name, a file of cases (one JSON object a line) or of last words, or - for
    /// standard input.
    #[arg(value_name = "BREAKER|POD|FILE|-")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// YAML file with rules of your own for telling why a container died.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// For people, one JSON array, or one JSON object a line, in order.
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: ExplainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: LineFormat,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
