//! KEDA is paused while a breaker is open, whatever its requests answer, and the owner's value of
//! `paused-replicas` comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::test_cluster::{Cut, TestCluster};
use super::test_keda::Keda;
use crate::crd::RESET_ANNOTATION;
use crate::test_server::status;

const LONG: Duration = Duration::from_secs(120);

/// A Deployment whose breaker is pressed. The owner has paused its ScaledObject at 3.
fn pressed(keda: impl FnOnce(&mut Keda)) -> TestCluster {
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("a", 3);
    cluster.add_breaker("a", "a", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    cluster.keda(|object| {
        (object.target, object.paused) = (Some("a".into()), Some("3".into()));
        keda(object);
    });
    cluster
}

fn paused(cluster: &TestCluster) -> Option<String> {
    cluster.keda(|keda| keda.paused.clone())
}

/// Asks for a reset and lets it be carried out.
async fn reset(cluster: &TestCluster) {
    cluster.edit_breaker("a", |breaker| {
        breaker["metadata"]["annotations"] = json!({RESET_ANNOTATION: "1970-01-01T12:00:00Z"});
    });
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.replicas("a"), 3);
    assert_eq!(cluster.breaker("a")["status"]["paused"], Value::Null);
}

fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[tokio::test(start_paused = true)]
async fn keda_is_paused_in_the_end_whatever_its_first_answers_are() {
    let bad = [
        (403, status(403, "no")),
        (404, "404 page not found".to_owned()),
        (409, status(409, "modified")),
        (502, "<html>".to_owned()),
        (503, status(503, "not now")),
    ];
    for answer in bad {
        // The group, the list or the read fails, and some of the attempts after it.
        for (right, wrong) in [(0, 1), (0, 7), (1, 1), (1, 7), (2, 1), (2, 7)] {
            let is_absence = answer.0 == 404 && wrong > 1;
            let cluster = pressed(|keda| {
                keda.answers = vec![answer.clone(); wrong].into();
                keda.right_before_answers = right;
            });
            cluster.run(Cut::Never, LONG).await;
            assert_eq!(cluster.replicas("a"), 0, "{answer:?}");
            if is_absence {
                // It looked as if there was no KEDA, more than once. The next controller looks too.
                cluster.keda(|keda| keda.answers.clear());
                cluster.run(Cut::Never, LONG).await;
            }
            assert_eq!(paused(&cluster), some("0"), "{right} right, then {wrong} times {answer:?}");
            reset(&cluster).await;
            assert_eq!(paused(&cluster), some("3"), "{answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_keda_its_objects_are_not_asked_for() {
    let cluster = pressed(|keda| keda.target = None);
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.replicas("a"), 0);
    assert_eq!(cluster.keda(|keda| keda.requests), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_one_target_says_nothing_about_the_next() {
    let cluster = pressed(|keda| keda.target = None);
    cluster.run(Cut::Never, LONG).await;
    cluster.add_deployment("b", 2);
    cluster.add_breaker("b", "b", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    cluster.keda(|keda| keda.target = some("b"));
    cluster.run(Cut::Never, LONG).await;
    assert_eq!((cluster.replicas("b"), paused(&cluster)), (0, some("0")));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_the_owner_sets_while_the_trip_starts_is_not_lost() {
    let mut changes = 0;
    for method in ["GET", "PATCH"] {
        for skipped in 0..3 {
            let changed = Arc::new(AtomicBool::new(false));
            let is_changed = Arc::clone(&changed);
            let cluster = pressed(|keda| {
                let mut requests = 0;
                keda.before = Some(Box::new(move |this, paused| {
                    requests += usize::from(this == method);
                    if requests > skipped && !changed.swap(true, Ordering::Relaxed) {
                        *paused = some("7");
                    }
                }));
            });
            cluster.run(Cut::Never, LONG).await;
            let changed_before_reset = is_changed.load(Ordering::Relaxed);
            reset(&cluster).await;
            if changed_before_reset {
                changes += 1;
                assert_eq!(paused(&cluster), some("7"), "before {method} {skipped}");
            }
        }
    }
    assert!(changes >= 3, "{changes}");
}

/// A controller is killed at each request; the next ones end with KEDA as it should be.
#[tokio::test(start_paused = true)]
async fn a_kill_neither_leaves_keda_running_nor_loses_the_value_of_the_owner() {
    let requests = pressed(|_| {}).run(Cut::Never, LONG).await;
    for number in 0..requests {
        for cut in [Cut::Before(number), Cut::After(number)] {
            let cluster = pressed(|_| {});
            cluster.run(cut, Duration::from_millis(700)).await;
            cluster.run(Cut::Never, LONG).await;
            assert_eq!((cluster.replicas("a"), paused(&cluster)), (0, some("0")), "{cut:?}");
            reset(&cluster).await;
            assert_eq!(paused(&cluster), some("3"), "{cut:?}");
        }
    }
}

/// Each request of a trip and of a reset in turn is carried out, and the answer says that it took
/// too long. The breaker finds its Record stored, and KEDA follows it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_leaves_keda_neither_running_nor_paused() {
    let requests = pressed(|_| {}).run(Cut::Never, LONG).await;
    for number in 0..requests {
        let cluster = pressed(|_| {});
        cluster.run(Cut::Lost(number), LONG).await;
        assert_eq!((cluster.replicas("a"), paused(&cluster)), (0, some("0")), "answer {number} of the trip");
    }
    let reset = || async {
        let cluster = pressed(|_| {});
        cluster.run(Cut::Never, LONG).await;
        cluster.edit_breaker("a", |breaker| {
            breaker["metadata"]["annotations"] = json!({RESET_ANNOTATION: "1970-01-01T12:00:00Z"});
        });
        cluster
    };
    let requests = reset().await.run(Cut::Never, LONG).await;
    for number in 0..requests {
        let cluster = reset().await;
        cluster.run(Cut::Lost(number), LONG).await;
        assert_eq!((cluster.replicas("a"), paused(&cluster)), (3, some("3")), "answer {number} of the reset");
        assert_eq!(cluster.breaker("a")["status"]["paused"], Value::Null, "answer {number} of the reset");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resume_that_fails_is_tried_again() {
    let cluster = pressed(|_| {});
    cluster.run(Cut::Never, LONG).await;
    cluster.keda(|keda| keda.answers = vec![(503, status(503, "not now")); 8].into());
    reset(&cluster).await;
    assert_eq!(paused(&cluster), some("3"));
}

/// The pause of an earlier trip is still remembered, and the owner has set another value since.
#[tokio::test(start_paused = true)]
async fn a_pause_that_is_left_over_does_not_replace_the_value_of_the_owner() {
    let cluster = pressed(|keda| keda.paused = some("5"));
    cluster.edit_breaker("a", |breaker| {
        breaker["status"] = json!({"paused": {"scaledObject": "a", "before": "3", "ours": "0", "set": true}});
    });
    cluster.run(Cut::Never, LONG).await;
    assert_eq!((cluster.replicas("a"), paused(&cluster)), (0, some("0")));
    reset(&cluster).await;
    assert_eq!(paused(&cluster), some("5"));
}

/// The controller was killed when it had stored that it pauses at 0 again after a trial of one
/// replica, and before it did.
#[tokio::test(start_paused = true)]
async fn the_pause_of_a_trial_is_not_taken_for_the_value_of_the_owner() {
    let cluster = pressed(|keda| keda.paused = some("1"));
    let paused_now = json!({"scaledObject": "a", "before": "3", "ours": "0", "former": "1", "set": false});
    cluster.edit_breaker("a", |breaker| breaker["status"] = json!({"paused": paused_now}));
    cluster.run(Cut::Never, LONG).await;
    assert_eq!((cluster.replicas("a"), paused(&cluster)), (0, some("0")));
    reset(&cluster).await;
    assert_eq!(paused(&cluster), some("3"));
}

/// Such a list shows the annotation as it was before the breaker wrote it.
#[tokio::test(start_paused = true)]
async fn a_list_from_the_past_does_not_replace_what_is_remembered_of_a_pause() {
    for listed in [None, some("0"), some("1"), some("3"), some("9")] {
        let cluster = pressed(|_| {});
        cluster.run(Cut::Never, LONG).await;
        // A trial of one replica begins, and a person presses again.
        cluster.edit_breaker("a", |breaker| {
            let status = &mut breaker["status"];
            status["paused"] = json!({"scaledObject": "a", "before": "3", "ours": "1", "set": true});
            let state = &mut status["record"]["state"];
            (state["phase"], state["probe"], state["probing"]) = ("HalfOpen".into(), 1.into(), true.into());
            status["record"]["handled"]["override"] = "Auto".into();
        });
        cluster.add_deployment("a", 1);
        cluster.keda(|keda| (keda.paused, keda.listed) = (some("1"), Some(listed.clone())));
        cluster.run(Cut::Never, LONG).await;
        assert_eq!((cluster.replicas("a"), paused(&cluster)), (0, some("0")), "{listed:?}");
        reset(&cluster).await;
        assert_eq!(paused(&cluster), some("3"), "{listed:?}");
    }
}
