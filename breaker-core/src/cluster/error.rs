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
    /// The API server forbade it: a permission is missing, or an admission policy, a quota or a
    /// terminating namespace is in the way. [`ClusterError::missing_rule`] is the RBAC rule, if one
    /// is missing.
    #[error("not allowed to {verb} {resource} in namespace {namespace}{}", colon(.message))]
    Forbidden {
        /// `get`, `list`, `patch`, …
        verb: &'static str,
        /// Resource with its API group, for example `deployments/scale.apps`.
        resource: String,
        /// Namespace of the attempt.
        namespace: String,
        /// The API server's own sentence. Empty when a review of the user's permissions found it:
        /// then an RBAC rule is missing.
        message: String,
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
    /// An answer that says nothing about the object: a proxy's page, a server error, a body that is
    /// cut off or cannot be decoded. The call may have taken effect; read the object again.
    #[error("{step}: the answer is not understood: {source}")]
    Unclear {
        /// What was attempted.
        step: String,
        /// The status code and the start of the answer.
        #[source]
        source: BoxError,
    },
    /// The installed CustomResourceDefinition is older than this program: it lacks a field that is
    /// to be stored.
    #[error("{step}: the installed CustomResourceDefinition is older than this program: {message}")]
    OldDefinition {
        /// What was attempted.
        step: String,
        /// The API server's own sentence, which names the field.
        message: String,
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
        matches!(self, Self::Unreachable { .. } | Self::Unclear { .. } | Self::Conflict(_))
    }

    /// The RBAC rule that is missing, as YAML flow that can be pasted under a Role's `rules:`.
    ///
    /// `None` unless the API server says `cannot VERB resource "R"`: an admission policy, a quota
    /// or a terminating namespace is not cured by a rule.
    pub fn missing_rule(&self) -> Option<String> {
        let Self::Forbidden { verb, resource, message, .. } = self else { return None };
        let (verb, resource, group) = if message.is_empty() {
            let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
            (*verb, resource, group)
        } else {
            denied_by_rbac(message)?
        };
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
        let fix = match self {
            Self::OldDefinition { .. } => {
                Some("; update it: watcher crd | kubectl apply --server-side -f -".to_owned())
            }
            error => error.missing_rule().map(|rule| format!("; missing rule: {rule}")),
        };
        self.chain() + &fix.unwrap_or_default()
    }
}

/// `: text`, or nothing for an empty text.
fn colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// Verb, resource and API group of an RBAC refusal:
/// `User "u" cannot patch resource "deployments/scale" in API group "apps" in the namespace "sre"`.
fn denied_by_rbac(message: &str) -> Option<(&str, &str, &str)> {
    let (_, rest) = message.split_once(" cannot ")?;
    let (verb, rest) = rest.split_once(" resource \"")?;
    let (resource, rest) = rest.split_once('"')?;
    let group = rest.strip_prefix(" in API group \"").and_then(|rest| rest.split_once('"'));
    let is_word = !verb.is_empty() && !verb.contains(char::is_whitespace);
    is_word.then(|| (verb, resource, group.map_or("", |(group, _)| group)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(message: &str) -> ClusterError {
        ClusterError::Forbidden {
            verb: "patch",
            resource: "deployments/scale.apps".into(),
            namespace: "sre".into(),
            message: message.into(),
        }
    }

    #[test]
    fn a_rule_is_named_only_when_the_api_server_says_that_rbac_refused() {
        let rule = |verb: &str| {
            Some(format!(
                "- {{apiGroups: [\"apps\"], resources: [\"deployments/scale\"], verbs: [\"{verb}\"]}}"
            ))
        };
        for (message, want) in [
            ("", rule("patch")),
            (
                "deployments.apps \"x\" is forbidden: User \"u\" cannot patch resource \"deployments/scale\" in API \
                 group \"apps\" in the namespace \"sre\"",
                rule("patch"),
            ),
            (
                "User \"u\" cannot create resource \"deployments/scale\" in API group \"apps\" at the cluster scope",
                rule("create"),
            ),
            (
                "ValidatingAdmissionPolicy 'never-zero' denied request: never scale to zero, ask the platform team",
                None,
            ),
            ("exceeded quota: q, requested: count/configmaps=1, used: 5, limited: 5", None),
            ("unable to create new content in namespace sre because it is being terminated", None),
            ("you cannot do that; open a ticket for the resource \"x\"", None),
        ] {
            let error = forbidden(message);
            assert_eq!(error.missing_rule(), want, "{message}");
            assert!(error.with_fix().contains(message), "{}", error.with_fix());
        }
    }

    #[test]
    fn an_answer_that_is_not_understood_is_shown_once_and_is_retried() {
        let error = ClusterError::Unclear { step: "reading x".into(), source: "502 <html>".into() };
        assert_eq!(error.chain(), "reading x: the answer is not understood: 502 <html>");
        assert!(error.is_retryable() && error.missing_rule().is_none());
    }
}
