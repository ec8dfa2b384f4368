//! CircuitBreakers by name: where they stand, the red button, the reset, and why each acted or did not.
//!
//! What is asked for is written into the spec or an annotation; the controller carries it out and says so in the
//! status, which is waited for here.

mod ask;
mod explain;
mod list;

use anyhow::Context;
use breaker_core::ClusterError;
use breaker_kube::crd::{BadSpec, CRD_NAME, CircuitBreakerSpec, CircuitBreakerStatus};
use breaker_kube::{BreakerName, KubeClient};
use kube::ResourceExt;
use kube::api::DynamicObject;

pub(crate) use ask::{reset, trip};
pub(crate) use explain::{explain, explained};
pub(crate) use list::list;

/// A breaker as read.
struct Known {
    name: BreakerName,
    version: String,
    spec: Result<CircuitBreakerSpec, BadSpec>,
    status: CircuitBreakerStatus,
}

impl Known {
    fn new(object: &DynamicObject) -> Self {
        let status = serde_json::from_value(object.data["status"].clone());
        Self {
            name: BreakerName { namespace: object.namespace().unwrap_or_default(), name: object.name_any() },
            version: object.resource_version().unwrap_or_default(),
            spec: CircuitBreakerSpec::read(&object.data["spec"]),
            // Written by another version, or not yet.
            status: status.unwrap_or_default(),
        }
    }

    async fn read(kube: &KubeClient, name: &BreakerName) -> Result<Self, ClusterError> {
        kube.breaker(name).await.map(|object| Self::new(&object))
    }

    fn condition(&self, kind: &str) -> Option<&breaker_kube::crd::Condition> {
        self.status.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// `Open`; `Unknown` before the controller has looked at it.
    fn phase(&self) -> &str {
        self.status.phase.as_deref().unwrap_or("Unknown")
    }
}

/// Tells what a 404 for a breaker may mean.
trait Missing<T> {
    fn or_how_to_find_it(self) -> anyhow::Result<T>;
}

impl<T> Missing<T> for Result<T, ClusterError> {
    fn or_how_to_find_it(self) -> anyhow::Result<T> {
        match self {
            Err(ClusterError::NotFound(what)) => {
                let fix = how_to_find(&what);
                Err(ClusterError::NotFound(what)).context(fix)
            }
            answer => Ok(answer?),
        }
    }
}

fn how_to_find(what: &str) -> String {
    let name = crate::program::name();
    if what == CRD_NAME {
        return format!(
            "install it with `{name} crd | kubectl apply --server-side -f -`, or name the workload itself by \
             --deployment or --target"
        );
    }
    format!(
        "`{name} status -A` lists the breakers there are; without the controller, give --deployment or --target"
    )
}
