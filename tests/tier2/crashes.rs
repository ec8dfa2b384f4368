//! The supervisor on a real API server, killed before each of its calls and restarted: at once, and
//! after the service has recovered.
//!
//! A killed process is a future that is dropped between two polls: the request that it had sent was
//! executed or not. `CrashingClient` decides exactly where, before the n-th call.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bigredbutton_tests::{Cluster, Kubelet, REFUSED, TestNamespace};
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::pod::{PodEvent, PodReport};
use breaker_core::supervisor::{Dependencies, RunUntil, StopReason, SupervisorOptions};
use breaker_core::webhook::{
    BeforeTrip, CloudEvent, Endpoint, HookDecision, Hooks, OnFailure, WebhookClient, WebhookError,
};
use breaker_core::{
    BreakerEvent, Classifier, Clock, ClusterClient, ClusterError, Policy, Record, Supervisor, WorkloadRef,
};
use breaker_kube::{ConnectOptions, KubeClient};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const APP: &str = "swype-app";

/// More calls than a watch makes from its start to its trip.
const CALLS: u32 = 14;

struct SystemClock(Instant);

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> SignedDuration {
        self.0.elapsed().try_into().unwrap_or(SignedDuration::MAX)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let left = until.duration_since(Timestamp::now());
        tokio::time::sleep(left.try_into().unwrap_or(Duration::ZERO)).await;
    }
}

/// A client whose process is killed before its n-th call: that call and all later ones never
/// return. Webhook requests are calls too.
#[derive(Clone)]
struct CrashingClient {
    client: KubeClient,
    calls_left: Arc<AtomicU32>,
    died: Arc<tokio::sync::Notify>,
    asked: Asked,
}

/// Webhook requests: the ID, and the replicas of the target at that time.
type Asked = Arc<Mutex<Vec<(String, u32)>>>;

impl CrashingClient {
    async fn lives(&self) {
        let left =
            self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_err() {
            self.died.notify_one();
            futures::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl ClusterClient for CrashingClient {
    fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        self.client.watch_pods(namespace, selector)
    }

    async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError> {
        self.lives().await;
        self.client.list_pods(namespace, selector).await
    }

    async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError> {
        self.lives().await;
        self.client.read_scale(target).await
    }

    async fn write_scale(
        &self,
        target: &WorkloadRef,
        seen: &Scale,
        replicas: u32,
    ) -> Result<Scale, ClusterError> {
        self.lives().await;
        self.client.write_scale(target, seen, replicas).await
    }

    async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError> {
        self.lives().await;
        self.client.scaled_by(target).await
    }

    async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        self.lives().await;
        self.client.log_tail(of).await
    }

    async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError> {
        self.lives().await;
        self.client.pod_events(namespace, pod_uid).await
    }

    async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError> {
        self.lives().await;
        self.client.load_record(target).await
    }

    async fn save_record(
        &self,
        target: &WorkloadRef,
        record: &Record,
        over: Option<String>,
    ) -> Result<String, ClusterError> {
        self.lives().await;
        self.client.save_record(target, record, over).await
    }

    async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError> {
        self.lives().await;
        self.client.publish(target, event).await
    }
}

#[async_trait]
impl WebhookClient for CrashingClient {
    async fn post(&self, _to: &Endpoint, event: &CloudEvent) -> Result<HookDecision, WebhookError> {
        self.lives().await;
        let namespace = event.data.namespace.as_str();
        let scale = self.client.read_scale(&WorkloadRef::deployment(namespace, APP)).await.expect("a scale");
        self.asked.lock().expect("no panic").push((event.id.clone(), scale.replicas));
        Ok(HookDecision::Proceed)
    }
}

/// Runs until it trips, is killed or the time is over; returns the reason if it stopped by itself.
async fn watch(ns: &TestNamespace, calls: u32, time: Duration) -> Option<StopReason> {
    watch_with(ns, calls, time, Hooks::default(), &Asked::default()).await
}

async fn watch_with(
    ns: &TestNamespace,
    calls: u32,
    time: Duration,
    hooks: Hooks,
    asked: &Asked,
) -> Option<StopReason> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(Instant::now()));
    let options = ConnectOptions::new(Some(ns.cluster.kubeconfig.clone()), None);
    let client = KubeClient::connect(options, Arc::clone(&clock)).await.expect("a client");
    let died = Arc::new(tokio::sync::Notify::new());
    let calls_left = Arc::new(AtomicU32::new(calls));
    let client = CrashingClient { client, calls_left, died: Arc::clone(&died), asked: Arc::clone(asked) };
    let parts = Dependencies {
        client: Arc::new(client.clone()),
        clock,
        classifier: Arc::new(Classifier::default()),
        webhooks: Some(Arc::new(client)),
    };
    let target = WorkloadRef::deployment(&ns.name, APP);
    let life = async {
        let policy = Policy { hooks, ..Policy::default() };
        let options = SupervisorOptions::default();
        let mut supervisor = Supervisor::start(parts, policy, target, options).await.expect("started");
        let commands = futures::stream::pending().boxed();
        supervisor
            .run(commands, RunUntil::Tripped, &mut |_: Timestamp, _: &BreakerEvent| {})
            .await
            .expect("no refusal")
    };
    tokio::select! {
        end = life => Some(end),
        () = died.notified() => None,
        () = tokio::time::sleep(time) => None,
    }
}

async fn dying_app(ns: &TestNamespace, restarts: u32) -> Kubelet {
    let pods = ns.deployment(APP, 2).await;
    let mut apps = Kubelet::start_all(ns, &pods).await;
    for _ in 0..restarts {
        apps[0].restart(REFUSED).await;
    }
    apps.swap_remove(0)
}

#[tokio::test]
async fn killed_before_any_call_and_started_at_once_it_trips_once() {
    let cluster = Cluster::connect().await;
    let runs = (0..CALLS).map(|calls| {
        let cluster = cluster.clone();
        async move {
            let ns = cluster.test_namespace("crash").await;
            let _app = dying_app(&ns, 4).await;
            watch(&ns, calls, Duration::from_secs(20)).await;
            let end = watch(&ns, u32::MAX, Duration::from_secs(30)).await;
            assert_eq!(end, Some(StopReason::Tripped { left: vec![] }), "killed before call {calls}");
            assert_eq!(ns.replicas(APP).await, 0, "killed before call {calls}");
            let state = ns.record(APP).await.expect("a record")["state"].clone();
            assert_eq!(
                (&state["phase"], &state["replicas"]),
                (&json!("Open"), &json!(2)),
                "before call {calls}"
            );
            let events = ns.events_on(APP).await;
            let tripped = events.iter().filter(|(reason, _)| reason == "Tripped").count();
            assert_eq!(tripped, 1, "killed before call {calls}: {events:?}");
            ns.delete().await;
        }
    });
    futures::stream::iter(runs).buffer_unordered(4).collect::<Vec<_>>().await;
}

#[tokio::test]
async fn killed_before_any_call_it_asks_the_hook_before_it_scales_and_notifies_of_the_trip() {
    let cluster = Cluster::connect().await;
    // Four more calls: the scale read for the hook, the hook, the load of the Record after a read
    // of the scale, and the notification.
    let runs = (0..CALLS + 4).map(|calls| {
        let cluster = cluster.clone();
        async move {
            let ns = cluster.test_namespace("asked").await;
            let _app = dying_app(&ns, 4).await;
            let before_trip = BeforeTrip {
                to: Endpoint::new("https://rollback.example.org"),
                timeout: jiff::SignedDuration::from_secs(10),
                on_failure: OnFailure::Hold,
            };
            let notify = vec![Endpoint::new("https://pager.example.org")];
            let hooks = Hooks { before_trip: Some(before_trip), notify };
            let asked = Asked::default();
            watch_with(&ns, calls, Duration::from_secs(20), hooks.clone(), &asked).await;
            let end = watch_with(&ns, u32::MAX, Duration::from_secs(30), hooks, &asked).await;
            assert_eq!(end, Some(StopReason::Tripped { left: vec![] }), "killed before call {calls}");
            assert_eq!(ns.replicas(APP).await, 0, "killed before call {calls}");
            let record = ns.record(APP).await.expect("a record");
            assert_eq!(record["notices"], json!(null), "killed before call {calls}");
            let uid = record["targetUid"].as_str().unwrap_or_default();
            let asked = asked.lock().expect("no panic").clone();
            let is_hook = |id: &&str| id.strip_prefix(uid).is_some_and(|rest| rest.matches('.').count() == 1);
            let keys: BTreeSet<_> = asked.iter().map(|(id, _)| id.as_str()).filter(is_hook).collect();
            let [key] = keys.into_iter().collect::<Vec<_>>()[..] else {
                panic!("killed before call {calls}: more than one key, or none: {asked:?}");
            };
            assert!(asked.contains(&(key.to_owned(), 2)), "killed before call {calls}: {asked:?}");
            assert!(asked.contains(&(format!("{key}.tripped"), 0)), "killed before call {calls}: {asked:?}");
            ns.delete().await;
        }
    });
    futures::stream::iter(runs).buffer_unordered(4).collect::<Vec<_>>().await;
}

#[tokio::test]
async fn killed_before_any_call_and_restarted_after_the_recovery_it_does_not_trip() {
    let cluster = Cluster::connect().await;
    let runs = (0..CALLS).map(|calls| {
        let cluster = cluster.clone();
        async move {
            let ns = cluster.test_namespace("healed").await;
            let mut app = dying_app(&ns, 4).await;
            let end = watch(&ns, calls, Duration::from_secs(20)).await;
            if end.is_none() && ns.replicas(APP).await > 0 {
                app.has_run_for(Duration::from_secs(660)).await;
                let end = watch(&ns, u32::MAX, Duration::from_secs(4)).await;
                assert_eq!(end, None, "killed before call {calls}: a healed service was shut down");
                assert_eq!(ns.replicas(APP).await, 2, "killed before call {calls}");
                let phase = ns.record(APP).await.map(|record| record["state"]["phase"].clone());
                assert!(phase.is_none_or(|phase| phase == "Closed"), "killed before call {calls}");
            }
            ns.delete().await;
        }
    });
    futures::stream::iter(runs).buffer_unordered(4).collect::<Vec<_>>().await;
}
