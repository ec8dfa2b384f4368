//! A kubelet played by hand: patches pod statuses in the steps in which a real one shows them.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::Space;

/// Plays the kubelet for one pod with one container.
pub struct Kubelet {
    space: Space,
    /// Name of the pod.
    pub pod: String,
    uid: String,
    restarts: u32,
    started_at: Timestamp,
    last: Option<Value>,
}

impl Kubelet {
    /// Starts the pod's container.
    pub async fn start(space: &Space, pod: &Pod) -> Self {
        let mut kubelet = Self::of(space, pod);
        kubelet.runs().await;
        kubelet
    }

    /// Starts the containers of all these pods.
    pub async fn start_all(space: &Space, pods: &[Pod]) -> Vec<Self> {
        let mut kubelets = Vec::new();
        for pod in pods {
            kubelets.push(Self::start(space, pod).await);
        }
        kubelets
    }

    fn of(space: &Space, pod: &Pod) -> Self {
        Self {
            space: space.clone(),
            pod: pod.metadata.name.clone().unwrap_or_default(),
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            restarts: 0,
            started_at: Timestamp::now(),
            last: None,
        }
    }

    /// The container dies with these last words and starts again: terminated, waiting, running.
    pub async fn restart(&mut self, last_words: &str) {
        self.restart_with(1, "Error", last_words).await;
    }

    /// The same with an exit code and a reason.
    pub async fn restart_with(&mut self, exit_code: i32, reason: &str, last_words: &str) {
        self.die_with(exit_code, reason, last_words).await;
        self.runs_again().await;
    }

    /// The container dies; it is not started again yet.
    pub async fn die(&mut self, last_words: &str) {
        self.die_with(1, "Error", last_words).await;
    }

    async fn die_with(&mut self, exit_code: i32, reason: &str, last_words: &str) {
        let mut death = json!({
            "containerID": self.container_id(),
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "finishedAt": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        });
        if !last_words.is_empty() {
            death["message"] = json!(last_words);
        }
        let before = self.last.clone();
        self.show(json!({"terminated": death}), before).await;
        self.last = Some(death);
        let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        self.show(waiting, self.last.clone()).await;
    }

    /// The successor of the container that died starts.
    pub async fn runs_again(&mut self) {
        self.restarts += 1;
        self.runs().await;
    }

    /// The container restarts so often while nobody looks: one status change.
    pub async fn jump(&mut self, restarts: u32, last_words: &str) {
        self.restarts += restarts - 1;
        self.last = Some(json!({
            "containerID": self.container_id(),
            "exitCode": 1,
            "reason": "Error",
            "message": last_words,
            "startedAt": self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "finishedAt": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        }));
        self.runs_again().await;
    }

    /// The container turns out to have run for so long by now.
    pub async fn has_run_for(&mut self, time: std::time::Duration) {
        self.runs_since(Timestamp::now() - time).await;
    }

    async fn runs(&mut self) {
        self.runs_since(Timestamp::now()).await;
    }

    async fn runs_since(&mut self, at: Timestamp) {
        self.started_at = at;
        let at = self.started_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let last = self.last.clone();
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
                "lastState": last.map_or_else(|| json!({}), |death| json!({"terminated": death})),
            }],
        });
        let patch = Patch::Merge(json!({"status": status}));
        let pods = self.space.api::<Pod>();
        pods.patch_status(&self.pod, &PatchParams::default(), &patch).await.expect("the status is patched");
    }
}
