//! The idle workloads: Deployments, their running pods, and a breaker for each.

use bigredbutton_tests::{Cluster, Kubelet, TestNamespace, eventually};
use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;

/// Concurrent requests.
const MAX_CONCURRENT_REQUESTS: usize = 24;

/// Deployments in one namespace.
const DEPLOYMENTS_PER_NAMESPACE: usize = 50;

/// Deployments in several namespaces, each with the same number of running pods.
pub(crate) struct Workloads {
    namespaces: Vec<TestNamespace>,
    apps: Vec<App>,
    pods_each: usize,
}

struct App {
    ns: TestNamespace,
    name: String,
    uid: String,
}

impl Workloads {
    /// Creates paused Deployments without pods: only [`add_pods`](Self::add_pods) creates pods for
    /// them.
    pub(crate) async fn create(cluster: &Cluster, size: usize, pods_each: usize) -> Self {
        let namespaces: Vec<TestNamespace> = stream::iter(0..size.div_ceil(DEPLOYMENTS_PER_NAMESPACE))
            .then(|_| async {
                let ns = cluster.test_namespace("crowd").await;
                // Without it pods are refused.
                eventually("the service account is there", || async {
                    ns.api::<ServiceAccount>().get("default").await.ok()
                })
                .await;
                ns
            })
            .collect()
            .await;
        let created = (0..size).map(|n| {
            let (ns, name) = (namespaces[n / DEPLOYMENTS_PER_NAMESPACE].clone(), format!("app-{n}"));
            async move {
                let deployment = json!({
                    "metadata": {"name": name},
                    "spec": {
                        "paused": true,
                        "replicas": pods_each,
                        "selector": {"matchLabels": {"app": name}},
                        "template": {
                            "metadata": {"labels": {"app": name}},
                            "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]},
                        },
                    },
                });
                let deployment: Deployment = serde_json::from_value(deployment).expect("a Deployment");
                let created = ns.api().create(&PostParams::default(), &deployment).await;
                let uid = created.expect("created").metadata.uid.expect("a uid");
                App { ns, name, uid }
            }
        });
        let apps = stream::iter(created).buffered(MAX_CONCURRENT_REQUESTS).collect().await;
        Self { namespaces, apps, pods_each: 0 }
    }

    /// Adds running pods until each Deployment has `pods_each`.
    pub(crate) async fn add_pods(&mut self, pods_each: usize) {
        let missing = self.pods_each..pods_each;
        let pods = self.apps.iter().flat_map(|app| missing.clone().map(move |n| app.pod(n)));
        stream::iter(pods).buffer_unordered(MAX_CONCURRENT_REQUESTS).collect::<()>().await;
        self.pods_each = pods_each;
    }

    /// Replaces the breakers of all Deployments by new ones without a status.
    pub(crate) async fn create_breakers(&self) {
        for ns in &self.namespaces {
            let all = ListParams::default();
            ns.breakers().delete_collection(&DeleteParams::default(), &all).await.expect("deleted");
        }
        for ns in &self.namespaces {
            eventually("the former breakers are gone", || async {
                let left = ns.breakers().list(&ListParams::default().limit(1)).await.ok()?;
                left.items.is_empty().then_some(())
            })
            .await;
        }
        let made = self.apps.iter().map(|app| app.ns.breaker(&app.name, json!({})));
        stream::iter(made).buffer_unordered(MAX_CONCURRENT_REQUESTS).collect::<()>().await;
    }

    /// The number of breakers in the phase Closed.
    pub(crate) async fn count_closed(&self) -> usize {
        let mut watched = 0;
        for ns in &self.namespaces {
            let breakers = ns.breakers().list(&ListParams::default()).await.expect("listed");
            let well = breakers.items.iter().filter(|breaker| breaker.data["status"]["phase"] == "Closed");
            watched += well.count();
        }
        watched
    }

    /// Namespace and name of every pod.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (String, String)> {
        let each = 0..self.pods_each;
        self.apps.iter().flat_map(move |app| each.clone().map(|n| (app.ns.name.clone(), app.pod_name(n))))
    }

    /// The number of pods.
    pub(crate) fn len(&self) -> usize {
        self.apps.len() * self.pods_each
    }

    pub(crate) async fn delete(self) {
        for ns in self.namespaces {
            ns.delete().await;
        }
    }
}

impl App {
    fn pod_name(&self, n: usize) -> String {
        format!("{}-6d4cf56db6-{n:05}", self.name)
    }

    /// Creates a pod as a Kubernetes controller would, and starts it as a kubelet would.
    async fn pod(&self, n: usize) {
        let pod = json!({
            "metadata": {
                "name": self.pod_name(n),
                "labels": {"app": self.name, "pod-template-hash": "6d4cf56db6"},
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": self.name, "uid": self.uid, "controller": true,
                }],
            },
            "spec": {
                "schedulerName": "nobody",
                "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "app", "image": "example.com/app:1"}],
            },
        });
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        let pod = self.ns.api().create(&PostParams::default(), &pod).await.expect("created");
        Kubelet::start(&self.ns, &pod).await;
    }
}
