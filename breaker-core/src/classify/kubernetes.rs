//! Kubernetes' own verdicts: what the status and the kubelet's events say outright.

use crate::{Cause, Confidence, NetworkKind, Termination, Verdict};

/// The verdict that needs no last words, if there is one.
pub(super) fn verdict(termination: &Termination) -> Option<Verdict> {
    by_reason(termination).or_else(|| by_event(termination)).or_else(|| by_waiting(termination))
}

fn by_reason(termination: &Termination) -> Option<Verdict> {
    let death = &termination.death;
    let says =
        |cause, rule: &str| Some(ruled(cause, rule, &format!("{} (exit {})", death.reason, death.exit_code)));
    match death.reason.as_str() {
        "OOMKilled" => says(Cause::Oom, "oom-killed"),
        "Evicted" => says(Cause::Eviction, "evicted"),
        "StartError" | "ContainerCannotRun" | "RunContainerError" => says(Cause::Image, "start-error"),
        "DeadlineExceeded" => says(Cause::Application, "deadline-exceeded"),
        "NodeLost" | "NodeShutdown" | "Shutdown" | "Terminated" => says(Cause::Node, "node-shutdown"),
        _ => None,
    }
}

/// Events clear a death of network; the one exception is the kubelet's own word that it could not set up
/// the pod's network, beside a container that the runtime lost (`Unknown`, 255).
fn by_event(termination: &Termination) -> Option<Verdict> {
    let lost = termination.death.reason == "Unknown" || termination.death.reason == "ContainerStatusUnknown";
    termination.events.iter().find_map(|event| {
        let message = event.message.as_str();
        let network_setup = ["network", "cni", "CNI"].iter().any(|word| message.contains(word));
        let verdict = match event.reason.as_str() {
            "Killing"
                if message.contains("failed liveness probe") || message.contains("failed startup probe") =>
            {
                ruled(Cause::Probe, "killed-after-failed-probes", message)
            }
            "Evicted" | "Preempted" | "TaintManagerEviction" => ruled(Cause::Eviction, "evicted", message),
            "DeadlineExceeded" => ruled(Cause::Application, "deadline-exceeded", message),
            "NodeShutdown" | "NodeNotReady" | "Rebooted" => ruled(Cause::Node, "node-shutdown", message),
            "FailedMount" | "FailedAttachVolume" if lost => {
                ruled(Cause::Storage, "volume-not-mounted", message)
            }
            "FailedCreatePodSandBox" if lost && network_setup => Verdict {
                kind: Some(NetworkKind::Sandbox),
                ..ruled(Cause::Network, "pod-network-not-set-up", message)
            },
            "Failed" if message.contains("pull image") || message.contains("ErrImagePull") => {
                ruled(Cause::Image, "image-pull", message)
            }
            _ => return None,
        };
        Some(verdict)
    })
}

fn by_waiting(termination: &Termination) -> Option<Verdict> {
    let death = &termination.death;
    match termination.waiting.as_str() {
        reason @ ("ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull") => {
            Some(ruled(Cause::Image, "image-pull", reason))
        }
        reason @ "CreateContainerConfigError" => Some(ruled(Cause::Config, "container-config", reason)),
        _ if death.exit_code == 0 => Some(ruled(Cause::Completed, "completed", "exit 0")),
        _ => None,
    }
}

fn ruled(cause: Cause, rule: &str, quote: &str) -> Verdict {
    Verdict {
        cause,
        kind: None,
        confidence: Confidence::High,
        rule: rule.into(),
        quote: super::quote(quote, 0..0),
    }
}
