//! The flags that say which restarts count and how many trip.

use breaker_core::Policy;
use breaker_core::policy::{CauseSet, MinFailing, Mode, Unobserved, Window};
use clap::{Args, ValueEnum};

use crate::cli::values;

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
