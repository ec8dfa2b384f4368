//! A CircuitBreaker as the API server returned it.

use anyhow::Context;
use breaker_core::ClusterError;
use breaker_core::state::Phase;
use breaker_kube::KubeClient;
use breaker_kube::crd::{BreakerName, CRD_NAME, CircuitBreakerSpec, CircuitBreakerStatus, InvalidSpec};
use jiff::Timestamp;
use kube::ResourceExt;
use kube::api::DynamicObject;

/// A breaker as read, with its spec and status parsed.
pub(super) struct BreakerObject {
    pub(super) name: BreakerName,
    pub(super) version: String,
    pub(super) created: Option<Timestamp>,
    pub(super) spec: Result<CircuitBreakerSpec, InvalidSpec>,
    pub(super) status: CircuitBreakerStatus,
}

impl BreakerObject {
    pub(super) fn new(object: &DynamicObject) -> Self {
        let status = serde_json::from_value(object.data["status"].clone());
        Self {
            name: BreakerName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() },
            version: object.resource_version().unwrap_or_default(),
            created: object.metadata.creation_timestamp.as_ref().map(|at| at.0),
            spec: CircuitBreakerSpec::read(&object.data["spec"]),
            // Absent before the controller's first write; unreadable when another version wrote it.
            status: status.unwrap_or_default(),
        }
    }

    pub(super) async fn read(kube: &KubeClient, name: &BreakerName) -> Result<Self, ClusterError> {
        kube.breaker(name).await.map(|object| Self::new(&object))
    }

    pub(super) fn condition(&self, kind: &str) -> Option<&breaker_kube::crd::Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// The phase of the status; `None` before the controller's first write.
    pub(super) fn phase(&self) -> Option<Phase> {
        let text = self.status.phase.as_deref()?;
        Phase::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// The phase as the status has it, such as `Open`; `Unknown` before the controller's first
    /// write.
    pub(super) fn phase_text(&self) -> &str {
        self.status.phase.as_deref().unwrap_or("Unknown")
    }
}

/// Adds to a 404 what it may mean and how to go on.
pub(super) trait NotFoundHint<T> {
    fn with_not_found_hint(self) -> anyhow::Result<T>;
}

impl<T> NotFoundHint<T> for Result<T, ClusterError> {
    fn with_not_found_hint(self) -> anyhow::Result<T> {
        match self {
            Err(ClusterError::NotFound(what)) => {
                let fix = not_found_hint(&what);
                Err(ClusterError::NotFound(what)).context(fix)
            }
            answer => Ok(answer?),
        }
    }
}

fn not_found_hint(what: &str) -> String {
    let name = crate::cli::program_name::name();
    if what == CRD_NAME {
        return format!(
            "install it with `{name} crd | kubectl apply --server-side -f -`, or name the workload with \
             --deployment or --target"
        );
    }
    format!(
        "`{name} status -A` lists all breakers; for a workload without one, give --deployment or --target"
    )
}
