//! The roles of this program in its subprocesses, which end when their standard input is closed.

use std::io::Read;
use std::pin::pin;
use std::time::{Duration, Instant};

use bigredbutton_tests::{Cluster, fourth_restarts, scale_to_zero};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{Patch, PatchParams};
use kube::core::Request;
use kube::runtime::watcher;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// Concurrent updates.
const MAX_CONCURRENT_UPDATES: usize = 64;

/// Ticks of the load per second.
const TICKS: u32 = 100;

/// Runs the baseline over all pods of the cluster. It scales the Deployments whose names begin with
/// `prefix`.
pub(crate) async fn bare(prefix: &str) {
    let client = Cluster::connect().await.client;
    let mut pods = fourth_restarts(Api::all(client.clone()), watcher::Config::default()).boxed();
    let work = async {
        while let Ok(Some(pod)) = pods.try_next().await {
            if pod.metadata.name.as_ref().is_some_and(|name| name.starts_with(prefix)) {
                scale_to_zero(&client, &pod).await;
            }
        }
    };
    tokio::select! {
        () = work => panic!("the watch ended"),
        () = input_ends() => {}
    }
}

/// Sets the pods on the lines of `file` ready and not ready in turn, at `rate` updates per second.
/// Prints the number of updates and the seconds at the end.
pub(crate) async fn load(file: &str, rate: u32) {
    let client = Cluster::connect().await.client;
    let file = std::fs::read_to_string(file).expect("the list of pods");
    let pods: Vec<_> = file.lines().filter_map(|line| line.split_once('/')).collect();
    let began = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / TICKS);
    // Updates that the API server is too slow for are skipped.
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let ticks = futures::stream::unfold(tick, |mut tick| async {
        tick.tick().await;
        Some(((), tick))
    });
    let updates = ticks.flat_map(|()| futures::stream::iter(0..rate / TICKS)).enumerate().map(|(n, _)| {
        let (namespace, name) = pods[n % pods.len()];
        // Each round over all pods flips their state.
        let ready = (n / pods.len()) % 2 == 1;
        let client = client.clone();
        async move { client.request_text(update(namespace, name, ready)).await.map(drop) }
    });
    let mut updates = pin!(updates.buffer_unordered(MAX_CONCURRENT_UPDATES));
    let mut ends = pin!(input_ends());
    let mut done = 0u64;
    loop {
        tokio::select! {
            Some(update) = updates.next() => {
                update.expect("the status is patched");
                done += 1;
            }
            () = &mut ends => break,
        }
    }
    println!("{done} {}", began.elapsed().as_secs_f64());
}

fn update(namespace: &str, name: &str, ready: bool) -> http::Request<Vec<u8>> {
    let status = if ready { "True" } else { "False" };
    let patch = Patch::Merge(json!({"status": {"conditions": [{"type": "Ready", "status": status}]}}));
    let pods = <Pod as kube::Resource>::url_path(&(), Some(namespace));
    Request::new(pods).patch_subresource("status", name, &PatchParams::default(), &patch).expect("a request")
}

async fn input_ends() {
    let (sender, ended) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _end = std::io::stdin().read_to_end(&mut Vec::new());
        drop(sender);
    });
    let _ = ended.await;
}
