//! Errors of the cluster.

use crate::WorkloadRef;

/// A source error of any kind.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A call on a [`ClusterClient`](crate::ClusterClient) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// The object does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The permission is missing; [`ClusterError::missing_rule`] is the RBAC rule that grants it.
    #[error("not allowed to {verb} {resource} in namespace {namespace}")]
    Forbidden {
        /// `get`, `list`, `patch`, …
        verb: &'static str,
        /// Resource with its API group, for example `deployments/scale.apps`.
        resource: String,
        /// Namespace of the attempt.
        namespace: String,
    },
    /// The object changed since it was read.
    #[error("{0} was changed by another client")]
    Conflict(String),
    /// The target's scale names no pods, or would name all pods of the namespace.
    #[error("the scale of {0} has no selector, so its pods are unknown")]
    NoSelector(WorkloadRef),
    /// The target's kind is not served, or has no scale subresource.
    #[error("{0}")]
    NoScale(String),
    /// What is stored as the Record cannot be read.
    #[error("the record in {place} cannot be read")]
    BadRecord {
        /// Where it is stored.
        place: String,
        /// What is wrong with it.
        #[source]
        source: BoxError,
    },
    /// No answer, or an answer that asks to retry later.
    #[error("{step}: the API server does not answer")]
    Unreachable {
        /// What was attempted, for example `reading the scale of sre/deployment/swype-app`.
        step: String,
        /// The transport's own error.
        #[source]
        source: BoxError,
    },
    /// The API server refused for another reason.
    #[error("{step}: the API server refused")]
    Refused {
        /// What was attempted.
        step: String,
        /// The API server's own message.
        #[source]
        source: BoxError,
    },
}

impl ClusterError {
    /// Whether the same call can succeed later although nothing is changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Conflict(_))
    }

    /// The RBAC rule that is missing, as YAML flow that can be pasted under a Role's `rules:`.
    pub fn missing_rule(&self) -> Option<String> {
        let Self::Forbidden { verb, resource, .. } = self else { return None };
        let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
        Some(format!("- {{apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]}}"))
    }

    /// This error and its sources on one line, each fact once.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            let more = error.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            source = error.source();
        }
        text
    }

    /// [`chain`](Self::chain), and the fix if there is one: `…; missing rule: - {apiGroups: …}`.
    pub fn with_fix(&self) -> String {
        let rule = self.missing_rule().map(|rule| format!("; missing rule: {rule}")).unwrap_or_default();
        self.chain() + &rule
    }
}
