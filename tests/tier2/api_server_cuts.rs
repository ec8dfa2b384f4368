//! Stops and restarts the API server in the middle of a watch.
#![allow(missing_docs)]

use std::time::Duration;

use bigredbutton_tests::{Cluster, Kubelet, REFUSED, Watcher};

const APP: &str = "swype-app";

/// Starts the API server again on drop, also when the test fails.
struct StartOnDrop;

impl Drop for StartOnDrop {
    fn drop(&mut self) {
        Cluster::api_server("start");
    }
}

#[tokio::test]
async fn stopped_and_started_in_the_middle_the_count_goes_on() {
    let ns = Cluster::connect().await.test_namespace("stopped").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    app.restart(REFUSED).await;
    app.restart(REFUSED).await;
    watcher.wait_for_restarts(2).await;

    let start_on_drop = StartOnDrop;
    Cluster::api_server("stop");
    watcher.read_for(Duration::from_secs(8)).await;
    assert!(watcher.has_emitted("warning"), "{:#?}", watcher.events);
    drop(start_on_drop);

    app.restart(REFUSED).await;
    assert_eq!(watcher.wait_for_restarts(1).await["counted"], 3);
    watcher.read_for(Duration::from_secs(2)).await;
    assert_eq!(ns.replicas(APP).await, 1, "three so far");
    app.restart(REFUSED).await;
    watcher.wait_for("scaled").await;
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    ns.delete().await;
}

#[tokio::test]
async fn a_trip_that_is_due_while_it_is_killed_happens_later() {
    let ns = Cluster::connect().await.test_namespace("due").await;
    let pods = ns.deployment(APP, 1).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let mut watcher = Watcher::run(&ns, APP, &[]);
    watcher.wait_for("watching").await;
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    watcher.wait_for_restarts(3).await;
    app.restart(REFUSED).await;
    let start_on_drop = StartOnDrop;
    Cluster::api_server("kill");
    watcher.read_for(Duration::from_secs(3)).await;
    drop(start_on_drop);
    if !watcher.has_emitted("scaled") {
        watcher.wait_for("scaled").await;
    }
    assert_eq!(watcher.wait_for_exit().await.0, 0);
    assert_eq!(ns.replicas(APP).await, 0);
    ns.delete().await;
}
