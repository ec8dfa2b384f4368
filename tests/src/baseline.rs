//! The baseline of the benchmarks: a loop that watches pods and scales to zero at the fourth
//! restart.

use futures::{Stream, TryStreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::json;

/// Every change of a pod that has restarted more than three times. Nothing is cached.
pub fn fourth_restarts(
    pods: Api<Pod>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Pod, watcher::Error>> {
    watcher(pods, config).applied_objects().try_filter(|pod| {
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        let fourth = statuses.into_iter().flatten().any(|container| container.restart_count > 3);
        async move { fourth }
    })
}

/// Scales the Deployment that the pod's label `app` names.
///
/// # Panics
/// When the API server refuses the patch.
pub async fn scale_to_zero(client: &Client, pod: &Pod) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let app = pod.metadata.labels.as_ref().and_then(|labels| labels.get("app")).expect("the label app");
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
    let patch = Patch::Merge(json!({"spec": {"replicas": 0}}));
    deployments.patch_scale(app, &PatchParams::default(), &patch).await.expect("scaled");
}
