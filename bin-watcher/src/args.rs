//! The command line: what may be typed, and the checked request it becomes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use breaker_core::policy::{CauseSet, MinFailing, Mode, Unobserved, Window};
use breaker_core::supervisor::RunUntil;
use breaker_core::webhook::WebhookClient;
use breaker_core::workload::TargetArg;
use breaker_core::{Classifier, Policy, WorkloadRef};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::SignedDuration;

use crate::controller::LeaseArg;
use crate::exit::Usage;
use crate::hooks::{Checked, HookArgs, NotifyArgs};
use crate::log::LogFormat;
use crate::output::Format;
use crate::rules;
use crate::values::{self, Heartbeat};

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
    /// [`Usage`] when neither was given, which clap refuses before.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, Usage> {
        let typed = self.deployment.as_ref().or(self.target.as_ref());
        let typed = typed.ok_or_else(|| Usage("give --deployment NAME or --target KIND/NAME".into()))?;
        Ok(typed.clone().in_namespace(namespace))
    }
}

/// Which breaker, or which workload without one.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
#[command(next_help_heading = "Target (one of)")]
pub(crate) struct WhoArgs {
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

impl WhoArgs {
    /// Nobody in particular.
    pub(crate) fn is_nobody(&self) -> bool {
        self.breaker.is_none() && self.deployment.is_none() && self.target.is_none()
    }

    /// # Errors
    /// [`Usage`] when no workload was given.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Result<WorkloadRef, Usage> {
        let Self { deployment, target, .. } = self.clone();
        TargetArgs { deployment, target }.in_namespace(namespace)
    }
}

/// What counts, and how much is too much.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "When to trip")]
pub(crate) struct CountingArgs {
    /// Restarts tolerated for each pod that must be failing; one more trips.
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::max_restarts, allow_hyphen_values = true)]
    max_restarts: u32,
    /// How far back restarts count: a span such as 90s, 10m, 1h, or none.
    #[arg(long, value_name = "SPAN", default_value_t, allow_hyphen_values = true)]
    window: Window,
    /// Causes that count, separated by commas, or any.
    #[arg(long, value_name = "CAUSES", default_value_t, allow_hyphen_values = true)]
    causes: CauseSet,
    /// How many pods must be failing at that moment: a share such as 50%, or a number.
    #[arg(long, value_name = "SHARE", default_value_t, allow_hyphen_values = true)]
    min_failing_pods: MinFailing,
    /// What becomes of restarts that nobody saw: they inherit the newest cause, or stay unknown.
    #[arg(long, value_enum, default_value = "inherit")]
    unobserved: UnobservedArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UnobservedArg {
    Inherit,
    Ignore,
}

impl CountingArgs {
    pub(crate) fn policy(&self, mode: Mode) -> Policy {
        let Self { max_restarts, window, causes, min_failing_pods, unobserved } = *self;
        Policy {
            causes,
            max_restarts,
            window,
            min_failing_pods,
            unobserved: match unobserved {
                UnobservedArg::Inherit => Unobserved::Inherit,
                UnobservedArg::Ignore => Unobserved::Ignore,
            },
            mode,
            ..Policy::default()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    counting: CountingArgs,
    /// YAML file with rules of your own for telling why a container died.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    hooks: HookArgs,
    /// Only say when it would trip; write nothing to the cluster.
    #[arg(long, help_heading = "Running")]
    dry_run: bool,
    /// Go on after a trip, or after the first `would_trip` of a dry run.
    #[arg(long, help_heading = "Running")]
    keep_watching: bool,
    /// How often to say where things stand, from 1s to 24h, or none.
    #[arg(
        long,
        value_name = "SPAN",
        default_value = "60s",
        allow_hyphen_values = true,
        help_heading = "Running"
    )]
    heartbeat: Heartbeat,
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text", help_heading = "Running")]
    output: Format,
}

/// A checked `watcher run`.
pub(crate) struct Run {
    pub(crate) cluster: ClusterArgs,
    pub(crate) target: TargetArgs,
    pub(crate) policy: Policy,
    pub(crate) classifier: Classifier,
    pub(crate) until: RunUntil,
    pub(crate) heartbeat: Option<SignedDuration>,
    pub(crate) format: Format,
    pub(crate) messenger: Option<Arc<dyn WebhookClient>>,
}

impl RunArgs {
    /// # Errors
    /// [`Usage`] when the rules file or the secret cannot be used.
    pub(crate) fn check(self) -> Result<Run, Usage> {
        let Self { target, cluster, counting, rules, hooks, dry_run, keep_watching, heartbeat, output } =
            self;
        let Checked { hooks, messenger } = hooks.check()?;
        let mode = if dry_run { Mode::Observe } else { Mode::Enforce };
        Ok(Run {
            cluster,
            target,
            policy: Policy { hooks, ..counting.policy(mode) },
            classifier: rules::load(rules.as_deref())?,
            until: if keep_watching { RunUntil::Forever } else { RunUntil::Tripped },
            heartbeat: heartbeat.0,
            format: output,
            messenger,
        })
    }
}

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
    output: Format,
    /// How the program's own log looks, on stderr.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = "Running")]
    pub(crate) log_format: LogFormat,
}

/// A checked `watcher controller`.
pub(crate) struct Controller {
    pub(crate) cluster: ClusterArgs,
    pub(crate) namespace: Option<String>,
    pub(crate) guard_targets: u32,
    pub(crate) classifier: Classifier,
    pub(crate) heartbeat: SignedDuration,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) lease: LeaseArg,
    pub(crate) format: Format,
}

impl ControllerArgs {
    /// # Errors
    /// [`Usage`] when the rules file cannot be used.
    pub(crate) fn check(self) -> Result<Controller, Usage> {
        let Self { kubeconfig, context, namespace, guard_targets, rules, heartbeat, .. } = self;
        Ok(Controller {
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

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").args(["breaker", "deployment", "target"]).required(true))]
pub(crate) struct ActArgs {
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: Format,
}

#[derive(Debug, Args)]
pub(crate) struct TripArgs {
    #[command(flatten)]
    pub(crate) act: ActArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    pub(crate) act: ActArgs,
    #[command(flatten)]
    pub(crate) notices: NotifyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) who: WhoArgs,
    /// The breakers of all namespaces.
    #[arg(short = 'A', long, conflicts_with_all = ["breaker", "deployment", "target", "namespace"])]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) counting: CountingArgs,
    /// For people, with more columns, or for programs.
    #[arg(short, long, value_enum, default_value = "text", help_heading = "Output")]
    pub(crate) output: Shown,
}

/// How a status looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shown {
    Text,
    Wide,
    Json,
    Yaml,
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
    pub(crate) output: Shape,
}

/// How explanations look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    Text,
    Json,
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// One line, or one JSON object a line.
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: Format,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

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
