//! Breakers that are created and deleted leave nothing behind.

use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;

use super::breaker_watch::BreakerWatch;
use super::options::FleetOptions;
use super::reconciler::Reconciler;
use super::shared::Shared;
use super::test_cluster::TestCluster;
use crate::shared_watch::SharedPodWatch;

/// Breakers created and deleted in one round: with a target, and without one.
const BREAKERS: usize = 100;

/// Creates breakers, lets them work for a minute, and deletes them.
async fn round(cluster: &TestCluster, number: usize) {
    // Each breaker has a name of its own.
    let names: Vec<_> = (0..BREAKERS).map(|n| format!("round-{number}-{n}")).collect();
    for (n, name) in names.iter().enumerate() {
        let target = if n % 2 == 0 { "a".to_owned() } else { format!("missing-{name}") };
        cluster.add_breaker(name, &target, |breaker| {
            breaker["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z".into();
        });
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    names.iter().for_each(|name| cluster.remove_breaker(name));
    tokio::time::sleep(Duration::from_secs(60)).await;
    cluster.forget_messages();
}

#[test]
fn breakers_that_are_deleted_leave_nothing_behind() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("a", 3);
    let (kube, observer) = runtime.block_on(async { (cluster.kube(), cluster.observer()) });
    let pods = SharedPodWatch::new(kube.clone(), None);
    let shared = Arc::new(Shared::new(kube.clone(), pods, FleetOptions::default(), observer));
    let fleet = Arc::clone(&shared);
    runtime.spawn(async move {
        let watch = BreakerWatch::new(kube, None);
        let ended = Reconciler::new(fleet).run(&watch).await;
        unreachable!("the fleet ended: {ended:?}");
    });
    // The first rounds fill buffers that stay.
    runtime.block_on(async {
        for number in 0..3 {
            round(&cluster, number).await;
        }
    });
    let rounds = 5;
    let measured = measure(|| {
        runtime.block_on(async {
            for number in 3..3 + rounds {
                round(&cluster, number).await;
            }
        });
    });
    assert_eq!(shared.remembered(), 0);
    let bytes_per_breaker = measured.bytes_current / (rounds * BREAKERS) as i64;
    assert!(bytes_per_breaker < 16, "{} bytes stay, {bytes_per_breaker} a breaker", measured.bytes_current);
}
