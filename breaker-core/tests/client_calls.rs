//! The calls that the supervisor makes and those that it does not make, on a mock client that
//! refuses all others.

use std::sync::Arc;

use async_trait::async_trait;
use breaker_core::cluster::{KubernetesEvent, LogTail, LogTailRequest, PodWatchEvent, Scale, StoredRecord};
use breaker_core::pod::{
    ContainerKind, ContainerReport, ContainerState, Owner, PodEvent, PodReport, Terminated,
};
use breaker_core::sim::Sim;
use breaker_core::supervisor::{Dependencies, Observer, RunUntil, SupervisorOptions};
use breaker_core::{
    BreakerEvent, Classifier, Clock, ClusterClient, ClusterError, Policy, Record, Snapshot, Supervisor,
    WorkloadRef,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use mockall::mock;

mock! {
    Client {}

    #[async_trait]
    impl ClusterClient for Client {
        fn watch_pods(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent>;
        async fn list_pods(&self, namespace: &str, selector: &str) -> Result<Vec<PodReport>, ClusterError>;
        async fn read_scale(&self, target: &WorkloadRef) -> Result<Scale, ClusterError>;
        async fn write_scale(&self, target: &WorkloadRef, seen: &Scale, replicas: u32) -> Result<Scale, ClusterError>;
        async fn scaled_by(&self, target: &WorkloadRef) -> Result<Option<String>, ClusterError>;
        async fn log_tail(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError>;
        async fn pod_events(&self, namespace: &str, pod_uid: &str) -> Result<Vec<PodEvent>, ClusterError>;
        async fn load_record(&self, target: &WorkloadRef) -> Result<Option<StoredRecord>, ClusterError>;
        async fn save_record(&self, target: &WorkloadRef, record: &Record, over: Option<String>) -> Result<String, ClusterError>;
        async fn publish(&self, target: &WorkloadRef, event: &KubernetesEvent) -> Result<(), ClusterError>;
    }
}

/// A pod whose one container has restarted once, with this message in its status.
fn restarted(sim: &Sim, exit_code: i32, reason: &str, message: &str) -> PodReport {
    let now = sim.now();
    let terminated = Terminated {
        container_id: "containerd://aaaaaaaaaaaa".into(),
        exit_code,
        reason: reason.into(),
        message: message.into(),
        started_at: Some(now),
        finished_at: Some(now),
        signal: None,
    };
    PodReport {
        uid: "pod-uid".into(),
        name: "swype-app-abc-1".into(),
        node: "node".into(),
        created: now,
        controller: Some(Owner { kind: "ReplicaSet".into(), name: "swype-app-abc".into(), uid: "rs".into() }),
        revision: "abc".into(),
        deleting: false,
        finished: false,
        ready: true,
        restarting_all: false,
        odd: vec![],
        containers: vec![ContainerReport {
            name: "app".into(),
            kind: ContainerKind::App,
            restart_count: 1,
            container_id: "containerd://bbbbbbbbbbbb".into(),
            state: ContainerState::Running { started_at: Some(now) },
            last: Some(Box::new(terminated)),
        }],
    }
}

/// Watches one pod until every verdict is final and returns the rule that decided.
fn rule_of(sim: &Sim, mut client: MockClient, pod: PodReport) -> String {
    let scale =
        Scale { uid: "target".into(), resource_version: "1".into(), replicas: 1, selector: "app=app".into() };
    client.expect_read_scale().returning(move |_| Ok(scale.clone()));
    client.expect_load_record().times(1).returning(|_| Ok(None));
    client.expect_save_record().returning(|_, _, _| Ok("1".into()));
    let asked_at = sim.now();
    client.expect_watch_pods().times(1).returning(move |_, _| {
        let listed = PodWatchEvent::Listed { pods: vec![pod.clone()], asked_at };
        futures::stream::iter([listed]).chain(futures::stream::pending()).boxed()
    });
    let parts = Dependencies {
        client: Arc::new(client),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: None,
    };
    let mut rule = String::new();
    let end = sim.run(async {
        let mut supervisor =
            Supervisor::start(parts, Policy::default(), sim.target().clone(), SupervisorOptions::default())
                .await
                .expect("started");
        let commands = futures::stream::pending().boxed();
        let mut on_event = |_, event: &BreakerEvent| {
            if let BreakerEvent::Restart(restart) = event {
                rule = restart.rule.clone();
            }
        };
        supervisor.run(commands, RunUntil::Settled, &mut on_event).await.expect("no refusal")
    });
    assert_eq!(end, Some(breaker_core::supervisor::StopReason::Settled));
    rule
}

fn sim() -> Sim {
    Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1)
}

#[test]
fn a_message_in_the_status_that_says_network_asks_for_events_and_not_for_the_log() {
    let sim = sim();
    let mut client = MockClient::new();
    client.expect_log_tail().never();
    client.expect_pod_events().times(1).returning(|_, _| Ok(vec![]));
    let pod = restarted(&sim, 1, "Error", "dial tcp: connect: connection refused");
    assert_eq!(rule_of(&sim, client, pod), "refused");
}

#[test]
fn kubernetes_own_verdict_asks_for_nothing() {
    let sim = sim();
    let mut client = MockClient::new();
    client.expect_log_tail().never();
    client.expect_pod_events().never();
    let pod = restarted(&sim, 1, "OOMKilled", "");
    assert_eq!(rule_of(&sim, client, pod), "k8s-oom-killed");
}

#[test]
fn without_a_message_the_log_is_asked_once() {
    let sim = sim();
    let mut client = MockClient::new();
    client
        .expect_log_tail()
        .withf(|of| !of.current && of.container == "app")
        .times(1)
        .returning(|_| Ok(LogTail::Text("panic: runtime error: index out of range".into())));
    client.expect_pod_events().never();
    let pod = restarted(&sim, 2, "Error", "");
    assert_eq!(rule_of(&sim, client, pod), "bug-go");
}

/// What a supervisor reports over `client` within this many minutes.
fn watched(sim: &Sim, client: MockClient, minutes: i64) -> (Vec<BreakerEvent>, Option<Snapshot>) {
    struct Seen(Vec<BreakerEvent>, Option<Snapshot>);

    impl Observer for Seen {
        fn event(&mut self, _: Timestamp, event: &BreakerEvent) {
            self.0.push(event.clone());
        }

        fn snapshot(&mut self, _: Timestamp, snapshot: &Snapshot) {
            self.1 = Some(snapshot.clone());
        }
    }

    let parts = Dependencies {
        client: Arc::new(client),
        clock: Arc::new(sim.clone()),
        classifier: Arc::new(Classifier::default()),
        webhooks: None,
    };
    let mut seen = Seen(vec![], None);
    let options =
        SupervisorOptions { heartbeat: Some(SignedDuration::from_mins(1)), ..SupervisorOptions::default() };
    let end = sim.now() + SignedDuration::from_mins(minutes);
    let run = async {
        let target = sim.target().clone();
        let mut supervisor =
            Supervisor::start(parts, Policy::default(), target, options).await.expect("started");
        let commands = futures::stream::pending().boxed();
        supervisor.run(commands, RunUntil::Forever, &mut seen).await
    };
    sim.run(futures::future::select(Box::pin(run), sim.sleep_until(end)));
    (seen.0, seen.1)
}

fn stream(events: Vec<PodWatchEvent>) -> BoxStream<'static, PodWatchEvent> {
    futures::stream::iter(events).chain(futures::stream::pending()).boxed()
}

#[test]
fn a_target_that_is_created_again_with_another_selector_is_watched_by_that() {
    let sim = sim();
    let asked_at = sim.now();
    let mut client = MockClient::new();
    let scale = |uid: &str, selector: &str| Scale {
        uid: uid.into(),
        resource_version: "1".into(),
        replicas: 1,
        selector: selector.into(),
    };
    let (first, then) = (scale("first", "app=old"), scale("second", "app=new"));
    client.expect_read_scale().times(1).returning(move |_| Ok(first.clone()));
    client.expect_read_scale().returning(move |_| Ok(then.clone()));
    client.expect_load_record().returning(|_| Ok(None));
    client.expect_save_record().returning(|_, _, _| Ok("1".into()));
    client.expect_pod_events().returning(|_, _| Ok(vec![]));
    // The new pods are not there yet when the breaker lists them itself.
    client.expect_list_pods().withf(|_, selector| selector == "app=new").returning(|_, _| Ok(vec![]));
    let old = restarted(&sim, 1, "OOMKilled", "");
    client.expect_watch_pods().withf(|_, selector| selector == "app=old").times(1).returning(move |_, _| {
        let gone = PodWatchEvent::Deleted(old.uid.clone());
        stream(vec![PodWatchEvent::Listed { pods: vec![old.clone()], asked_at }, gone])
    });
    let new = PodReport { uid: "new".into(), ..restarted(&sim, 1, "Error", "connect: connection refused") };
    client.expect_watch_pods().withf(|_, selector| selector == "app=new").times(1).returning(move |_, _| {
        let listed = PodWatchEvent::Listed { pods: vec![], asked_at };
        stream(vec![listed, PodWatchEvent::Applied(new.clone())])
    });
    let (events, snapshot) = watched(&sim, client, 2);
    let counted =
        events.iter().any(|event| matches!(event, BreakerEvent::Restart(restart) if restart.counts));
    assert!(counted, "{events:?}");
    assert_eq!(snapshot.map(|snapshot| (snapshot.pods, snapshot.blind)), Some((1, None)));
}

#[test]
fn a_watch_that_never_lists_is_one_warning_and_shown_in_each_heartbeat_and_in_the_snapshot() {
    let sim = sim();
    let mut client = MockClient::new();
    let scale =
        Scale { uid: "target".into(), resource_version: "1".into(), replicas: 3, selector: "app=app".into() };
    client.expect_read_scale().returning(move |_| Ok(scale.clone()));
    client.expect_load_record().returning(|_| Ok(None));
    let down = PodWatchEvent::Down("the list failed: pods is forbidden (403)".into());
    client.expect_watch_pods().times(1).returning(move |_, _| stream(vec![down.clone(); 50]));
    let (events, snapshot) = watched(&sim, client, 3);
    let lines: Vec<_> = events.iter().map(ToString::to_string).collect();
    assert_eq!(lines[0], "warning: the pod watch is down: the list failed: pods is forbidden (403)");
    assert!(
        lines[1].contains("0 pods; blind for 60 s: the list failed: pods is forbidden (403)"),
        "{lines:?}"
    );
    assert!(lines[2].contains("; blind for 120 s: "), "{lines:?}");
    assert!(lines.iter().filter(|line| line.starts_with("warning")).count() == 1, "{lines:?}");
    let blind = snapshot.and_then(|snapshot| snapshot.blind).expect("blind");
    assert_eq!(blind.why, "the list failed: pods is forbidden (403)");
}
