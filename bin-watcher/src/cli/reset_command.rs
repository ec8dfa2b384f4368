//! The command that restores the replicas, quoted for a POSIX shell.

use std::borrow::Cow;

use breaker_core::WorkloadRef;
use breaker_kube::crd::BreakerName;

use crate::cli::cluster_args::ClusterArgs;
use crate::cli::program_name;

/// `watcher reset -n sre --deployment swype-app`, with the cluster flags that were given.
pub(crate) fn of_workload(cluster: &ClusterArgs, target: &WorkloadRef) -> String {
    let subject = match target.kind.as_str() {
        "deployment" => format!("--deployment {}", quoted(&target.name)),
        _ => format!("--target {}", quoted(&target.slash())),
    };
    reset(cluster, &target.namespace, &subject)
}

/// `watcher reset -n sre swype`, for a CircuitBreaker, with the cluster flags that were given.
pub(crate) fn of_breaker(cluster: &ClusterArgs, name: &BreakerName) -> String {
    reset(cluster, &name.namespace, &quoted(&name.name))
}

/// A sentence with the command, for an Event on `target`. It has no cluster flags: its readers have
/// their own.
pub(crate) fn hint(target: &WorkloadRef) -> String {
    format!("To restore the replicas: watcher reset -n {} --target {}", target.namespace, target.slash())
}

fn reset(cluster: &ClusterArgs, namespace: &str, subject: &str) -> String {
    let mut words = vec![format!("{} reset", program_name::name())];
    if let Some(path) = &cluster.kubeconfig {
        words.push(format!("--kubeconfig {}", quoted(&path.to_string_lossy())));
    }
    if let Some(context) = &cluster.context {
        words.push(format!("--context {}", quoted(context)));
    }
    words.push(format!("-n {}", quoted(namespace)));
    words.push(subject.to_owned());
    words.join(" ")
}

/// `word` quoted for a POSIX shell. A word with a NUL byte, which no shell can take, stays as it
/// is.
fn quoted(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_the_cluster_and_the_target_as_the_flags_did() {
        let given = ClusterArgs {
            kubeconfig: Some("/home/o'neil/my config".into()),
            context: Some("prod".into()),
            namespace: None,
        };
        let here = ClusterArgs::default();
        let rollout =
            WorkloadRef { kind: "rollout.argoproj.io".into(), ..WorkloadRef::deployment("sre", "a") };
        for (cluster, target, want) in [
            (
                &here,
                WorkloadRef::deployment("sre", "swype-app"),
                "watcher reset -n sre --deployment swype-app",
            ),
            (
                &given,
                rollout,
                r#"watcher reset --kubeconfig "/home/o'neil/my config" --context prod -n sre --target rollout.argoproj.io/a"#,
            ),
        ] {
            assert_eq!(of_workload(cluster, &target), want);
        }
    }
}
