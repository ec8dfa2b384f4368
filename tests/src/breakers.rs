//! CircuitBreakers of a test namespace.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, Config, CustomResourceExt};
use serde_json::{Value, json};

use crate::{Cluster, TestNamespace, eventually};

impl Cluster {
    /// Applies the CircuitBreaker CRD and waits until it is served.
    pub async fn with_breakers(self) -> Self {
        let all: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        let crd = breaker_kube::crd::CircuitBreaker::crd();
        let name = "circuitbreakers.bigredbutton.dev";
        all.patch(name, &PatchParams::apply("tests").force(), &Patch::Apply(&crd)).await.expect("applied");
        eventually("CircuitBreakers are served", || async {
            let conditions = all.get(name).await.ok()?.status?.conditions?;
            conditions.iter().any(|c| c.type_ == "Established" && c.status == "True").then_some(())
        })
        .await;
        self
    }

    /// Runs `kubectl ARGS` and returns its standard output.
    ///
    /// # Panics
    /// When it fails.
    pub fn kubectl(&self, args: &[&str]) -> String {
        self.kubectl_with(args, "")
    }

    /// The same with this standard input.
    ///
    /// # Panics
    /// When it fails.
    pub fn kubectl_with(&self, args: &[&str], input: &str) -> String {
        let mut kubectl = Command::new("kubectl")
            .args(args)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl is on the PATH: `eval \"$(tests/cluster/cluster env)\"`");
        let mut stdin = kubectl.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("kubectl reads its input");
        drop(stdin);
        let output = kubectl.wait_with_output().expect("kubectl ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl TestNamespace {
    /// Applies the Role that `watcher` printed for a user without rights.
    ///
    /// # Panics
    /// When none was printed, or it is refused.
    pub fn apply_missing_rights(&self, printed: &str) {
        let start = printed.find("# All missing rights").unwrap_or_else(|| panic!("no Role in {printed}"));
        self.cluster.kubectl_with(&["apply", "-f", "-"], &printed[start..]);
    }

    /// The CircuitBreakers of this namespace as untyped objects.
    pub fn breakers(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("bigredbutton.dev", "v1alpha1", "CircuitBreaker");
        let resource = ApiResource::from_gvk(&kind);
        Api::namespaced_with(self.cluster.client.clone(), &self.name, &resource)
    }

    /// The same as this user, with the rights that [`allow`](Self::allow) grants.
    ///
    /// # Panics
    /// When the kubeconfig cannot be read.
    pub async fn breakers_as(&self, user: &str) -> Api<DynamicObject> {
        let read = Kubeconfig::read_from(&self.cluster.kubeconfig).expect("the kubeconfig can be read");
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
        let mut config = config.expect("the kubeconfig is complete");
        config.auth_info.impersonate = Some(user.to_owned());
        let client = Client::try_from(config).expect("a client");
        let cluster = Cluster { client, kubeconfig: self.cluster.kubeconfig.clone() };
        Self { cluster, name: self.name.clone() }.breakers()
    }

    /// Creates a breaker for the Deployment of the same name; `more` is merged into its spec.
    ///
    /// # Errors
    /// When the API server refuses it.
    pub async fn create_breaker(&self, name: &str, more: Value) -> Result<DynamicObject, kube::Error> {
        let mut spec = json!({"targetRef": {"kind": "Deployment", "name": name}});
        for (key, value) in more.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        let breaker = json!({
            "apiVersion": "bigredbutton.dev/v1alpha1",
            "kind": "CircuitBreaker",
            "metadata": {"name": name},
            "spec": spec,
        });
        let breaker = serde_json::from_value(breaker).expect("a well-formed object");
        self.breakers().create(&PostParams::default(), &breaker).await
    }

    /// Like [`create_breaker`](Self::create_breaker), but panics when the breaker is refused.
    pub async fn breaker(&self, name: &str, more: Value) {
        self.create_breaker(name, more).await.expect("the breaker is accepted");
    }

    /// Merges `spec` into a breaker's spec.
    pub async fn edit_breaker(&self, name: &str, spec: Value) {
        let patch = Patch::Merge(json!({"spec": spec}));
        self.breakers().patch(name, &PatchParams::default(), &patch).await.expect("edited");
    }

    /// The `status` of a breaker; null before the controller has written it.
    pub async fn breaker_status(&self, name: &str) -> Value {
        let breaker = self.breakers().get(name).await.expect("the breaker exists");
        breaker.data["status"].clone()
    }

    /// Waits until `wanted` accepts the status and returns that status.
    ///
    /// # Panics
    /// After a minute; the message shows the last status.
    pub async fn wait_for_status(&self, name: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let status = self.breaker_status(name).await;
            if wanted(&status) {
                return status;
            }
            assert!(tokio::time::Instant::now() < end, "{name}, not within a minute: {what}: {status:#}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the breaker is in this phase and returns its status.
    pub async fn wait_for_phase(&self, name: &str, phase: &str) -> Value {
        self.wait_for_status(name, phase, |status| status["phase"] == phase).await
    }

    /// Waits until a condition has this status (True or False) and returns the condition.
    pub async fn wait_for_condition(&self, name: &str, kind: &str, status: &str) -> Value {
        let is = |found: &Value| condition(found, kind)["status"] == status;
        let found = self.wait_for_status(name, &format!("{kind}={status}"), is).await;
        condition(&found, kind)
    }
}

/// One condition of a status; null when it is absent.
pub fn condition(status: &Value, kind: &str) -> Value {
    let conditions = status["conditions"].as_array();
    conditions.into_iter().flatten().find(|c| c["type"] == kind).cloned().unwrap_or_default()
}
