//! The API server goes away and comes back in the middle of a watch.
#![allow(missing_docs)]

use std::time::Duration;

use bigredbutton_tests::{Cluster, Kubelet, REFUSED, Watcher};

const APP: &str = "swype-app";

/// Brings the API server back also when the test fails.
struct BackAfterwards;

impl Drop for BackAfterwards {
    fn drop(&mut self) {
        Cluster::api_server("start");
    }
}

#[tokio::test]
async fn stopped_and_started_in_the_middle_the_count_goes_on() {
    let space = Cluster::connect().await.space("stopped").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    app.restart(REFUSED).await;
    app.restart(REFUSED).await;
    watcher.restarts(2).await;

    let back = BackAfterwards;
    Cluster::api_server("stop");
    watcher.for_a_while(Duration::from_secs(8)).await;
    assert!(watcher.has_told("warning"), "{:#?}", watcher.told);
    drop(back);

    app.restart(REFUSED).await;
    assert_eq!(watcher.restarts(1).await["counted"], 3);
    watcher.for_a_while(Duration::from_secs(2)).await;
    assert_eq!(space.replicas(APP).await, 1, "three so far");
    app.restart(REFUSED).await;
    watcher.until("scaled").await;
    assert_eq!(watcher.end().await.0, 0);
    space.close().await;
}

#[tokio::test]
async fn killed_while_a_trip_is_due_it_is_made_up_for() {
    let space = Cluster::connect().await.space("due").await;
    let pods = space.deployment(APP, 1).await;
    let mut app = Kubelet::start(&space, &pods[0]).await;
    let mut watcher = Watcher::run(&space, APP, &[]);
    watcher.until("watching").await;
    for _ in 0..3 {
        app.restart(REFUSED).await;
    }
    watcher.restarts(3).await;
    app.restart(REFUSED).await;
    let back = BackAfterwards;
    Cluster::api_server("kill");
    watcher.for_a_while(Duration::from_secs(3)).await;
    drop(back);
    if !watcher.has_told("scaled") {
        watcher.until("scaled").await;
    }
    assert_eq!(watcher.end().await.0, 0);
    assert_eq!(space.replicas(APP).await, 0);
    space.close().await;
}
