//! The flags that say which restarts count and how many trip.

use breaker_core::Policy;
use breaker_core::policy::{CauseSet, MinFailingPods, Mode, PeerSet, Unobserved, Window};
use clap::{Args, ValueEnum};

use crate::cli::values;

/// Which restarts count, and how many trip.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "When to trip")]
pub(crate) struct CountingArgs {
    /// Counted restarts tolerated for each pod that must be failing.
    ///
    /// One restart more trips. Range: 0 to 1000000.
    #[arg(long, value_name = "N", default_value = "3", value_parser = values::max_restarts, allow_hyphen_values = true)]
    max_restarts: u32,
    /// How long a restart counts: a span such as 90s, 10m or 1h, or none.
    ///
    /// With none, restarts count until the next trip or reset.
    #[arg(long, value_name = "SPAN", default_value_t, allow_hyphen_values = true)]
    window: Window,
    /// Causes that count, separated by commas, or any.
    #[arg(long, value_name = "CAUSES", default_value_t, allow_hyphen_values = true)]
    causes: CauseSet,
    /// Peers whose failures count: globs with * and ?, separated by commas, or any.
    ///
    /// A network restart then counts only if its log names a peer that matches, such as swype-* or
    /// *.swype.com:443. A glob without a port matches every port.
    #[arg(long, value_name = "GLOBS", default_value_t, allow_hyphen_values = true)]
    peers: PeerSet,
    /// Pods that must be failing now: a share (1% to 100%) or a number.
    #[arg(long, value_name = "SHARE", default_value_t, allow_hyphen_values = true)]
    min_failing_pods: MinFailingPods,
    /// Cause of restarts that the watcher did not observe.
    #[arg(long, value_enum, default_value = "inherit")]
    unobserved: UnobservedArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UnobservedArg {
    /// The cause of the newest observed restart, where that is safe.
    Inherit,
    /// Unknown.
    Ignore,
}

impl CountingArgs {
    pub(crate) fn policy(&self, mode: Mode) -> Policy {
        let Self { max_restarts, window, causes, ref peers, min_failing_pods, unobserved } = *self;
        Policy {
            causes,
            peers: peers.clone(),
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
