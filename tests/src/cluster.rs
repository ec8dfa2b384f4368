//! The cluster under test, and a separate namespace for each test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Pod};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig, NamedAuthInfo};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The cluster that `KUBECONFIG` names.
#[derive(Clone)]
pub struct Cluster {
    /// A client with an administrator's rights.
    pub client: Client,
    /// Path of the kubeconfig.
    pub kubeconfig: PathBuf,
}

impl Cluster {
    /// Writes a changed copy of the kubeconfig into a directory that is removed with the returned
    /// handle.
    ///
    /// # Panics
    /// When the kubeconfig cannot be read or the copy cannot be written.
    pub(crate) fn kubeconfig_with(&self, change: impl FnOnce(&mut Kubeconfig)) -> (TempDir, PathBuf) {
        let mut config = Kubeconfig::read_from(&self.kubeconfig).expect("the kubeconfig can be read");
        change(&mut config);
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("kubeconfig");
        // JSON is valid YAML.
        let text = serde_json::to_string(&config).expect("a kubeconfig");
        std::fs::write(&path, text).expect("the kubeconfig is written");
        (directory, path)
    }

    /// A kubeconfig for a proxy on `address` that speaks plain HTTP and has the credentials.
    ///
    /// # Panics
    /// When the kubeconfig does not have the shape of the test cluster's.
    pub(crate) fn kubeconfig_of_proxy(&self, address: SocketAddr) -> (TempDir, PathBuf) {
        self.kubeconfig_with(|config| {
            for named in &mut config.clusters {
                let cluster = named.cluster.as_mut().expect("a cluster");
                cluster.server = Some(format!("http://{address}"));
                cluster.certificate_authority_data = None;
            }
            for NamedAuthInfo { auth_info, .. } in &mut config.auth_infos {
                *auth_info = Some(AuthInfo::default());
            }
        })
    }

    /// Connects as administrator.
    ///
    /// # Panics
    /// When there is no cluster; the message names the command that starts one.
    pub async fn connect() -> Self {
        let kubeconfig: PathBuf = std::env::var_os("KUBECONFIG")
            .expect("KUBECONFIG is not set; run these tests with `tests/cluster/run tier2`")
            .into();
        let read = Kubeconfig::read_from(&kubeconfig).expect("the kubeconfig can be read");
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
        let client = Client::try_from(config.expect("the kubeconfig is complete")).expect("a client");
        Self { client, kubeconfig }
    }

    /// Creates a namespace that no other test uses.
    pub async fn test_namespace(&self, name: &str) -> TestNamespace {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{n}", std::process::id());
        let namespace = serde_json::from_value(json!({"metadata": {"name": name}})).expect("a namespace");
        let all: Api<Namespace> = Api::all(self.client.clone());
        all.create(&PostParams::default(), &namespace).await.expect("the namespace is created");
        TestNamespace { cluster: self.clone(), name }
    }

    /// A namespace that exists already.
    pub fn existing_namespace(&self, name: &str) -> TestNamespace {
        TestNamespace { cluster: self.clone(), name: name.into() }
    }

    /// Runs `tests/cluster/cluster apiserver VERB`.
    ///
    /// # Panics
    /// When it fails.
    pub fn api_server(verb: &str) {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster/cluster");
        let status = Command::new(program).args(["apiserver", verb]).status().expect("cluster runs");
        assert!(status.success(), "cluster apiserver {verb}: {status}");
    }
}

/// One test's namespace.
#[derive(Clone)]
pub struct TestNamespace {
    /// The cluster.
    pub cluster: Cluster,
    /// Name of the namespace.
    pub name: String,
}

impl TestNamespace {
    /// Objects of a kind in this namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.cluster.client.clone(), &self.name)
    }

    /// Deletes the namespace. A test that fails before leaves it behind for inspection.
    pub async fn delete(self) {
        let all: Api<Namespace> = Api::all(self.cluster.client.clone());
        let _gone = all.delete(&self.name, &DeleteParams::default()).await;
    }

    /// Creates a Deployment with one container `app`, which no node runs, and waits for its pods.
    pub async fn deployment(&self, name: &str, replicas: u32) -> Vec<Pod> {
        self.create_deployment(name, replicas).await;
        self.wait_for_pods(replicas as usize).await
    }

    /// Like [`deployment`](Self::deployment) in a namespace that has other workloads: waits for its
    /// own pods only.
    pub async fn deployment_beside(&self, name: &str, replicas: u32) -> Vec<Pod> {
        self.create_deployment(name, replicas).await;
        eventually("its pods exist", || async {
            let params = ListParams::default().labels(&format!("app={name}"));
            let pods = self.api::<Pod>().list(&params).await.ok()?.items;
            (pods.len() == replicas as usize).then_some(pods)
        })
        .await
    }

    /// Creates a Deployment with one container `app`, which no node runs.
    pub async fn create_deployment(&self, name: &str, replicas: u32) {
        self.create(workload("Deployment", name, replicas)).await;
    }

    /// Creates a Deployment from JSON.
    pub async fn create(&self, deployment: Value) {
        self.api::<Deployment>().create(&PostParams::default(), &from(deployment)).await.expect("created");
    }

    /// Creates a StatefulSet (OrderedReady) whose pods no node runs, and waits for its first pod.
    pub async fn stateful_set(&self, name: &str, replicas: u32) -> Vec<Pod> {
        let mut object = workload("StatefulSet", name, replicas);
        object["spec"]["serviceName"] = json!(name);
        self.api::<StatefulSet>().create(&PostParams::default(), &from(object)).await.expect("created");
        self.wait_for_pods(1).await
    }

    /// Waits until there are `count` pods; returns them by creation time and name.
    pub async fn wait_for_pods(&self, count: usize) -> Vec<Pod> {
        eventually("the pods exist", || async {
            let mut pods = self.api::<Pod>().list(&ListParams::default()).await.ok()?.items;
            pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
            pods.sort_by_key(|pod| {
                (pod.metadata.creation_timestamp.clone().map(|t| t.0), pod.metadata.name.clone())
            });
            (pods.len() == count).then_some(pods)
        })
        .await
    }

    /// `spec.replicas` of a Deployment.
    pub async fn replicas(&self, name: &str) -> i32 {
        let deployment = self.api::<Deployment>().get(name).await.expect("the deployment exists");
        deployment.spec.and_then(|spec| spec.replicas).unwrap_or_default()
    }

    /// Scales a Deployment under the field manager of `kubectl scale`.
    pub async fn scale(&self, name: &str, replicas: u32) {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let params = PatchParams { field_manager: Some("kubectl-scale".into()), ..PatchParams::default() };
        self.api::<Deployment>().patch(name, &params, &patch).await.expect("scaled");
    }

    /// How many Events on the named workload say that it was tripped. Those on its CircuitBreaker,
    /// which often has the same name, say so once more.
    pub async fn trips_of(&self, name: &str) -> usize {
        let fields = format!("involvedObject.name={name},involvedObject.kind!=CircuitBreaker,reason=Tripped");
        let events = self.api::<Event>().list(&ListParams::default().fields(&fields)).await.expect("events");
        events.items.len()
    }

    /// Reasons and notes of the watcher's Events on the named object.
    pub async fn events_on(&self, name: &str) -> Vec<(String, String)> {
        let fields = format!("involvedObject.name={name}");
        let events = self.api::<Event>().list(&ListParams::default().fields(&fields)).await.expect("events");
        let ours = |event: &Event| event.reporting_component.as_deref() == Some("bigredbutton.dev/watcher");
        let reason_and_note =
            |event: Event| (event.reason.unwrap_or_default(), event.message.unwrap_or_default());
        events.items.into_iter().filter(ours).map(reason_and_note).collect()
    }

    /// Waits for an Event with that reason on the named object and returns its note.
    pub async fn wait_for_event(&self, name: &str, wanted: &str) -> String {
        eventually(&format!("an Event {wanted} on {name}"), || async {
            let events = self.events_on(name).await;
            events.into_iter().find(|(reason, _)| reason == wanted).map(|(_, note)| note)
        })
        .await
    }

    /// The stored Record of a Deployment.
    pub async fn record(&self, name: &str) -> Option<Value> {
        let map =
            self.api::<ConfigMap>().get_opt(&format!("bigredbutton-deployment-{name}")).await.ok()??;
        serde_json::from_str(map.data?.get("record.json")?).ok()
    }

    /// Grants a user of the kubeconfig the RBAC rules `rules` in this namespace.
    pub async fn allow(&self, user: &str, rules: Value) {
        let role = json!({"metadata": {"name": user}, "rules": rules});
        self.api::<Role>().create(&PostParams::default(), &from(role)).await.expect("a role");
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": user},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        self.api::<RoleBinding>().create(&PostParams::default(), &from(binding)).await.expect("a binding");
    }
}

fn from<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("a well-formed object")
}

fn workload(kind: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "schedulerName": "nobody",
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "app", "image": "example.com/app:1"}],
                },
            },
        },
    })
}

/// Calls `ask` until it returns a value.
///
/// # Panics
/// When it has returned none for a minute.
pub async fn eventually<T, F>(what: &str, ask: impl Fn() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "not within a minute: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
