//! Verdicts: why a container instance ended, and the evidence for it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a container instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Cause {
    /// A network operation against another system failed and ended the process.
    Network,
    /// The kernel killed the process for lack of memory, or the process ran out of heap.
    Oom,
    /// A bug of the program.
    Application,
    /// A wrong setting, argument or credential, or a fault of its own listener or certificate.
    Config,
    /// The image could not be pulled or started.
    Image,
    /// The kubelet killed the container after failed liveness or startup probes.
    Probe,
    /// A failure of a disk, a volume or a storage quota.
    Storage,
    /// The operating system or the cluster denied an operation.
    Permission,
    /// The node or the container runtime ended the container.
    Node,
    /// The kubelet evicted the pod.
    Eviction,
    /// The process finished, or it was asked to stop.
    Completed,
    /// The evidence does not show a cause.
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

    /// The lower-case name, as on the command line and in JSON.
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
#[non_exhaustive]
pub enum NetworkKind {
    /// The connection was refused: `ECONNREFUSED`.
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
    /// Every kind, in the order in which tables show them.
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

    /// The lower-case name, as in JSON.
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

/// How strongly the evidence supports a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The evidence is a hint or the convention of an exit code, or there is none.
    Low,
    /// A message or log line matches a general rule.
    Medium,
    /// Kubernetes reports the cause, or a fatal statement names it.
    High,
}

/// Why a container instance ended: the cause, the confidence, the rule and the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// Why the instance ended.
    pub cause: Cause,
    /// How the network failed; present exactly when `cause` is [`Cause::Network`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<NetworkKind>,
    /// How strongly the evidence supports the cause.
    pub confidence: Confidence,
    /// ID of the deciding rule. For [`Cause::Unknown`] it is usually the name of an
    /// [`UnknownReason`].
    pub rule: String,
    /// The deciding text: one line with secrets masked, at most 200 characters; empty without
    /// evidence.
    pub quote: String,
    /// The other side of the failed connection, as the evidence names it: `host:port`, a host or
    /// the name of a service. Only network verdicts have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// What the cluster knows of the peer, as a phrase: `0 ready endpoints since 08:24`. It
    /// explains the verdict and never decides it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_status: Option<String>,
}

impl Verdict {
    /// A verdict by `rule`, of high confidence and without a quote.
    ///
    /// `kind` must be set exactly when `cause` is [`Cause::Network`].
    pub fn new(cause: Cause, kind: Option<NetworkKind>, rule: impl Into<String>) -> Self {
        Self {
            cause,
            kind,
            confidence: Confidence::High,
            rule: rule.into(),
            quote: String::new(),
            peer: None,
            peer_status: None,
        }
    }

    /// A verdict of unknown cause and low confidence. `reason` names the missing evidence.
    pub fn unknown(reason: UnknownReason) -> Self {
        Self {
            cause: Cause::Unknown,
            kind: None,
            confidence: Confidence::Low,
            rule: reason.as_str().into(),
            quote: String::new(),
            peer: None,
            peer_status: None,
        }
    }

    /// The peer, and what the cluster knows of it: `swype-gateway:443, 1 of 3 endpoints ready`.
    pub(crate) fn peer_and_status(peer: &str, status: Option<&str>) -> String {
        status.map_or_else(|| peer.to_owned(), |status| format!("{peer}, {status}"))
    }

    /// The cause with its kind: `network:refused`, `oom`.
    pub fn label(&self) -> String {
        label(self.cause, self.kind)
    }
}

/// The cause with its kind: `network:refused`, `oom`.
pub(crate) fn label(cause: Cause, kind: Option<NetworkKind>) -> String {
    match kind {
        Some(kind) => format!("{cause}:{kind}"),
        None => cause.to_string(),
    }
}

/// The evidence that was missing for a verdict: the rule of a [`Verdict`] of unknown cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnknownReason {
    /// The termination message and the log are empty.
    NoLastWords,
    /// The log was deleted.
    LogGone,
    /// The permission to read `pods/log` is missing.
    LogForbidden,
    /// The log could not be read in time.
    EvidenceLate,
    /// No rule matches the termination message or the log.
    NoRule,
    /// A signal killed the container, and no evidence shows the reason.
    KilledBySignal,
    /// The end of the container was not observed.
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

    /// The description of the rule of an unknown verdict. Any other rule is returned unchanged.
    pub(crate) fn describe(rule: &str) -> &str {
        match Self::ALL.into_iter().find(|reason| reason.as_str() == rule) {
            Some(Self::NoLastWords) => "the message and the log are empty",
            Some(Self::LogGone) => "the log is gone",
            Some(Self::LogForbidden) => "no permission to read pods/log",
            Some(Self::EvidenceLate) => "the log could not be read in time",
            Some(Self::NoRule) => "no rule matches the message or the log",
            Some(Self::KilledBySignal) => "killed by a signal for an unknown reason",
            Some(Self::Unobserved) => "its end was not observed",
            None => rule,
        }
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
