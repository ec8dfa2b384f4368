//! The policy: which restarts count, how many are too many, and what happens afterwards.

mod cause_set;
mod min_failing_pods;
mod window;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::cause_set::{BadCause, CauseSet};
pub use self::min_failing_pods::{BadMinFailing, MinFailing};
pub use self::window::{BadWindow, Window};
use crate::webhook::Hooks;

/// What an operator sets for one breaker. The empty document equals [`Policy::default`]; unknown
/// fields are refused by name.
///
/// ```
/// use breaker_core::Policy;
/// use breaker_core::jiff::SignedDuration;
///
/// let policy: Policy = serde_json::from_str(r#"{"maxRestarts": 5, "window": "2h"}"#)?;
/// assert_eq!(policy.max_restarts, 5);
/// assert_eq!(policy.shortest_sound_window(), SignedDuration::from_mins(75));
/// assert!(policy.warnings().is_empty());
/// assert!(serde_json::from_str::<Policy>(r#"{"maxRestart": 5}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// Causes whose restarts count. Default: network.
    pub causes: CauseSet,
    /// Counted restarts tolerated for each pod that must be failing; one more trips. Default 3.
    pub max_restarts: u32,
    /// How far back restarts count, measured on `finishedAt`. Default 1 h.
    pub window: Window,
    /// How many pods must be failing at the moment of the trip. Default half of them.
    pub min_failing_pods: MinFailing,
    /// Hold a trip whose failing pods are all on one node while the target has a Ready pod on another: then it
    /// is the node. Default: no.
    pub one_node: bool,
    /// What becomes of restarts that nobody saw. Default: inherit.
    pub unobserved: Unobserved,
    /// How an open breaker closes again. Default: by a person.
    pub recovery: Recovery,
    /// Act, or only say what would be done. Default: act.
    pub mode: Mode,
    /// Who is asked before a trip, and who is told. Default: nobody.
    pub hooks: Hooks,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            causes: CauseSet::default(),
            max_restarts: 3,
            window: Window::default(),
            min_failing_pods: MinFailing::default(),
            one_node: false,
            unobserved: Unobserved::default(),
            recovery: Recovery::default(),
            mode: Mode::default(),
            hooks: Hooks::default(),
        }
    }
}

impl Policy {
    /// The shortest window that sees every steady crash loop: `max_restarts` times 15 minutes, the
    /// kubelet's longest back-off (5 min) and the run that resets it (10 min).
    pub fn shortest_sound_window(&self) -> SignedDuration {
        SignedDuration::from_mins(15 * i64::from(self.max_restarts))
    }

    /// What an operator should know about this policy before relying on it.
    pub fn warnings(&self) -> Vec<PolicyWarning> {
        let shortest = self.shortest_sound_window();
        match self.window.length() {
            Some(window) if window < shortest => {
                vec![PolicyWarning::WindowTooShort { window, shortest, restarts: self.max_restarts + 1 }]
            }
            _ => vec![],
        }
    }
}

/// What an operator should know about a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// The window is shorter than a steady crash loop may take.
    #[error(
        "a window of {window:#} can overlook a steady crash loop: with the kubelet's back-off, {restarts} restarts \
         may take {shortest:#}"
    )]
    WindowTooShort {
        /// The window of the policy.
        window: SignedDuration,
        /// The shortest window that sees every steady crash loop.
        shortest: SignedDuration,
        /// The restarts that trip one pod.
        restarts: u32,
    },
}

/// Whether the breaker acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Scale when the policy says so.
    #[default]
    Enforce,
    /// Dry run: say what would be done, write no scale.
    Observe,
}

/// What becomes of restarts whose terminations nobody saw, because `restartCount` jumped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unobserved {
    /// They take the newest termination's verdict when the whole gap lies in the window, the container is
    /// failing now and no termination in the gap is known to have had another cause.
    #[default]
    Inherit,
    /// They stay unknown.
    Ignore,
}

/// How an open breaker closes again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", deny_unknown_fields)]
pub enum Recovery {
    /// By a reset, never by itself.
    #[default]
    Manual,
    /// After a cool-down a few replicas are tried first.
    #[serde(rename_all = "camelCase")]
    HalfOpen {
        /// First wait; doubles each time the probe fails.
        cooldown: SignedDuration,
        /// The longest wait.
        max_cooldown: SignedDuration,
        /// Replicas to try with, at least 1.
        probe_replicas: u32,
        /// How long they must live without a counted restart.
        probe_for: SignedDuration,
    },
}
