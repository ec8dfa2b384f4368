//! References to workloads: kind, namespace and name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A namespaced Kubernetes object with a scale subresource.
///
/// `kind` is written as for kubectl, in lower case and singular. `breaker-kube` resolves it against
/// the API server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkloadRef {
    /// Lower-case kind, optionally followed by its API group: `deployment`, `rollout.argoproj.io`.
    pub kind: String,
    /// Namespace of the workload and of its pods.
    pub namespace: String,
    /// Name of the workload.
    pub name: String,
}

impl WorkloadRef {
    /// A reference to a Deployment.
    pub fn deployment(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: "deployment".into(), namespace: namespace.into(), name: name.into() }
    }

    /// The kind without its API group: `rollout` of `rollout.argoproj.io`.
    pub fn bare_kind(&self) -> &str {
        self.kind.split('.').next().unwrap_or(&self.kind)
    }

    /// `KIND/NAME`, as on the command line, without the namespace.
    pub fn slash(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

/// `namespace/kind/name`.
impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.kind, self.name)
    }
}

/// The value of `--target`: `KIND/NAME`. The kind may be one of kubectl's plurals or short names.
///
/// ```
/// # use breaker_core::workload::TargetArg;
/// let typed: TargetArg = "sts/ledger".parse().unwrap();
/// assert_eq!(typed.in_namespace("sre").to_string(), "sre/statefulset/ledger");
/// assert!("ledger".parse::<TargetArg>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetArg {
    kind: String,
    name: String,
}

impl TargetArg {
    /// The workload of this kind and name in `namespace`.
    pub fn in_namespace(self, namespace: impl Into<String>) -> WorkloadRef {
        WorkloadRef { kind: self.kind, namespace: namespace.into(), name: self.name }
    }
}

/// The error for a `--target` that is not `KIND/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not KIND/NAME; write for example deployment/swype-app or statefulset/ledger")]
pub struct BadTarget(String);

impl FromStr for TargetArg {
    type Err = BadTarget;

    fn from_str(typed: &str) -> Result<Self, BadTarget> {
        let (kind, name) = typed.split_once('/').ok_or_else(|| BadTarget(typed.into()))?;
        if kind.is_empty() || name.is_empty() || name.contains('/') {
            return Err(BadTarget(typed.into()));
        }
        let kind = kind.to_ascii_lowercase();
        let kind = match kind.as_str() {
            "deploy" | "deployments" | "deployment.apps" | "deployments.apps" => "deployment".into(),
            "sts" | "statefulsets" | "statefulset.apps" | "statefulsets.apps" => "statefulset".into(),
            "rs" | "replicasets" | "replicaset.apps" | "replicasets.apps" => "replicaset".into(),
            "rc" | "replicationcontrollers" => "replicationcontroller".into(),
            _ => kind,
        };
        Ok(Self { kind, name: name.into() })
    }
}
