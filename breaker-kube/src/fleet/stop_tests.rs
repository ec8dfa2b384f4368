//! What a fleet says when a breaker stops while its workload is scaled down.

use std::time::Duration;

use super::test_cluster::{Cut, TestCluster};

const RUN: Duration = Duration::from_secs(60);

/// A fleet with an open breaker, which changes after some seconds. Returns what it says then.
async fn said_after(change: impl FnOnce(&TestCluster) + Send + 'static) -> Vec<String> {
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("a", 3);
    cluster.add_breaker("young", "a", |breaker| {
        breaker["metadata"]["creationTimestamp"] = "1970-01-02T00:00:00Z".into();
        breaker["spec"]["override"] = "ForcedOpen".into();
    });
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(RUN / 2).await;
        later.forget_messages();
        change(&later);
    });
    cluster.run(Cut::Never, RUN).await;
    assert_eq!(cluster.replicas("a"), 0);
    cluster.messages().into_iter().filter(|message| message.contains("--replicas=3")).collect()
}

fn left(why: &str) -> [String; 1] {
    let restore = "kubectl scale -n sre deployment/a --replicas=3";
    [format!("sre/young: {why}; sre/deployment/a stays at its present replicas. To restore it: {restore}")]
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_stops_says_why_and_how_many_replicas_its_workload_had() {
    let said = said_after(|cluster| cluster.remove_breaker("young")).await;
    assert_eq!(said, left("the CircuitBreaker was deleted"));
    let said = said_after(|cluster| cluster.add_breaker("old", "a", |_| {})).await;
    assert_eq!(said, left("CircuitBreaker sre/old is older and has the same target"));
    let said = said_after(|cluster| {
        cluster.edit_breaker("young", |breaker| breaker["spec"]["trip"]["window"] = "soon".into());
    })
    .await;
    assert_eq!(said.len(), 1);
    assert!(
        said[0].starts_with("sre/young: the CircuitBreaker cannot be used: spec.trip.window: "),
        "{said:?}"
    );
    let said = said_after(|cluster| {
        cluster.add_deployment("b", 1);
        cluster.edit_breaker("young", |breaker| breaker["spec"]["targetRef"]["name"] = "b".into());
    })
    .await;
    assert_eq!(said, left("spec.targetRef was changed"));
}
