//! A verdict: why a container instance ended, and what says so.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a container instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A network operation against somebody else failed and ended the process.
    Network,
    /// The kernel took the memory back, or the process ran out of heap.
    Oom,
    /// A fault of the program itself.
    Application,
    /// A setting, an argument, a credential, its own listener or its own certificate.
    Config,
    /// The image could not be had or started.
    Image,
    /// The kubelet killed it after failed liveness or startup probes.
    Probe,
    /// A disk, a volume or a quota of one.
    Storage,
    /// The operating system or the cluster denied it something.
    Permission,
    /// The node or the container runtime ended it.
    Node,
    /// The kubelet evicted its pod.
    Eviction,
    /// It had finished, or was asked to leave.
    Completed,
    /// The evidence does not say. Never the same as [`Cause::Network`].
    Unknown,
}

impl Cause {
    /// Every cause, in the order in which tables show them.
    pub const ALL: [Self; 12] = [
        Self::Network,
        Self::Oom,
        Self::Application,
        Self::Config,
        Self::Image,
        Self::Probe,
        Self::Storage,
        Self::Permission,
        Self::Node,
        Self::Eviction,
        Self::Completed,
        Self::Unknown,
    ];

    /// Lower-case name, as on the command line and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Oom => "oom",
            Self::Application => "application",
            Self::Config => "config",
            Self::Image => "image",
            Self::Probe => "probe",
            Self::Storage => "storage",
            Self::Permission => "permission",
            Self::Node => "node",
            Self::Eviction => "eviction",
            Self::Completed => "completed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a network operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Nobody listened: `ECONNREFUSED`.
    Refused,
    /// No answer in time.
    Timeout,
    /// The peer closed or reset an established connection.
    Reset,
    /// The name did not resolve.
    Dns,
    /// The TLS handshake failed, or the peer's certificate was rejected.
    Tls,
    /// No route to the host or network.
    Unreachable,
    /// A gateway or proxy answered 502, 503 or 504.
    Gateway,
    /// The pod's own network could not be set up (CNI).
    Sandbox,
}

impl NetworkKind {
    /// All kinds, in the order people expect to see them.
    pub const ALL: [Self; 8] = [
        Self::Refused,
        Self::Timeout,
        Self::Reset,
        Self::Dns,
        Self::Tls,
        Self::Unreachable,
        Self::Gateway,
        Self::Sandbox,
    ];

    /// Lower-case name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Unreachable => "unreachable",
            Self::Gateway => "gateway",
            Self::Sandbox => "sandbox",
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How firmly the evidence speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A hint: an exit code by convention, or no evidence at all.
    Low,
    /// Last words that match a general rule.
    Medium,
    /// Kubernetes' own word, or a fatal statement that names the cause outright.
    High,
}

/// Why a container instance ended: cause, how sure, by which rule, on what evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Why it ended.
    pub cause: Cause,
    /// How the network failed; present exactly when `cause` is [`Cause::Network`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetworkKind>,
    /// How firmly the evidence speaks.
    pub confidence: Confidence,
    /// Id of the rule that decided. For [`Cause::Unknown`] mostly the name of an [`UnknownReason`].
    pub rule: String,
    /// The deciding words, masked and on one line, at most 200 characters; empty without evidence.
    pub quote: String,
}

impl Verdict {
    /// The evidence does not say; `reason` names what was missing.
    pub fn unknown(reason: UnknownReason) -> Self {
        Self {
            cause: Cause::Unknown,
            kind: None,
            confidence: Confidence::Low,
            rule: reason.as_str().into(),
            quote: String::new(),
        }
    }

    /// `network:refused`, or just `oom`.
    pub fn label(&self) -> String {
        label(self.cause, self.kind)
    }
}

/// `network:refused`, or just `oom`.
pub(crate) fn label(cause: Cause, kind: Option<NetworkKind>) -> String {
    match kind {
        Some(kind) => format!("{cause}:{kind}"),
        None => cause.to_string(),
    }
}

/// What was missing for a verdict: the rule of a [`Verdict`] whose cause is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnknownReason {
    /// The termination message and the log are empty.
    NoLastWords,
    /// The log is gone.
    LogGone,
    /// The right to read `pods/log` is missing.
    LogForbidden,
    /// The log could not be read in time.
    EvidenceLate,
    /// No rule matches the termination message or the log.
    NoRule,
    /// A signal killed the container, and nothing says why.
    KilledBySignal,
    /// Nobody observed how the container ended.
    Unobserved,
}

impl UnknownReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::NoLastWords,
        Self::LogGone,
        Self::LogForbidden,
        Self::EvidenceLate,
        Self::NoRule,
        Self::KilledBySignal,
        Self::Unobserved,
    ];

    /// The name in kebab case, as in [`Verdict::rule`].
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLastWords => "no-last-words",
            Self::LogGone => "log-gone",
            Self::LogForbidden => "log-forbidden",
            Self::EvidenceLate => "evidence-late",
            Self::NoRule => "no-rule",
            Self::KilledBySignal => "killed-by-signal",
            Self::Unobserved => "unobserved",
        }
    }

    /// The words for the rule of an unknown verdict; a rule of another name is returned as it is.
    pub(crate) fn describe(rule: &str) -> &str {
        match Self::ALL.into_iter().find(|reason| reason.as_str() == rule) {
            Some(Self::NoLastWords) => "termination message and log are empty",
            Some(Self::LogGone) => "the log is gone",
            Some(Self::LogForbidden) => "no right to read pods/log",
            Some(Self::EvidenceLate) => "the log could not be read in time",
            Some(Self::NoRule) => "no rule knows its last words",
            Some(Self::KilledBySignal) => "killed by a signal, nothing says why",
            Some(Self::Unobserved) => "nobody saw it end",
            None => rule,
        }
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
