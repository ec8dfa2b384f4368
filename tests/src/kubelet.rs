//! A simulated kubelet: it patches pod statuses in the same steps as a real one.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::TestNamespace;

/// The kubelet of one pod with one container.
pub struct Kubelet {
    ns: TestNamespace,
    /// Name of the pod.
    pub pod: String,
    uid: String,
    restarts: u32,
    started_at: Timestamp,
    last_termination: Option<Value>,
}

impl Kubelet {
    /// Starts the pod's container.
    pub async fn start(ns: &TestNamespace, pod: &Pod) -> Self {
        let mut kubelet = Self::new(ns, pod);
        kubelet.runs().await;
        kubelet
    }

    /// Starts the containers of all the pods.
    pub async fn start_all(ns: &TestNamespace, pods: &[Pod]) -> Vec<Self> {
        let mut kubelets = Vec::new();
        for pod in pods {
            kubelets.push(Self::start(ns, pod).await);
        }
        kubelets
    }

    fn new(ns: &TestNamespace, pod: &Pod) -> Self {
        Self {
            ns: ns.clone(),
            pod: pod.metadata.name.clone().unwrap_or_default(),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            restarts: 0,
            started_at: Timestamp::now(),
            last_termination: None,
        }
    }

    /// Restarts the container, which leaves `message` behind: terminated, waiting, running.
    pub async fn restart(&mut self, message: &str) {
        self.restart_with(1, "Error", message).await;
    }

    /// Like [`restart`](Self::restart), with an exit code and a reason.
    pub async fn restart_with(&mut self, exit_code: i32, reason: &str, message: &str) {
        self.terminate_with(exit_code, reason, message).await;
        self.start_again().await;
    }

    /// Terminates the container without starting it again.
    pub async fn terminate(&mut self, message: &str) {
        self.terminate_with(1, "Error", message).await;
    }

    async fn terminate_with(&mut self, exit_code: i32, reason: &str, message: &str) {
        let mut termination = json!({
            "containerID": self.container_id(),
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "finishedAt": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        if !message.is_empty() {
            termination["message"] = json!(message);
        }
        let before = self.last_termination.clone();
        self.show(json!({"terminated": termination}), before).await;
        self.last_termination = Some(termination);
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        self.show(waiting, self.last_termination.clone()).await;
    }

    /// Starts the container again after [`terminate`](Self::terminate).
    pub async fn start_again(&mut self) {
        self.restarts += 1;
        self.runs().await;
    }

    /// Restarts the container `restarts` times in one status change, as a watcher sees it that
    /// missed the steps between.
    pub async fn restart_unobserved(&mut self, restarts: u32, message: &str) {
        self.restarts += restarts - 1;
        self.last_termination = Some(json!({
            "containerID": self.container_id(),
            "exitCode": 1,
            "reason": "Error",
            "message": message,
            "startedAt": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "finishedAt": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }));
        self.start_again().await;
    }

    /// Sets the start of the container to `time` ago.
    pub async fn has_run_for(&mut self, time: std::time::Duration) {
        self.runs_since(Timestamp::now() - time).await;
    }

    async fn runs(&mut self) {
        self.runs_since(Timestamp::now()).await;
    }

    async fn runs_since(&mut self, at: Timestamp) {
        self.started_at = at;
        let at = self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let last = self.last_termination.clone();
        self.show(json!({"running": {"startedAt": at}}), last).await;
    }

    fn container_id(&self) -> String {
        let pod: String = self.uid.chars().filter(char::is_ascii_hexdigit).take(8).collect();
        format!("containerd://{:04x}{pod}{:052x}", self.restarts, 0)
    }

    async fn show(&self, state: Value, last: Option<Value>) {
        let running = state.get("running").is_some();
        let status = json!({
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": if running { "True" } else { "False" }}],
            "containerStatuses": [{
                "name": "app",
                "image": "example.com/app:1",
                "imageID": "",
                "containerID": self.container_id(),
                "ready": running,
                "restartCount": self.restarts,
                "state": state,
                "lastState": last.map_or_else(|| json!({}), |termination| json!({"terminated": termination})),
            }],
        });
        let patch = Patch::Merge(json!({"status": status}));
        let pods = self.ns.api::<Pod>();
        match pods.patch_status(&self.pod, &PatchParams::default(), &patch).await {
            // The pod was deleted.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            patched => drop(patched.expect("the status is patched")),
        }
    }
}
