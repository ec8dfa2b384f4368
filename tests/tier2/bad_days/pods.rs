//! [`WorkloadPods`]: simulated kubelets of all pods of a workload, also of those created later.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use bigredbutton_tests::{Kubelet, REFUSED, TestNamespace};
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// What the pods do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// They run.
    Runs,
    /// They terminate by a network failure and are started again.
    Terminates,
    /// They run, and have done so for 20 minutes.
    RunsForLong,
}

/// Restarts after which a terminating pod is left alone, so that a watch is not flooded. It has
/// then still failed within the last 10 minutes.
const MAX_RESTARTS: u32 = 12;

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The pods of a namespace with one workload.
pub(crate) struct WorkloadPods {
    health: watch::Sender<Health>,
    task: JoinHandle<()>,
}

impl WorkloadPods {
    /// Starts every pod that appears. `pace` is the time between two terminations of one pod.
    pub(crate) fn start(ns: &TestNamespace, pace: Duration) -> Self {
        let (health, now) = watch::channel(Health::Runs);
        let task = tokio::spawn(simulate(ns.clone(), pace, now));
        Self { health, task }
    }

    pub(crate) fn set(&self, health: Health) {
        self.health.send_replace(health);
    }
}

impl Drop for WorkloadPods {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct SimulatedPod {
    kubelet: Kubelet,
    restarts: u32,
    next: Instant,
    ran_for_long: bool,
}

async fn simulate(ns: TestNamespace, pace: Duration, health: watch::Receiver<Health>) {
    let mut pods: HashMap<String, SimulatedPod> = HashMap::new();
    loop {
        let listed = ns.api::<Pod>().list(&ListParams::default()).await;
        let listed = listed.map(|list| list.items).unwrap_or_default();
        pods.retain(|uid, _| listed.iter().any(|pod| pod.metadata.uid.as_deref() == Some(uid)));
        for pod in listed.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            let uid = pod.metadata.uid.clone().unwrap_or_default();
            if let Entry::Vacant(entry) = pods.entry(uid) {
                let kubelet = Kubelet::start(&ns, pod).await;
                let next = Instant::now() + pace / 2;
                entry.insert(SimulatedPod { kubelet, restarts: 0, next, ran_for_long: false });
            }
        }
        let now = *health.borrow();
        for pod in pods.values_mut() {
            match now {
                Health::Terminates if pod.next <= Instant::now() && pod.restarts < MAX_RESTARTS => {
                    pod.kubelet.restart(REFUSED).await;
                    pod.restarts += 1;
                    pod.next = Instant::now() + pace;
                    pod.ran_for_long = false;
                }
                Health::RunsForLong if !pod.ran_for_long => {
                    pod.kubelet.has_run_for(Duration::from_secs(20 * 60)).await;
                    pod.ran_for_long = true;
                }
                _ => {}
            }
        }
        sleep(POLL_INTERVAL).await;
    }
}
