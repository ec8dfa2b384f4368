//! [`LeaseApi`]: requests about one Lease, each with a deadline.

use breaker_core::ClusterError;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use tokio::time::{Instant, timeout_at};

use super::params::LeaseParams;
use crate::client::KubeClient;
use crate::request::{ApiRequest, post_params};

pub(super) struct LeaseApi {
    api: Api<Lease>,
    kube: KubeClient,
    namespace: String,
    name: String,
}

impl LeaseApi {
    pub(super) fn new(kube: &KubeClient, params: &LeaseParams) -> Self {
        Self {
            api: Api::namespaced(kube.client.clone(), &params.namespace),
            kube: kube.clone(),
            namespace: params.namespace.clone(),
            name: params.name.clone(),
        }
    }

    /// The wall clock, for the times that people read in the Lease.
    pub(super) fn now(&self) -> Timestamp {
        self.kube.clock.now()
    }

    pub(super) async fn read(&self, deadline: Instant) -> Result<Option<Lease>, ClusterError> {
        let request = self.request("reading", "get");
        match send_by(deadline, &request, self.api.get(&self.name)).await {
            Err(ClusterError::NotFound(_)) => Ok(None),
            answer => stored(answer?, &request).map(Some),
        }
    }

    /// Replaces the version that `lease` names, or creates the Lease when it names none.
    pub(super) async fn write(&self, lease: Lease, deadline: Instant) -> Result<Lease, ClusterError> {
        if lease.metadata.resource_version.is_none() {
            let request = self.request("creating", "create");
            let created = send_by(deadline, &request, self.api.create(&post_params(), &lease)).await?;
            return stored(created, &request);
        }
        let request = self.request("renewing", "update");
        let renewed =
            send_by(deadline, &request, self.api.replace(&self.name, &post_params(), &lease)).await?;
        stored(renewed, &request)
    }

    fn request(&self, doing: &str, verb: &'static str) -> ApiRequest {
        ApiRequest {
            action: format!("{doing} the Lease {}/{}", self.namespace, self.name),
            verb,
            resource: "leases.coordination.k8s.io".into(),
            namespace: self.namespace.clone(),
            object: format!("Lease {}/{}", self.namespace, self.name),
        }
    }
}

/// The Lease, if the answer was one: any JSON object decodes as a Lease without a version.
fn stored(lease: Lease, request: &ApiRequest) -> Result<Lease, ClusterError> {
    match lease.metadata.resource_version {
        Some(_) => Ok(lease),
        None => Err(request.unclear("the Lease has no resourceVersion")),
    }
}

/// One attempt that ends at `deadline` at the latest.
async fn send_by<T>(
    deadline: Instant,
    request: &ApiRequest,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ClusterError> {
    timeout_at(deadline, request.send(call)).await.unwrap_or_else(|_| {
        Err(ClusterError::Unreachable { step: request.action.clone(), source: "no answer in time".into() })
    })
}
