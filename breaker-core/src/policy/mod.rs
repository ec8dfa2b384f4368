//! The policy of a breaker: which restarts count, how many trip it, and how it closes again.

mod cause_set;
mod counting;
mod min_failing_pods;
mod peer_set;
mod window;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::cause_set::{BadCause, CauseSet};
pub use self::counting::Uncounted;
pub use self::min_failing_pods::{BadMinFailingPods, MinFailingPods};
pub use self::peer_set::{BadPeer, PeerSet};
pub use self::window::{BadWindow, Window};
use crate::webhook::Hooks;

/// The settings of one breaker. An empty document equals [`Policy::default`]. An unknown field is
/// an error that names the field.
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
    /// The causes whose restarts count. Default: `network`.
    pub causes: CauseSet,
    /// The peers whose failures count: a network restart counts only if its peer matches. Default:
    /// any peer.
    pub peers: PeerSet,
    /// The counted restarts tolerated for each pod that must be failing. One more trips the
    /// breaker. Default: 3.
    pub max_restarts: u32,
    /// How far back restarts count, measured on `finishedAt`. Default: 1 hour.
    pub window: Window,
    /// The pods that must be failing at the moment of the trip. Default: half of them.
    pub min_failing_pods: MinFailingPods,
    /// Hold a trip while all failing pods are on one node and a pod on another node is Ready: then
    /// the node has failed, not the workload. Default: false.
    pub one_node: bool,
    /// How to count restarts that were not observed. Default: `Inherit`.
    pub unobserved: Unobserved,
    /// How an open breaker closes again. Default: `Manual`.
    pub recovery: Recovery,
    /// Whether the breaker scales the target. Default: `Enforce`.
    pub mode: Mode,
    /// The webhooks to ask before a trip and to notify. Default: none.
    pub hooks: Hooks,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            causes: CauseSet::default(),
            peers: PeerSet::ANY,
            max_restarts: 3,
            window: Window::default(),
            min_failing_pods: MinFailingPods::default(),
            one_node: false,
            unobserved: Unobserved::default(),
            recovery: Recovery::default(),
            mode: Mode::default(),
            hooks: Hooks::default(),
        }
    }
}

impl Policy {
    /// The shortest window in which every steady crash loop reaches the limit.
    ///
    /// It is `max_restarts` times 15 minutes: the kubelet's longest back-off (5 minutes) and the
    /// running time that resets it (10 minutes).
    pub fn shortest_sound_window(&self) -> SignedDuration {
        SignedDuration::from_mins(15 * i64::from(self.max_restarts))
    }

    /// Warnings about settings that are valid but risky.
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

/// A warning about a setting that is valid but risky.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// The window is shorter than a steady crash loop can take to reach the limit.
    #[error(
        "a window of {window:#} can overlook a steady crash loop: with the kubelet's back-off, {restarts} restarts \
         may take {shortest:#}"
    )]
    WindowTooShort {
        /// The window of the policy.
        window: SignedDuration,
        /// The shortest window in which every steady crash loop reaches the limit.
        shortest: SignedDuration,
        /// The number of restarts that trip a breaker with one pod.
        restarts: u32,
    },
}

/// Whether the breaker scales the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Scale the target to zero on a trip.
    #[default]
    Enforce,
    /// Dry run: report trips, never scale.
    Observe,
}

/// How to count restarts whose end was not observed because `restartCount` jumped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unobserved {
    /// They inherit the verdict of the newest termination, if the whole gap is inside the window,
    /// the container is failing now, and every observed termination in the gap has the same cause.
    #[default]
    Inherit,
    /// Their cause is unknown.
    Ignore,
}

/// How an open breaker closes again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", deny_unknown_fields)]
pub enum Recovery {
    /// Only by a reset.
    #[default]
    Manual,
    /// After a cool-down, once trial replicas have run without a counted restart.
    #[serde(rename_all = "camelCase")]
    HalfOpen {
        /// The first cool-down. It doubles after each failed trial.
        cooldown: SignedDuration,
        /// The maximum cool-down.
        max_cooldown: SignedDuration,
        /// The number of trial replicas, at least 1.
        probe_replicas: u32,
        /// How long the trial replicas must run without a counted restart.
        probe_for: SignedDuration,
    },
}
