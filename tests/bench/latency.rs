//! Latency of a trip compared with a baseline loop in the same run, and memory with many watched
//! pods.
//!
//! `watcher` and the baseline, which watches pods and patches the scale at the fourth restart, take
//! turns on fresh Deployments. The time runs from the status patch with the fourth restart until a
//! separate watch sees `spec.replicas` at 0.
//!
//! - *seen to die*: the termination is patched first, then the restart, as a kubelet does; the
//!   message is in the status.
//! - *one patch*: termination and restart are one status change, so that the time includes
//!   gathering evidence.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bigredbutton_tests::{
    Cluster, Kubelet, REFUSED, ScaledToZero, TestNamespace, Watcher, eventually, fourth_restarts, percentile,
    scale_to_zero, verdict,
};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher;

const TRIPS: usize = 40;
const MANY_PODS: u32 = 2000;
const BAR_RATIO: f64 = 1.7;
const BAR_MIB: f64 = 30.0;

async fn bare_loop(ns: TestNamespace, name: String) {
    let config = watcher::Config::default().labels(&format!("app={name}"));
    let mut pods = fourth_restarts(ns.api(), config).boxed();
    if let Ok(Some(pod)) = pods.try_next().await {
        scale_to_zero(&ns.cluster.client, &pod).await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Contender {
    Baseline,
    Watcher,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum StatusPatches {
    TerminationFirst,
    OnePatch,
}

async fn trip(
    ns: &TestNamespace,
    scaled_to_zero: &ScaledToZero,
    contender: Contender,
    patches: StatusPatches,
    n: usize,
) -> Duration {
    let name = format!(
        "app-{}-{}-{n}",
        if contender == Contender::Baseline { "bare" } else { "watcher" },
        patches as u8
    );
    let pods = ns.deployment_beside(&name, 1).await;
    let mut app = Kubelet::start(ns, &pods[0]).await;
    let mut bare = None;
    let mut watched = None;
    match contender {
        Contender::Baseline => bare = Some(tokio::spawn(bare_loop(ns.clone(), name.clone()))),
        Contender::Watcher => {
            let mut process = Watcher::run(ns, &name, &[]);
            process.wait_for("watching").await;
            watched = Some(process);
        }
    }
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    match &mut watched {
        Some(process) => drop(process.wait_for_restarts(3).await),
        None => tokio::time::sleep(Duration::from_millis(100)).await,
    }
    if patches == StatusPatches::TerminationFirst {
        app.terminate(REFUSED).await;
    }
    // A real restart does not follow the one before at once.
    tokio::time::sleep(Duration::from_millis(150)).await;
    let start = Instant::now();
    match patches {
        StatusPatches::TerminationFirst => app.start_again().await,
        StatusPatches::OnePatch => app.restart_unobserved(1, REFUSED).await,
    }
    let took = scaled_to_zero.wait_for(&name).await.duration_since(start);
    if let Some(bare) = bare {
        bare.await.expect("the loop ends");
    }
    if let Some(mut process) = watched {
        assert_eq!(process.wait_for_exit().await.0, 0);
    }
    took
}

async fn latency(cluster: &Cluster) {
    let mut times: HashMap<(Contender, StatusPatches), Vec<Duration>> = HashMap::new();
    for n in 0..TRIPS {
        // A namespace for each round, so that the Events of a round do not slow down the next one.
        let ns = cluster.test_namespace("latency").await;
        let scaled_to_zero = ScaledToZero::watch(&ns);
        for patches in [StatusPatches::TerminationFirst, StatusPatches::OnePatch] {
            for contender in [Contender::Baseline, Contender::Watcher] {
                let took = trip(&ns, &scaled_to_zero, contender, patches, n).await;
                times.entry((contender, patches)).or_default().push(took);
            }
        }
        ns.delete().await;
    }
    println!("trip latency, {TRIPS} trips each, in ms      p50     p99");
    for (patches, words) in
        [(StatusPatches::TerminationFirst, "seen to die"), (StatusPatches::OnePatch, "one patch")]
    {
        let (bare, ours) = (&times[&(Contender::Baseline, patches)], &times[&(Contender::Watcher, patches)]);
        for (name, times) in [("bare loop", bare), ("watcher", ours)] {
            println!(
                "  {words:<12} {name:<10}          {:>8.1}{:>8.1}",
                percentile(times, 0.5),
                percentile(times, 0.99)
            );
        }
        let ratio = percentile(ours, 0.5) / percentile(bare, 0.5);
        let verdict = verdict(ratio <= BAR_RATIO);
        println!("  {words:<12} p50 ratio {ratio:.2}x, bar {BAR_RATIO}x: {verdict}");
    }
}

async fn memory(cluster: &Cluster) {
    let ns = cluster.test_namespace("memory").await;
    ns.create_deployment("crowd", MANY_PODS).await;
    eprintln!("waiting for {MANY_PODS} pods to be created...");
    let pods = eventually_long(|| async {
        let pods = ns.api::<Pod>().list(&Default::default()).await.ok()?.items;
        (pods.len() == MANY_PODS as usize).then_some(pods)
    })
    .await;
    let started = futures::stream::iter(&pods).map(|pod| Kubelet::start(&ns, pod)).buffer_unordered(16);
    let mut apps: Vec<Kubelet> = started.collect().await;
    let mut process = Watcher::run(&ns, "crowd", &[]);
    process.wait_for("watching").await;
    // One pod in ten restarts, so that the breaker and its Record hold restarts.
    let restarts = futures::stream::iter(apps.iter_mut().take(200)).map(|app| app.restart(REFUSED));
    restarts.buffer_unordered(16).collect::<Vec<_>>().await;
    process.wait_for_restarts(200).await;
    let mib = process.peak_memory().map_or(f64::NAN, |kib| kib as f64 / 1024.0);
    let verdict = verdict(mib <= BAR_MIB);
    println!(
        "peak memory with {MANY_PODS} watched pods, 200 of them restarting: {mib:.1} MiB, bar {BAR_MIB} MiB: {verdict}"
    );
    process.kill().await;
    ns.delete().await;
}

async fn eventually_long<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    for _ in 0..10 {
        let asked = tokio::time::timeout(Duration::from_secs(55), eventually("the pods exist", &ask)).await;
        if let Ok(answer) = asked {
            return answer;
        }
    }
    panic!("the pods do not come")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let cluster = Cluster::connect().await;
    let only = std::env::args().nth(1);
    if only.as_deref() != Some("memory") {
        latency(&cluster).await;
    }
    if only.as_deref() != Some("latency") {
        memory(&cluster).await;
    }
}
