//! The many that nothing happens to: Deployments, their running pods, and a breaker for each.

use bigredbutton_tests::{Cluster, Kubelet, Space, eventually};
use futures::{StreamExt, stream};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;

/// Requests at the same time.
const AT_ONCE: usize = 24;

/// Deployments of one namespace.
const IN_A_NAMESPACE: usize = 50;

/// Deployments in several namespaces, each with the same number of running pods.
pub(crate) struct Crowd {
    spaces: Vec<Space>,
    apps: Vec<App>,
    pods_each: usize,
}

struct App {
    space: Space,
    name: String,
    uid: String,
}

impl Crowd {
    /// Deployments without pods. They are paused: nobody makes or removes pods for them but [`Crowd::grow`].
    pub(crate) async fn gather(cluster: &Cluster, size: usize, pods_each: usize) -> Self {
        let spaces: Vec<Space> = stream::iter(0..size.div_ceil(IN_A_NAMESPACE))
            .then(|_| async {
                let space = cluster.space("crowd").await;
                // Before it is there, pods are refused.
                eventually("the service account is there", || async {
                    space.api::<ServiceAccount>().get("default").await.ok()
                })
                .await;
                space
            })
            .collect()
            .await;
        let created = (0..size).map(|n| {
            let (space, name) = (spaces[n / IN_A_NAMESPACE].clone(), format!("app-{n}"));
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
                let created = space.api().create(&PostParams::default(), &deployment).await;
                let uid = created.expect("created").metadata.uid.expect("a uid");
                App { space, name, uid }
            }
        });
        let apps = stream::iter(created).buffered(AT_ONCE).collect().await;
        Self { spaces, apps, pods_each: 0 }
    }

    /// More running pods for each.
    pub(crate) async fn grow(&mut self, pods_each: usize) {
        let missing = self.pods_each..pods_each;
        let pods = self.apps.iter().flat_map(|app| missing.clone().map(move |n| app.pod(n)));
        stream::iter(pods).buffer_unordered(AT_ONCE).collect::<()>().await;
        self.pods_each = pods_each;
    }

    /// A new breaker for each, without a status, in place of those there are.
    pub(crate) async fn guard(&self) {
        for space in &self.spaces {
            let all = ListParams::default();
            space.breakers().delete_collection(&DeleteParams::default(), &all).await.expect("deleted");
        }
        for space in &self.spaces {
            eventually("the former breakers are gone", || async {
                let left = space.breakers().list(&ListParams::default().limit(1)).await.ok()?;
                left.items.is_empty().then_some(())
            })
            .await;
        }
        let made = self.apps.iter().map(|app| app.space.breaker(&app.name, json!({})));
        stream::iter(made).buffer_unordered(AT_ONCE).collect::<()>().await;
    }

    /// How many breakers are said to be watching.
    pub(crate) async fn watched(&self) -> usize {
        let mut watched = 0;
        for space in &self.spaces {
            let breakers = space.breakers().list(&ListParams::default()).await.expect("listed");
            let well = breakers.items.iter().filter(|breaker| breaker.data["status"]["phase"] == "Closed");
            watched += well.count();
        }
        watched
    }

    /// Namespace and name of every pod.
    pub(crate) fn pods(&self) -> impl Iterator<Item = (String, String)> {
        let each = 0..self.pods_each;
        self.apps.iter().flat_map(move |app| each.clone().map(|n| (app.space.name.clone(), app.pod_name(n))))
    }

    /// How many pods there are.
    pub(crate) fn len(&self) -> usize {
        self.apps.len() * self.pods_each
    }

    pub(crate) async fn close(self) {
        for space in self.spaces {
            space.close().await;
        }
    }
}

impl App {
    fn pod_name(&self, n: usize) -> String {
        format!("{}-6d4cf56db6-{n:05}", self.name)
    }

    /// Creates a pod as a controller would, and runs it as a kubelet would.
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
        let pod = self.space.api().create(&PostParams::default(), &pod).await.expect("created");
        Kubelet::start(&self.space, &pod).await;
    }
}
