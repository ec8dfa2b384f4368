//! Leader election on a real API server, with processes that are killed.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command as Blocking, Stdio};
use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, TcpProxy, TestNamespace, eventually};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The maximum duration of a hand-over after SIGKILL.
const HAND_OVER: Duration = Duration::from_secs(15);
/// How long to wait for a candidate; longer than any hand-over.
const WAIT_TIMEOUT: Duration = Duration::from_secs(25);

struct Candidate {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    name: &'static str,
}

impl Candidate {
    fn start(ns: &TestNamespace, kubeconfig: &Path, name: &'static str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_candidate"));
        command.args([&ns.name, name]).env("KUBECONFIG", kubeconfig);
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines, name }
    }

    /// Waits for a line that starts with `word` and returns it.
    async fn wait_for(&mut self, word: &str) -> String {
        let line = timeout(WAIT_TIMEOUT, async {
            loop {
                let line = self.lines.next_line().await.expect("readable").expect("it goes on");
                if line.starts_with(word) {
                    return line;
                }
            }
        });
        line.await.unwrap_or_else(|_| panic!("{} does not print `{word}`", self.name))
    }

    /// Whether it becomes the leader within this time.
    async fn leads_within(&mut self, time: Duration) -> bool {
        let line = timeout(time, async {
            while let Ok(Some(line)) = self.lines.next_line().await {
                if line == "leading" {
                    return;
                }
            }
            std::future::pending::<()>().await;
        });
        line.await.is_ok()
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        assert!(Blocking::new("kill").args([signal, &pid]).status().expect("kill runs").success());
    }
}

async fn lease(ns: &TestNamespace) -> Lease {
    ns.api::<Lease>().get("controller").await.expect("the Lease exists")
}

async fn holder(ns: &TestNamespace) -> Option<String> {
    lease(ns).await.spec.and_then(|spec| spec.holder_identity)
}

#[tokio::test]
async fn of_three_one_leads_and_after_sigkill_one_of_the_others_within_15_s() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-kill").await;
    let mut first = Candidate::start(&ns, &cluster.kubeconfig, "first");
    first.wait_for("leading").await;
    let mut second = Candidate::start(&ns, &cluster.kubeconfig, "second-by-six");
    let mut third = Candidate::start(&ns, &cluster.kubeconfig, "third");
    assert_eq!(second.wait_for("following").await, "following first");
    assert_eq!(third.wait_for("following").await, "following first");
    let early = second.leads_within(HAND_OVER).await;
    assert!(!early, "nobody else leads while the leader lives");

    first.signal("-KILL");
    let killed = Instant::now();
    let second_won = tokio::select! {
        _ = second.wait_for("leading") => true,
        _ = third.wait_for("leading") => false,
    };
    let took = killed.elapsed();
    println!("hand-over after SIGKILL: {took:.2?}");
    assert!(took < HAND_OVER, "{took:?}");
    assert!(
        took > Duration::from_secs(7),
        "not before the killed one would have stopped by itself: {took:?}"
    );
    let loser = if second_won { &mut third } else { &mut second };
    assert!(!loser.leads_within(Duration::from_secs(4)).await, "one of them leads");
    let transitions = lease(&ns).await.spec.and_then(|spec| spec.lease_transitions);
    assert_eq!(transitions, Some(1));
    ns.delete().await;
}

#[tokio::test]
async fn a_leader_that_is_asked_to_go_hands_over_at_once() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-term").await;
    let mut first = Candidate::start(&ns, &cluster.kubeconfig, "first");
    first.wait_for("leading").await;
    let mut second = Candidate::start(&ns, &cluster.kubeconfig, "second");
    second.wait_for("following").await;
    first.signal("-TERM");
    let asked = Instant::now();
    assert!(first.child.wait().await.expect("a status").success());
    second.wait_for("leading").await;
    println!("hand-over after SIGTERM: {:.2?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_millis(2_500), "{:?}", asked.elapsed());

    // The last candidate releases the Lease.
    second.signal("-TERM");
    assert!(second.child.wait().await.expect("a status").success());
    assert_eq!(holder(&ns).await, None);
    ns.delete().await;
}

#[tokio::test]
async fn a_follower_that_is_asked_to_go_leaves_the_lease_alone() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-follower").await;
    let mut first = Candidate::start(&ns, &cluster.kubeconfig, "first");
    first.wait_for("leading").await;
    let mut second = Candidate::start(&ns, &cluster.kubeconfig, "second");
    second.wait_for("following").await;
    second.signal("-TERM");
    assert!(second.child.wait().await.expect("a status").success());
    assert_eq!(holder(&ns).await.as_deref(), Some("first"));
    ns.delete().await;
}

#[tokio::test]
async fn a_leader_cut_off_from_the_api_server_stops_before_another_begins() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-cut").await;
    let proxy = TcpProxy::start(&cluster).await;
    let mut first = Candidate::start(&ns, &proxy.kubeconfig, "first");
    first.wait_for("leading").await;
    let mut second = Candidate::start(&ns, &cluster.kubeconfig, "second");
    second.wait_for("following").await;

    proxy.block();
    let cut = Instant::now();
    let (stopped, began) = tokio::join!(
        async {
            let why = first.wait_for("unknown").await;
            assert!(why.contains("no answer in time"), "{why}");
            cut.elapsed()
        },
        async {
            second.wait_for("leading").await;
            cut.elapsed()
        },
    );
    println!("cut off: the leader stopped after {stopped:.2?}, the next began after {began:.2?}");
    assert!(stopped + Duration::from_secs(1) < began, "{stopped:?} {began:?}");
    assert!(began < HAND_OVER, "{began:?}");

    proxy.unblock();
    assert_eq!(first.wait_for("following").await, "following second");
    ns.delete().await;
}

#[tokio::test]
async fn a_short_cut_costs_nothing() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-blink").await;
    let proxy = TcpProxy::start(&cluster).await;
    let mut first = Candidate::start(&ns, &proxy.kubeconfig, "first");
    first.wait_for("leading").await;
    let mut second = Candidate::start(&ns, &cluster.kubeconfig, "second");
    second.wait_for("following").await;
    proxy.block();
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.unblock();
    assert!(!second.leads_within(HAND_OVER).await);
    assert_eq!(holder(&ns).await.as_deref(), Some("first"));
    ns.delete().await;
}

#[tokio::test]
async fn a_leader_whose_lease_somebody_took_follows() {
    let cluster = Cluster::connect().await;
    let ns = cluster.test_namespace("lease-taken").await;
    let mut first = Candidate::start(&ns, &cluster.kubeconfig, "first");
    first.wait_for("leading").await;
    let patch = Patch::Merge(json!({"spec": {"holderIdentity": "by-hand"}}));
    ns.api::<Lease>().patch("controller", &PatchParams::default(), &patch).await.expect("patched");
    assert_eq!(first.wait_for("following").await, "following by-hand");
    // The Lease expires, and the candidate acquires it again.
    first.wait_for("leading").await;
    eventually("it is the holder", || async {
        (holder(&ns).await.as_deref() == Some("first")).then_some(())
    })
    .await;
    ns.delete().await;
}
