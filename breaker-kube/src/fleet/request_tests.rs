//! Requests of owners, a trip by `spec.override` and a reset by annotation, survive a controller
//! that is killed at any of its requests.

use std::time::Duration;

use breaker_core::Record;
use breaker_core::state::{State, Trip, TripReason};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::test_cluster::{At, Cut, OldList, TestCluster};
use crate::crd::RESET_ANNOTATION;

const REQUESTED_AT: &str = "1970-01-01T12:00:00Z";

/// Longer than every back-off of a breaker that starts.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// Longer than a start, and shorter than every interval at which something is read again.
const START: Duration = Duration::from_secs(20);

/// How long a controller lives that is killed.
pub(super) const SHORT: Duration = Duration::from_millis(700);

fn open(target: &str) -> Record {
    let trip = Trip { replicas: 3, because: TripReason::pressed() };
    Record {
        target_uid: format!("uid-of-{target}"),
        episode: 2,
        state: State::Open { since: Timestamp::UNIX_EPOCH, trip },
        ..Record::default()
    }
}

pub(super) fn phase(status: &Value) -> &str {
    status["record"]["state"]["phase"].as_str().unwrap_or("Closed")
}

/// A reset is handled only in a status whose Record restores the replicas, or has.
fn check_reset(name: &str, status: &Value) {
    if status["resetHandled"] == REQUESTED_AT {
        let found = phase(status);
        assert!(["Restoring", "Closed"].contains(&found), "{name}: handled, but {found}: {status}");
    }
}

/// An override is handled only in a status whose Record has the trip.
pub(super) fn check_press(name: &str, status: &Value) {
    if status["overrideHandled"] == "ForcedOpen" {
        assert_ne!(phase(status), "Closed", "{name}: handled without a trip: {status}");
    }
}

/// Kills a controller at each of its requests, before and after it is carried out. Each next one
/// must end what `cluster` needs.
pub(super) async fn kill_at_every_request(
    cluster: impl Fn() -> TestCluster,
    ends_well: impl Fn(&TestCluster),
) {
    let requests = cluster().run(Cut::Never, LONG).await;
    assert!(requests > 5, "{requests}");
    for number in 0..requests {
        for cut in [Cut::Before(number), Cut::After(number)] {
            let cluster = cluster();
            cluster.run(cut, SHORT).await;
            cluster.run(Cut::Never, LONG).await;
            ends_well(&cluster);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_neither_lost_nor_handled_before_it_is_stored() {
    let names = ["a", "b", "c"];
    let cluster = || {
        let cluster = TestCluster::new(check_reset);
        for name in names {
            cluster.add_deployment(name, 0);
            cluster.add_breaker(name, name, |breaker| {
                breaker["metadata"]["annotations"] = json!({RESET_ANNOTATION: REQUESTED_AT});
                breaker["status"] = json!({"phase": "Open", "record": open(name)});
            });
        }
        cluster
    };
    kill_at_every_request(cluster, |cluster| {
        for name in names {
            let status = &cluster.breaker(name)["status"];
            assert_eq!((phase(status), cluster.replicas(name)), ("Closed", 3), "{status}");
            assert_eq!(status["resetHandled"], REQUESTED_AT);
        }
        // Carried out once for each, and not again by the next controller.
        let scales = cluster.scales();
        assert!(
            names.iter().all(|name| scales.iter().filter(|(of, _)| of == name).count() == 1),
            "{scales:?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_press_is_neither_lost_nor_handled_before_its_trip_is_stored() {
    let names = ["a", "b", "c"];
    let cluster = || {
        let cluster = TestCluster::new(check_press);
        for name in names {
            cluster.add_deployment(name, 3);
            cluster.add_breaker(name, name, |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
        }
        cluster
    };
    kill_at_every_request(cluster, |cluster| {
        for name in names {
            let status = &cluster.breaker(name)["status"];
            assert_eq!((phase(status), cluster.replicas(name)), ("Open", 0), "{status}");
            assert_eq!(status["originalReplicas"], 3);
            assert_eq!(status["overrideHandled"], "ForcedOpen");
        }
        assert_eq!(cluster.scales().len(), names.len(), "{:?}", cluster.scales());
    })
    .await;
}

/// The younger one comes first in the list, so it must wait for the rest of the list too.
#[tokio::test(start_paused = true)]
async fn a_press_of_a_breaker_that_yields_is_not_handled_until_the_older_one_is_gone() {
    let cluster = || {
        let cluster = TestCluster::new(check_press);
        cluster.add_deployment("shared", 3);
        cluster.add_breaker("old", "shared", |_| {});
        cluster.add_breaker("a-young", "shared", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
        cluster
    };
    kill_at_every_request(cluster, |cluster| {
        let status = &cluster.breaker("a-young")["status"];
        assert_eq!(status["overrideHandled"], Value::Null, "{status}");
        assert_eq!((cluster.replicas("shared"), cluster.scales().len()), (3, 0));
    })
    .await;
    let cluster = cluster();
    cluster.run(Cut::Never, LONG).await;
    cluster.remove_breaker("old");
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.breaker("a-young")["status"]["overrideHandled"], "ForcedOpen");
    assert_eq!(cluster.replicas("shared"), 0);
}

/// A breaker that only observes may not scale: the request waits for the mode to change.
#[tokio::test(start_paused = true)]
async fn a_request_that_may_not_be_carried_out_waits() {
    let cluster = TestCluster::new(check_press);
    cluster.add_deployment("a", 3);
    cluster.add_breaker("a", "a", |breaker| {
        breaker["spec"]["mode"] = "Observe".into();
        breaker["spec"]["override"] = "ForcedOpen".into();
    });
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.breaker("a")["status"]["overrideHandled"], Value::Null);
    assert_eq!(cluster.replicas("a"), 3);
    let told = cluster.messages().iter().filter(|message| message.contains("nothing was scaled")).count();
    assert_eq!(told, 1, "{:?}", cluster.messages());
    cluster.edit_breaker("a", |breaker| breaker["spec"]["mode"] = "Enforce".into());
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.breaker("a")["status"]["overrideHandled"], "ForcedOpen");
    assert_eq!(cluster.replicas("a"), 0);
}

/// Nothing is at zero that could be scaled. The request is answered, and no later controller scales
/// the target when somebody has scaled it up.
#[tokio::test(start_paused = true)]
async fn a_press_of_a_target_at_zero_does_not_trip_it_later() {
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("a", 0);
    cluster.add_breaker("a", "a", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    cluster.run(Cut::Never, LONG).await;
    let breaker = cluster.breaker("a");
    assert_eq!(
        (&breaker["spec"]["override"], &breaker["status"]["overrideHandled"]),
        (&"Auto".into(), &"Auto".into())
    );
    cluster.add_deployment("a", 3);
    cluster.run(Cut::Never, LONG).await;
    assert_eq!((cluster.replicas("a"), cluster.scales().len()), (3, 0));
}

/// The status of an earlier version has the handled requests and the Record has not.
#[tokio::test(start_paused = true)]
async fn requests_that_an_earlier_version_has_handled_are_not_repeated() {
    let cluster = TestCluster::new(|_, _| {});
    cluster.add_deployment("a", 3);
    cluster.add_breaker("a", "a", |breaker| {
        let closed = Record { target_uid: "uid-of-a".into(), episode: 4, ..Record::default() };
        breaker["spec"]["override"] = "ForcedOpen".into();
        breaker["metadata"]["annotations"] = json!({RESET_ANNOTATION: REQUESTED_AT});
        breaker["status"] = json!({
            "phase": "Closed", "record": closed, "resetHandled": REQUESTED_AT, "overrideHandled": "ForcedOpen",
        });
    });
    for _ in 0..2 {
        cluster.run(Cut::Never, LONG).await;
        let status = &cluster.breaker("a")["status"];
        assert_eq!((status["record"]["episode"].as_u64(), cluster.replicas("a")), (Some(4), 3), "{status}");
    }
}

/// The owner may ask while the controller lists, reads, or writes for the first time. What it reads
/// then may be from before the request and arrive after the event that shows it, or the other way
/// round.
#[tokio::test(start_paused = true)]
async fn a_reset_that_comes_at_any_request_of_the_start_is_carried_out() {
    let cluster = || {
        let cluster = TestCluster::new(check_reset);
        cluster.add_deployment("a", 0);
        cluster.add_breaker("a", "a", |breaker| {
            breaker["status"] = json!({"phase": "Open", "record": open("a")});
        });
        cluster
    };
    // The next controller finds the status as it would write it.
    let stored = cluster();
    stored.run(Cut::Never, START).await;
    let status = stored.breaker("a")["status"].clone();
    let cluster = || {
        let cluster = cluster();
        cluster.edit_breaker("a", |breaker| breaker["status"] = status.clone());
        cluster
    };
    let requests = cluster().run(Cut::Never, START).await;
    assert!(requests > 5, "{requests}");
    for number in 0..requests {
        for at in [At::Before(number), At::After(number)] {
            for (watch_delay, answer_delay) in
                [(0, 2), (1, 2), (50, 2), (2_000, 2), (0, 10), (0, 200), (300, 500)]
            {
                let cluster = cluster();
                let version = cluster.versions().last().copied().unwrap_or_default();
                let watch_delay = Duration::from_millis(watch_delay);
                cluster.set_old_list(Some(OldList { version, watch_delay }));
                cluster.set_latency(move |of| {
                    Duration::from_millis(if of == number { answer_delay } else { 2 })
                });
                cluster.edit_breaker_at(at, "a", |breaker| {
                    breaker["metadata"]["annotations"] = json!({RESET_ANNOTATION: REQUESTED_AT});
                });
                cluster.run(Cut::Never, 2 * START).await;
                let status = &cluster.breaker("a")["status"];
                let found = (phase(status), cluster.replicas("a"), cluster.scales().len());
                let when = format!("{at:?}, watch late by {watch_delay:?}, answer by {answer_delay} ms");
                assert_eq!(found, ("Closed", 3, 1), "{when}: {status}");
            }
        }
    }
}
