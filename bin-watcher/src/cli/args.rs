//! The commands of the program, and the arguments that only one or two of them have.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::cli::cluster_args::{ClusterArgs, SubjectArgs};
use crate::cli::controller_args::ControllerArgs;
use crate::cli::counting_args::CountingArgs;
use crate::cli::format::{ExplainFormat, LineFormat, LogFormat, SchemaSubject, StatusFormat};
use crate::cli::hooks::{HookArgs, NotifyArgs};
use crate::cli::run_args::RunArgs;

/// The big red button for a Kubernetes workload.
///
/// Watches a workload and finds out why its containers terminate. When failures of a
/// dependency restart it too often, scales it to zero and says why. Remembers how many
/// replicas to restore.
#[derive(Debug, Parser)]
#[command(name = "watcher", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  tripped, would have tripped (--dry-run), or the command succeeded
  1  any other failure: a Record that cannot be read, a controller that does
     not act, a reset that leaves 0 replicas
  2  wrong usage, missing kubeconfig, or a target without a scale subresource
     or a selector
  3  target not found, or deleted while it was watched
  4  forbidden; the missing rules are printed if RBAC refused
  5  the API server does not answer at the start, or its answer is not
     understood
  130, 143  stopped by SIGINT, SIGTERM

The log goes to stderr. RUST_LOG sets its level (default: warn).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a workload, and scale it to zero when it restarts too often.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Scale a workload to zero now, whatever its counts are.
    ///
    /// For a CircuitBreaker, the controller does this; the command waits for up to 30 s.
    #[command(after_help = TRIP_EXAMPLES)]
    Trip(TripArgs),
    /// Restore the replicas and clear the counts.
    ///
    /// For a CircuitBreaker, the controller does this; the command waits for up to 30 s.
    #[command(after_help = RESET_EXAMPLES)]
    Reset(ResetArgs),
    /// Show the state of breakers or of a workload; writes nothing.
    ///
    /// Without a target, lists the breakers of the namespace.
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Explain why a breaker tripped or did not, or why containers terminated.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Show an outage, a trip and a reset in memory, without Kubernetes.
    Demo(DemoArgs),
    /// Run all CircuitBreakers of the cluster or of one namespace.
    #[command(after_help = CONTROLLER_EXAMPLES)]
    Controller(ControllerArgs),
    /// Print the CustomResourceDefinition of CircuitBreaker as YAML.
    #[command(after_help = "Example:\n  watcher crd | kubectl apply --server-side -f -")]
    Crd,
    /// Print the JSON Schema of events or of notifications.
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema {
        /// What the schema describes.
        subject: SchemaSubject,
    },
    /// Print a completion script for a shell.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the man page, or write one page for each command.
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Write one page for each command into this directory.
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

impl Command {
    /// Format of the program's log.
    pub(crate) fn log_format(&self) -> LogFormat {
        match self {
            Self::Controller(args) => args.log_format,
            _ => LogFormat::Text,
        }
    }
}

const SCHEMA_EXAMPLES: &str = "\
Examples:
  watcher schema events >watcher-events.json
  watcher schema notification >notification.json";

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
  watcher run -n sre --target statefulset/ledger --max-restarts 5
  watcher run -n sre --deployment swype-app --causes any --dry-run
  watcher run -n sre --deployment swype-app \\
    --before-trip http://swype-rollback.sre:8080/before-trip
  nohup watcher run -n sre --deployment swype-app -o json >out.jsonl &";

const CONTROLLER_EXAMPLES: &str = "\
Examples:
  watcher crd | kubectl apply --server-side -f -
  watcher controller
  watcher controller -n sre -o json --leader-elect=false
  watcher controller --bind-address 0.0.0.0:9090 --log-format json

A trip is written into the status of its CircuitBreaker before it is carried
out. A controller that is restarted continues from the status.";

const TRIP_EXAMPLES: &str = "\
Examples:
  watcher trip -n sre swype
  watcher trip -n sre --deployment swype-app
  watcher trip -n sre --target rollout.argoproj.io/swype-app
  watcher trip -n sre --deployment swype-app \\
    --before-trip http://swype-rollback.sre:8080/before-trip

For a workload without a CircuitBreaker, repeat the hook flags of `run`: they
are not stored. A hook that answers `hold` leaves the workload unchanged.";

const RESET_EXAMPLES: &str = "\
Examples:
  watcher reset -n sre swype
  watcher reset -n sre --deployment swype-app
  watcher reset --context prod -n sre --target statefulset/ledger";

const STATUS_EXAMPLES: &str = "\
Examples:
  watcher status -A
  watcher status -A --would-trip
  watcher status -n sre swype -o yaml
  watcher status -n sre --deployment swype-app
  watcher status -n sre --deployment swype-app -o json | jq .count

For a workload without a CircuitBreaker, repeat the counting flags of `run`:
they are not stored.";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  watcher explain -n sre swype
  watcher explain -n sre swype-app-6d4f9c7b5-x2x9q
  kubectl logs -n sre --previous POD | watcher explain -
  kubectl describe pod -n sre POD | watcher explain -
  kubectl get pods -n sre -o json | watcher explain -
  docker inspect CONTAINER | watcher explain -
  watcher explain cases.jsonl -o jsonl | jq -r .cause | sort | uniq -c

A file or a pipe holds one of these; each ended container has one answer:
  the output of `kubectl describe pod`, `kubectl get pod -o json` or `-o yaml`,
  `kubectl get events` as a table, JSON or YAML, `docker inspect`,
  `crictl inspect`, or a part of one of these;
  a log, also of several containers with the prefixes of `kubectl logs
  --prefix`, stern, kail or Compose;
  one case per line. A case is a JSON object:
  {\"id\", \"terminated\": {\"reason\", \"exitCode\", \"signal\", \"message\"},
   \"logTail\", \"events\": [{\"reason\", \"message\"}], \"waiting\": {\"reason\"},
   \"label\", \"network_kind\"}
When cases have a `label`, a table compares the labels with the verdicts.";

/// The arguments of a command on one breaker or workload.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("subject").args(["breaker", "deployment", "target"]).required(true))]
pub(crate) struct ActionArgs {
    #[command(flatten)]
    pub(crate) subject: SubjectArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Format of the events on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT")]
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
    /// List the breakers of all namespaces.
    #[arg(short = 'A', long, conflicts_with_all = ["breaker", "deployment", "target", "namespace"])]
    pub(crate) all_namespaces: bool,
    /// List when breakers that only observe would have tripped, and why.
    #[arg(long, conflicts_with_all = ["breaker", "deployment", "target"])]
    pub(crate) would_trip: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) counting: CountingArgs,
    /// Format of the status on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Output")]
    pub(crate) output: StatusFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A CircuitBreaker or pod by name, a file, or - for standard input.
    ///
    /// A file holds a log, pods as kubectl prints them, or one case per line as JSON.
    #[arg(value_name = "BREAKER|POD|FILE|-")]
    pub(crate) what: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Custom classifier rules (YAML), added to the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
    /// Format of the explanations on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) output: ExplainFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Format of the events on stdout.
    #[arg(short, long, value_enum, default_value = "text", value_name = "FORMAT")]
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
