//! A controller that starts from a list of the past does nothing that is done, or was withdrawn.

use std::time::Duration;

use serde_json::{Value, json};

use super::test_cluster::{Cut, OldList, TestCluster};
use crate::crd::RESET_ANNOTATION;

/// Long enough for a controller to do what it is asked for.
const SHORT: Duration = Duration::from_secs(5);

/// Long enough for a status to be written again.
const LONG: Duration = Duration::from_secs(200);

/// What the owner of the CircuitBreaker changes.
#[derive(Debug, Clone, Copy)]
enum Change {
    Override(&'static str),
    Mode(&'static str),
    Reset(&'static str),
    /// A press that is withdrawn while no controller runs.
    WithdrawnPress,
    /// A reset that is withdrawn while no controller runs.
    WithdrawnReset,
}

const CHANGES: [Change; 13] = [
    Change::Override("ForcedOpen"),
    Change::Reset("2026-01-02T03:04:05Z"),
    Change::Override("Auto"),
    Change::WithdrawnPress,
    Change::Override("ForcedOpen"),
    Change::WithdrawnReset,
    Change::Override("Auto"),
    Change::Reset("2026-01-02T03:05:05Z"),
    Change::Mode("Observe"),
    Change::Override("ForcedOpen"),
    Change::Override("Auto"),
    Change::Mode("Enforce"),
    Change::Override("Disabled"),
];

impl Change {
    async fn make(self, cluster: &TestCluster) {
        let edit = |change: &dyn Fn(&mut Value)| cluster.edit_breaker("b0", |breaker| change(breaker));
        match self {
            Self::Override(value) => edit(&|breaker| breaker["spec"]["override"] = json!(value)),
            Self::Mode(value) => edit(&|breaker| breaker["spec"]["mode"] = json!(value)),
            Self::Reset(value) => {
                edit(&|breaker| breaker["metadata"]["annotations"][RESET_ANNOTATION] = json!(value));
            }
            Self::WithdrawnPress => {
                edit(&|breaker| breaker["spec"]["override"] = json!("ForcedOpen"));
                edit(&|breaker| breaker["spec"]["override"] = json!("Auto"));
            }
            Self::WithdrawnReset => {
                let before = cluster.breaker("b0")["metadata"]["annotations"].clone();
                edit(&|breaker| {
                    breaker["metadata"]["annotations"][RESET_ANNOTATION] = json!("2026-01-02T03:04:59Z");
                });
                edit(&|breaker| breaker["metadata"]["annotations"] = before.clone());
            }
        }
        cluster.run(Cut::Never, SHORT).await;
    }
}

async fn after(changes: &[Change]) -> TestCluster {
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("b0", 3);
    cluster.add_breaker("b0", "b0", |_| {});
    cluster.run(Cut::Never, SHORT).await;
    for change in changes {
        change.make(&cluster).await;
    }
    cluster
}

/// The writes of the scale, the phase, and what is restored.
fn outcome(cluster: &TestCluster) -> (Vec<(String, u64)>, Value, Value) {
    let status = cluster.breaker("b0")["status"].clone();
    (cluster.scales(), status["phase"].clone(), status["originalReplicas"].clone())
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_twice_and_nothing_that_was_withdrawn_is_done() {
    for count in [2, 5, 7, 11, CHANGES.len()] {
        let changes = &CHANGES[..count];
        let versions = after(changes).await.versions();
        for version in versions {
            for watch_delay in [Duration::ZERO, 2 * LONG] {
                let cluster = after(changes).await;
                let want = outcome(&cluster);
                cluster.set_old_list(Some(OldList { version, watch_delay }));
                cluster.run(Cut::Never, LONG).await;
                let case = format!("{changes:?}, version {version}, the watch is {watch_delay:?} late");
                assert_eq!(outcome(&cluster), want, "{case}: {:#?}", cluster.messages());
                cluster.set_old_list(None);
                cluster.run(Cut::Never, SHORT).await;
                assert_eq!(outcome(&cluster), want, "later, {case}: {:#?}", cluster.messages());
            }
        }
    }
}

/// Old versions are not ignored for good: the storage may have gone back to a backup.
#[tokio::test(start_paused = true)]
async fn what_is_asked_for_after_the_storage_went_back_is_done() {
    for count in 0..CHANGES.len() {
        let cluster = after(&CHANGES[..count]).await;
        for version in cluster.versions() {
            let cluster = after(&CHANGES[..count]).await;
            let later = cluster.clone();
            tokio::spawn(async move {
                tokio::time::sleep(SHORT).await;
                later.go_back(version);
                tokio::time::sleep(SHORT).await;
                later.edit_breaker("b0", |breaker| {
                    breaker["spec"]["mode"] = json!("Enforce");
                    breaker["spec"]["override"] = json!("Auto");
                    breaker["metadata"]["annotations"][RESET_ANNOTATION] = json!("2026-01-02T04:00:00Z");
                });
                tokio::time::sleep(SHORT).await;
                later.edit_breaker("b0", |breaker| breaker["spec"]["override"] = json!("ForcedOpen"));
            });
            cluster.run(Cut::Never, LONG).await;
            let case = format!("{count} changes, back to version {version}: {:#?}", cluster.messages());
            assert_eq!((cluster.replicas("b0"), outcome(&cluster).1), (0, json!("Open")), "{case}");
        }
    }
}
