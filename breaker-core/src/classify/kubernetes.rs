//! Verdicts from the status and the events that Kubernetes reports. They outrank the log and the
//! termination message.
//!
//! Events never turn a termination with a message or a log into network. The only network verdict
//! here is `sandbox`: the kubelet lost the container (reason `Unknown`, exit code 255, no message
//! and no log) and reports that it could not set up the pod's network again.

use super::quote::verdict;
use crate::pod::{PodEvent, Terminated};
use crate::verdict::NetworkKind;
use crate::{Cause, Termination, Verdict};

/// The verdict of the kubelet, the runtime or a controller; `None` when the message and the log
/// must decide.
pub(super) fn verdict_of(t: &Termination) -> Option<Verdict> {
    out_of_memory(t)
        .or_else(|| event(t, Cause::Probe, "k8s-probe", killed_by_probe))
        .or_else(|| evicted(t))
        .or_else(|| refused(t))
        .or_else(|| event(t, Cause::Application, "k8s-deadline", |e| e.reason == "DeadlineExceeded"))
        .or_else(|| node(t))
        .or_else(|| not_started(t))
        .or_else(|| storage(t))
        .or_else(|| sandbox(t))
        .or_else(|| asked_to_leave(t))
}

fn event(t: &Termination, cause: Cause, rule: &str, is: impl Fn(&PodEvent) -> bool) -> Option<Verdict> {
    t.events.iter().find(|e| is(e)).map(|e| verdict(cause, None, rule, &e.message))
}

fn out_of_memory(t: &Termination) -> Option<Verdict> {
    (t.terminated.reason == "OOMKilled").then(|| verdict(Cause::Oom, None, "k8s-oom-killed", "OOMKilled"))
}

fn killed_by_probe(e: &PodEvent) -> bool {
    e.reason == "Killing"
        && ["failed liveness probe", "failed startup probe"].iter().any(|words| e.message.contains(words))
}

fn evicted(t: &Termination) -> Option<Verdict> {
    if t.terminated.reason == "Evicted" {
        return Some(verdict(Cause::Eviction, None, "k8s-evicted", words_or_reason(t)));
    }
    const REASONS: [&str; 5] =
        ["Evicted", "EvictedByEvictionAPI", "TaintManagerEviction", "Preempting", "Preempted"];
    event(t, Cause::Eviction, "k8s-evicted", |e| REASONS.contains(&e.reason.as_str()))
}

/// The kubelet or a hook refused the container before its process could say anything.
fn refused(t: &Termination) -> Option<Verdict> {
    let hook = |e: &PodEvent| e.reason == "FailedPostStartHook";
    let ports = |e: &PodEvent| e.reason == "NodePorts" || e.reason == "HostPortConflict";
    event(t, Cause::Application, "k8s-hook", hook).or_else(|| event(t, Cause::Config, "k8s-ports", ports))
}

fn node(t: &Termination) -> Option<Verdict> {
    const REASONS: [&str; 6] =
        ["NodeShutdown", "Terminated", "NodeNotReady", "NodeLost", "Rebooted", "PreemptContainer"];
    if REASONS.contains(&t.terminated.reason.as_str()) || t.terminated.reason == "ContainerStatusUnknown" {
        return Some(verdict(Cause::Node, None, "k8s-node", words_or_reason(t)));
    }
    // The kubelet's message while its node shuts down.
    let shutdown = ["imminent node shutdown", "Node is shutting"];
    if shutdown.iter().any(|words| t.terminated.message.contains(words)) && t.terminated.message.len() < 200 {
        return Some(verdict(Cause::Node, None, "k8s-node", &t.terminated.message));
    }
    event(t, Cause::Node, "k8s-node", |e| REASONS.contains(&e.reason.as_str()))
}

/// The image could not be pulled, or the runtime could not start it.
fn not_started(t: &Termination) -> Option<Verdict> {
    const PULL: [&str; 7] = [
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    ];
    const START: [&str; 5] = [
        "StartError",
        "ContainerCannotRun",
        "RunContainerError",
        "CreateContainerError",
        "PostStartHookError",
    ];
    let pull_failed = |e: &PodEvent| e.reason == "Failed" && e.message.starts_with("Failed to pull image");
    if PULL.contains(&t.waiting.as_str()) || t.events.iter().any(pull_failed) {
        let words = t.events.iter().find(|e| pull_failed(e)).map_or(t.waiting.as_str(), |e| &e.message);
        return Some(verdict(Cause::Image, None, "k8s-image-pull", words));
    }
    if t.waiting == "CreateContainerConfigError" {
        let words = t.events.iter().find(|e| e.reason == "Failed").map_or(t.waiting.as_str(), |e| &e.message);
        return Some(verdict(Cause::Config, None, "k8s-container-config", words));
    }
    if START.contains(&t.terminated.reason.as_str())
        || (START.contains(&t.waiting.as_str()) && t.log_tail.is_empty())
    {
        let words = words_or_reason(t);
        let missing = ["no such file or directory", "executable file not found", "not found in $PATH"];
        let cause = match () {
            () if missing.iter().any(|text| words.contains(text)) && words.contains("exec: ") => {
                Cause::Config
            }
            () if words.contains("port is already allocated") || words.contains("address already in use") => {
                Cause::Config
            }
            () if words.contains("deadline exceeded") => Cause::Node,
            () if words.contains("OOM") => Cause::Oom,
            () if ["permission denied", "operation not permitted"]
                .iter()
                .any(|text| words.contains(text)) =>
            {
                Cause::Permission
            }
            () if ["error mounting", "no space left", "read-only file system"]
                .iter()
                .any(|text| words.contains(text)) =>
            {
                Cause::Storage
            }
            () => Cause::Image,
        };
        return Some(verdict(cause, None, "k8s-start", words));
    }
    None
}

fn storage(t: &Termination) -> Option<Verdict> {
    const REASONS: [&str; 7] = [
        "FailedMount",
        "FailedAttachVolume",
        "FailedMapVolume",
        "FailedDetachVolume",
        "VolumeResizeFailed",
        "FailedUnMount",
        "FileSystemResizeFailed",
    ];
    let found = t.events.iter().find(|e| REASONS.contains(&e.reason.as_str()))?;
    let missing = ["configmap \"", "secret \""].iter().any(|what| found.message.contains(what));
    let cause = if missing && found.message.contains("not found") { Cause::Config } else { Cause::Storage };
    Some(verdict(cause, None, "k8s-mount", &found.message))
}

fn sandbox(t: &Termination) -> Option<Verdict> {
    let found = t.events.iter().find(|e| {
        // Kubelets before 1.8 report the set-up of the network as a failed sync.
        matches!(e.reason.as_str(), "FailedCreatePodSandBox" | "NetworkNotReady")
            || e.reason == "FailedSync" && e.message.contains("SetupNetwork")
    })?;
    let lost =
        t.terminated.exit_code == 255 || t.terminated.reason == "Unknown" || t.terminated.reason.is_empty();
    let silent = t.log_tail.trim().is_empty() && t.terminated.message.trim().is_empty();
    if !lost || !silent || killed(t) {
        return None;
    }
    let network =
        ["cni", "network", "plugin type="].iter().any(|word| found.message.to_lowercase().contains(word));
    Some(match network {
        true => verdict(Cause::Network, Some(NetworkKind::Sandbox), "k8s-sandbox", &found.message),
        false => verdict(Cause::Node, None, "k8s-sandbox", &found.message),
    })
}

fn asked_to_leave(t: &Termination) -> Option<Verdict> {
    // If all fields have their defaults, the exit code is missing, not 0.
    let known = t.terminated != Terminated::default();
    if known && t.terminated.exit_code == 0 && t.terminated.signal.is_none_or(|signal| signal == 0) {
        return Some(verdict(Cause::Completed, None, "k8s-completed", "exit code 0"));
    }
    let stopped = |e: &PodEvent| {
        e.reason == "Killing"
            && (e.message.starts_with("Stopping container") || e.message.contains("definition changed"))
    };
    event(t, Cause::Completed, "k8s-stopped", stopped)
}

/// Whether a signal killed the container: exit code 137 or 143, or signal 9 or 15.
pub(super) fn killed(t: &Termination) -> bool {
    matches!(t.terminated.exit_code, 137 | 143) || matches!(t.terminated.signal, Some(9 | 15))
}

/// Whether a fault of the process itself ended it: SIGPIPE, SIGSEGV, SIGBUS or SIGFPE.
///
/// SIGABRT and SIGILL are not in the list: runtimes end with them after any unhandled error.
pub(super) fn crashed(t: &Termination) -> bool {
    matches!(t.terminated.exit_code, 135 | 136 | 139 | 141)
        || matches!(t.terminated.signal, Some(7 | 8 | 11 | 13))
}

fn words_or_reason(t: &Termination) -> &str {
    if t.terminated.message.trim().is_empty() { &t.terminated.reason } else { &t.terminated.message }
}
