//! Exit codes, the errors that have one of their own, and how an error is printed.

use std::process::ExitCode;
use std::time::Duration;

use breaker_core::printable::one_line;
use breaker_core::{ClusterError, WorkloadRef};
use breaker_kube::ConnectError;

use crate::cli::signal::Signal;
use crate::cluster::access::MissingRights;

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
        Self::from(exit.code())
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
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Forbidden => 4,
            Self::Unreachable => 5,
            Self::Signal(signal) => 128 + signal.number(),
        }
    }

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
        } else if error.is::<MissingRights>() {
            Some(Self::Forbidden)
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

/// Prints the error and its causes on one line of stderr, and the missing permissions below. A
/// signal is not printed: the user sent it.
pub(crate) fn print_error(error: &anyhow::Error) {
    if matches!(Exit::from_error(error), Exit::Signal(_)) {
        return;
    }
    eprintln!("error: {}", sentence(error));
    if let Some(missing) = error.chain().find_map(|cause| cause.downcast_ref::<MissingRights>()) {
        eprint!("{}", missing.paste());
    }
    let rule = error.chain().find_map(|cause| cause.downcast_ref::<ClusterError>()?.missing_rule());
    if let Some(rule) = rule {
        eprintln!("missing rule: {rule}");
    }
}

/// The error and its causes, outermost first. A cause that an outer one quotes is left out.
fn sentence(error: &anyhow::Error) -> String {
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
    one_line(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

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

    /// The exit after `before`, in the order of their codes.
    fn next(before: Exit) -> Option<Exit> {
        match before {
            Exit::Done => Some(Exit::Failed),
            Exit::Failed => Some(Exit::Usage),
            Exit::Usage => Some(Exit::NotFound),
            Exit::NotFound => Some(Exit::Forbidden),
            Exit::Forbidden => Some(Exit::Unreachable),
            Exit::Unreachable => Some(Exit::Signal(Signal::Int)),
            Exit::Signal(Signal::Int) => Some(Exit::Signal(Signal::Term)),
            Exit::Signal(Signal::Term) => None,
        }
    }

    /// The codes at the start of a row, such as `130, 143`.
    fn codes(row: &str) -> Option<Vec<u8>> {
        row.split(", ").map(|code| code.trim().parse().ok()).collect()
    }

    #[test]
    fn the_help_and_the_documentation_list_every_exit_code() {
        let all: Vec<u8> =
            std::iter::successors(Some(Exit::Done), |exit| next(*exit)).map(Exit::code).collect();
        let help = Cli::command().get_after_help().map(ToString::to_string).unwrap_or_default();
        let rows = help.lines().filter_map(|line| codes(line.strip_prefix("  ")?.split_once("  ")?.0));
        assert_eq!(rows.flatten().collect::<Vec<_>>(), all, "{help}");
        let page = include_str!("../../../docs/breaker.md");
        let table = page.split_once("| exit code | meaning |").map_or("", |(_, rest)| rest);
        let table = table.split_once("\n\n").map_or("", |(table, _)| table);
        let rows = table.lines().filter_map(|line| codes(line.strip_prefix("| ")?.split_once(" |")?.0));
        assert_eq!(rows.flatten().collect::<Vec<_>>(), all, "{table}");
    }

    #[test]
    fn an_error_is_one_line_with_each_fact_once() {
        let inner = anyhow::anyhow!("connection refused").context("reading x:\nconnection refused");
        assert_eq!(sentence(&inner.context("watching")), "watching: reading x: connection refused");
    }
}
