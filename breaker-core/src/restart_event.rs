//! The event of a restart.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::counts::Counts;
use crate::ledger::Restart;
use crate::text::plural;
use crate::verdict::{Confidence, NetworkKind, UnknownReason, label};
use crate::{Cause, Verdict};

/// One restart, or several of one container that the watcher did not observe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RestartEvent {
    /// The counts of its revision, this restart included.
    #[serde(flatten)]
    pub so_far: Counts,
    /// Whether this restart counts.
    pub counts: bool,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// When the instance finished.
    pub finished_at: Timestamp,
    /// `network`, `oom`, ….
    pub cause: Cause,
    /// `refused`, … for network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetworkKind>,
    /// Confidence of the verdict.
    pub confidence: Confidence,
    /// Id of the rule that decided.
    pub rule: String,
    /// Exit code of the observed restart; `None` for an unobserved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The evidence.
    pub quote: String,
    /// The other side of the failed connection, if the evidence names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// What the cluster knows of the peer, as a phrase: `0 ready endpoints since 08:24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_status: Option<String>,
    /// Number of restarts in this event; above 1 only for unobserved ones.
    pub times: u32,
}

impl RestartEvent {
    pub(crate) fn new(restart: &Restart, so_far: Counts, counts: bool) -> Self {
        Self {
            so_far,
            counts,
            pod: restart.pod_name.clone(),
            container: restart.key.container.clone(),
            finished_at: restart.at,
            cause: restart.verdict.cause,
            kind: restart.verdict.kind,
            confidence: restart.verdict.confidence,
            rule: restart.verdict.rule.clone(),
            exit_code: restart.exit_code,
            quote: restart.verdict.quote.clone(),
            peer: restart.verdict.peer.clone(),
            peer_status: restart.verdict.peer_status.clone(),
            times: 1,
        }
    }
}

impl RestartEvent {
    /// `network:refused`, or just `oom`.
    pub fn label(&self) -> String {
        label(self.cause, self.kind)
    }
}

impl fmt::Display for RestartEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}/{}", self.so_far, self.label(), self.pod, self.container)?;
        match self.exit_code {
            Some(code) => write!(f, " exit {code}")?,
            None => write!(f, " {} unseen", plural(self.times, "restart"))?,
        }
        match (self.quote.as_str(), self.cause) {
            ("", Cause::Unknown) => write!(f, " ({})", UnknownReason::describe(&self.rule))?,
            ("", _) => write!(f, " ({})", self.rule)?,
            (quote, Cause::Unknown) => write!(f, " \"{quote}\" ({})", UnknownReason::describe(&self.rule))?,
            (quote, _) => write!(f, " \"{quote}\"")?,
        }
        if let Some(peer) = &self.peer {
            write!(f, "; peer {}", Verdict::peer_and_status(peer, self.peer_status.as_deref()))?;
        }
        if !self.counts {
            f.write_str(" - not counted")?;
        }
        Ok(())
    }
}
