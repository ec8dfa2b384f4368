//! The table of `kubectl get pods`. Its column STATUS has the reason of one container at most.

use breaker_core::pod::Terminated;

use super::capture::{Capture, ContainerStatus};
use super::case::UNKNOWN_EXIT_CODE;
use super::table::Columns;

/// The columns of a table of pods, by its header.
pub(crate) fn header(line: &str) -> Option<Columns> {
    Columns::of_header(line).filter(|columns| columns.have(&["NAME", "READY", "STATUS", "RESTARTS"]))
}

/// Adds the pod of a row.
pub(crate) fn row(columns: &Columns, line: &str, capture: &mut Capture) {
    let cell = |name| columns.cell(line, name);
    let (namespace, name) = (cell("NAMESPACE"), cell("NAME"));
    // Of an init container: `Init:Error`.
    let status = cell("STATUS").trim_start_matches("Init:");
    let restarts = cell("RESTARTS").split(' ').next().and_then(|restarts| restarts.parse::<u32>().ok());
    let ended =
        |reason: &str, exit_code| Terminated { exit_code, reason: reason.into(), ..Terminated::default() };
    let mut container = ContainerStatus::default();
    match status {
        "Evicted" | "NodeLost" | "NodeAffinity" | "Shutdown" | "Preempting" => {
            capture.pod(namespace, name, "", Vec::new());
            return capture.ended_pod(namespace, name, status, "");
        }
        "Completed" => container.terminated = Some(ended(status, 0)),
        "OOMKilled" | "Error" | "ContainerCannotRun" | "StartError" => {
            container.terminated = Some(ended(status, UNKNOWN_EXIT_CODE));
        }
        // It restarts, and the table does not say why.
        "CrashLoopBackOff" => container.last = Some(ended("", UNKNOWN_EXIT_CODE)),
        "Running" if restarts.is_some_and(|restarts| restarts > 0) => {
            container.last = Some(ended("", UNKNOWN_EXIT_CODE));
        }
        "Running" | "Pending" | "Terminating" | "Unknown" => {}
        // `Init:0/2`: the first init container runs.
        _ if status.contains('/') => {}
        // `ExitCode:3`, `Signal:9`.
        _ if status.starts_with("ExitCode:") => {
            let exit_code = status["ExitCode:".len()..].parse().unwrap_or(UNKNOWN_EXIT_CODE);
            container.terminated = Some(ended("Error", exit_code));
        }
        _ if status.starts_with("Signal:") => container.terminated = Some(ended("Error", UNKNOWN_EXIT_CODE)),
        // `ImagePullBackOff`, `CreateContainerConfigError`.
        _ => container.waiting = status.into(),
    }
    capture.pod(namespace, name, "", vec![container]);
}
