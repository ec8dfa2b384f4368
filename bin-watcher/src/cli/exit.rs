//! Exit codes, the errors that have one of their own, and how an error is printed.

use std::process::ExitCode;
use std::time::Duration;

use breaker_core::{ClusterError, WorkloadRef};
use breaker_kube::ConnectError;

use crate::cli::signal::Signal;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It tripped, would have tripped, or the command succeeded: 0.
    Done,
    /// A failure without an exit code of its own: 1.
    Failed,
    /// A wrong flag or file, a missing kubeconfig, or a target without a selector: 2.
    Usage,
    /// The target does not exist or was deleted: 3.
    NotFound,
    /// A permission is missing: 4.
    Forbidden,
    /// The API server did not answer, or its answer was not understood: 5.
    Unreachable,
    /// A signal stopped it: 128 plus the number of the signal.
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

/// An argument, or a file that it names, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// The target was deleted while it was watched.
#[derive(Debug, thiserror::Error)]
#[error("{0} is gone")]
pub(crate) struct TargetLost(pub(crate) WorkloadRef);

/// Connecting and the first reads took longer than this timeout.
#[derive(Debug, thiserror::Error)]
#[error(
    "the API server did not answer within {} s; check --kubeconfig and --context, and that this machine can \
     reach it",
    .0.as_secs()
)]
pub(crate) struct Unreachable(pub(crate) Duration);

impl Exit {
    /// The exit code of the innermost cause that has one, else [`Exit::Failed`].
    pub(crate) fn from_error(error: &anyhow::Error) -> Self {
        error.chain().find_map(Self::from_cause).unwrap_or(Self::Failed)
    }

    fn from_cause(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if error.is::<UsageError>() || error.is::<ConnectError>() {
            Some(Self::Usage)
        } else if error.is::<TargetLost>() {
            Some(Self::NotFound)
        } else if error.is::<Unreachable>() {
            Some(Self::Unreachable)
        } else if let Some(signal) = error.downcast_ref() {
            Some(Self::Signal(*signal))
        } else {
            match error.downcast_ref()? {
                ClusterError::NotFound(_) => Some(Self::NotFound),
                ClusterError::Forbidden { .. } => Some(Self::Forbidden),
                ClusterError::NoSelector(_) | ClusterError::NoScale(_) => Some(Self::Usage),
                ClusterError::Unreachable { .. } | ClusterError::Unclear { .. } => Some(Self::Unreachable),
                _ => Some(Self::Failed),
            }
        }
    }
}

/// Prints the error and its causes on one line of stderr, and a missing permission on the next. A
/// signal is not printed: the user sent it.
pub(crate) fn print_error(error: &anyhow::Error) {
    if matches!(Exit::from_error(error), Exit::Signal(_)) {
        return;
    }
    eprintln!("error: {}", one_line(error));
    let rule = error.chain().find_map(|cause| cause.downcast_ref::<ClusterError>()?.missing_rule());
    if let Some(rule) = rule {
        eprintln!("missing rule: {rule}");
    }
}

/// The error and its causes, outermost first. A cause that an outer one quotes is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let more = cause.to_string();
        // A YAML error ends with a drawing of the place, which its line and column name already.
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
            message: String::new(),
        };
        let silent = ClusterError::Unreachable { step: "reading".into(), source: "refused".into() };
        let unclear = ClusterError::Unclear { step: "reading".into(), source: "502 <html>".into() };
        let cases: [(anyhow::Error, Exit); 10] = [
            (UsageError("no".into()).into(), Exit::Usage),
            (TargetLost(target.clone()).into(), Exit::NotFound),
            (ClusterError::NotFound("swype-app".into()).into(), Exit::NotFound),
            (ClusterError::NoSelector(target).into(), Exit::Usage),
            (forbidden.into(), Exit::Forbidden),
            (silent.into(), Exit::Unreachable),
            (unclear.into(), Exit::Unreachable),
            (Unreachable(Duration::from_secs(9)).into(), Exit::Unreachable),
            (Signal::Term.into(), Exit::Signal(Signal::Term)),
            (anyhow::anyhow!("else"), Exit::Failed),
        ];
        for (error, want) in cases {
            let error = Err::<(), _>(error).context("watching sre").unwrap_err();
            assert_eq!(Exit::from_error(&error), want, "{error:#}");
        }
    }

    #[test]
    fn an_error_is_one_line_with_each_fact_once() {
        let inner = anyhow::anyhow!("connection refused").context("reading x:\nconnection refused");
        assert_eq!(one_line(&inner.context("watching")), "watching: reading x: connection refused");
    }
}
