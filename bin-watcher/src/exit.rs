//! Exit codes, and how an error is told. Chosen here, used by `main` alone.

use std::process::ExitCode;

use breaker_core::{ClusterError, WorkloadRef};
use breaker_kube::ConnectError;

use crate::connect::Unreachable;
use crate::signals::Signal;

/// How `watcher` ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Tripped, would have tripped, or did what was asked: 0.
    Done,
    /// Something that none of the others names: 1.
    Failed,
    /// A wrong flag or file, a missing kubeconfig, a target without a selector: 2.
    Usage,
    /// The target does not exist, or went away: 3.
    NotFound,
    /// A right is missing: 4.
    Forbidden,
    /// The cluster did not answer: 5.
    Unreachable,
    /// A signal: 128 and its number.
    Signal(Signal),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::NotFound => 3,
            Exit::Forbidden => 4,
            Exit::Unreachable => 5,
            Exit::Signal(signal) => 128 + signal.number(),
        })
    }
}

/// What was typed, or a file it names, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// The target went away while it was being watched.
#[derive(Debug, thiserror::Error)]
#[error("{0} is gone")]
pub(crate) struct Lost(pub(crate) WorkloadRef);

impl Exit {
    /// The exit code that belongs to an error, by the innermost cause that has one.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::of_one).unwrap_or(Self::Failed)
    }

    fn of_one(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if error.is::<Usage>() || error.is::<ConnectError>() {
            Some(Self::Usage)
        } else if error.is::<Lost>() {
            Some(Self::NotFound)
        } else if error.is::<Unreachable>() {
            Some(Self::Unreachable)
        } else {
            match error.downcast_ref()? {
                ClusterError::NotFound(_) => Some(Self::NotFound),
                ClusterError::Forbidden { .. } => Some(Self::Forbidden),
                ClusterError::NoSelector(_) | ClusterError::NoScale(_) => Some(Self::Usage),
                ClusterError::Unreachable { .. } => Some(Self::Unreachable),
                ClusterError::Conflict(_) | ClusterError::BadRecord { .. } | ClusterError::Refused { .. } => {
                    Some(Self::Failed)
                }
            }
        }
    }
}

/// Prints the error and its causes on one line of stderr, and the right that is missing on the next.
pub(crate) fn explain(error: &anyhow::Error) {
    eprintln!("error: {}", one_line(error));
    let rule = error.chain().find_map(|e| e.downcast_ref::<ClusterError>()?.missing_rule());
    if let Some(rule) = rule {
        eprintln!("missing rule: {rule}");
    }
}

/// Outermost first, each fact once.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let more = cause.to_string();
        // A YAML error goes on with a drawing of the place, which line and column name already.
        let more = more.split("\n --> ").next().unwrap_or_default().replace(": error: ", ": ");
        if text.is_empty() {
            text = more;
        } else if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn errors_find_their_exit_code_through_any_context() {
        let target = WorkloadRef::deployment("sre", "swype-app");
        let forbidden = ClusterError::Forbidden {
            verb: "patch",
            resource: "deployments/scale.apps".into(),
            namespace: "sre".into(),
        };
        let silent = ClusterError::Unreachable { step: "reading".into(), source: "refused".into() };
        let cases: [(anyhow::Error, Exit); 7] = [
            (Usage("no".into()).into(), Exit::Usage),
            (Lost(target.clone()).into(), Exit::NotFound),
            (ClusterError::NotFound("swype-app".into()).into(), Exit::NotFound),
            (ClusterError::NoSelector(target).into(), Exit::Usage),
            (forbidden.into(), Exit::Forbidden),
            (silent.into(), Exit::Unreachable),
            (anyhow::anyhow!("else"), Exit::Failed),
        ];
        for (error, want) in cases {
            let error = Err::<(), _>(error).context("watching sre").unwrap_err();
            assert_eq!(Exit::of(&error), want, "{error:#}");
        }
    }

    #[test]
    fn an_error_is_told_on_one_line_with_each_fact_once() {
        let inner = anyhow::anyhow!("connection refused").context("reading x:\nconnection refused");
        assert_eq!(one_line(&inner.context("watching")), "watching: reading x: connection refused");
    }
}
