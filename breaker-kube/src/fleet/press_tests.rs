//! The button works as often as it is pressed by `spec.override`, and a press is not lost when
//! breakers of one target change their roles.

use std::time::Duration;

use serde_json::{Value, json};

use super::request_tests::{LONG, SHORT, check_press, kill_at_every_request, phase};
use super::test_cluster::{At, Cut, TestCluster};
use crate::crd::RESET_ANNOTATION;

/// As `kubectl patch` does: the same value again changes nothing.
fn press(cluster: &TestCluster, name: &str) {
    if cluster.breaker(name)["spec"]["override"] != "ForcedOpen" {
        cluster.edit_breaker(name, |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    }
}

/// As `kubectl annotate` does.
fn reset(cluster: &TestCluster, name: &str, at: &str) {
    let annotations = json!({RESET_ANNOTATION: at});
    cluster.edit_breaker(name, |breaker| breaker["metadata"]["annotations"] = annotations);
}

fn state(cluster: &TestCluster, name: &str) -> (String, Value, u64) {
    let breaker = cluster.breaker(name);
    (phase(&breaker["status"]).to_owned(), breaker["spec"]["override"].clone(), cluster.replicas(name))
}

/// After a reset the press stays handled until the override is `Auto`: its Record says so.
fn check_record(name: &str, status: &Value) {
    let handled = &status["overrideHandled"];
    assert_eq!(handled, &status["record"]["handled"]["override"], "{name}: {status}");
}

fn one_breaker() -> TestCluster {
    let cluster = TestCluster::new(check_record);
    cluster.add_deployment("a", 3);
    cluster.add_breaker("a", "a", |_| {});
    cluster
}

#[tokio::test(start_paused = true)]
async fn the_same_patch_presses_again_after_a_reset() {
    let cluster = one_breaker();
    for (round, restarts) in [(0, false), (1, true), (2, false)] {
        press(&cluster, "a");
        cluster.run(Cut::Never, LONG).await;
        assert_eq!(state(&cluster, "a"), ("Open".into(), "ForcedOpen".into(), 0), "round {round}");
        reset(&cluster, "a", &format!("1970-01-01T12:00:0{round}Z"));
        if restarts {
            cluster.run(Cut::Before(5), LONG).await;
        }
        cluster.run(Cut::Never, LONG).await;
        assert_eq!(state(&cluster, "a"), ("Closed".into(), "Auto".into(), 3), "round {round}");
    }
    let scales: Vec<_> = cluster.scales().into_iter().map(|(_, replicas)| replicas).collect();
    assert_eq!(scales, [0, 3, 0, 3, 0, 3]);
}

/// Also when the controller is killed at any request between the reset and the second press.
#[tokio::test(start_paused = true)]
async fn a_press_after_a_reset_survives_a_controller_that_is_killed_at_any_request() {
    let pressed = one_breaker();
    press(&pressed, "a");
    pressed.run(Cut::Never, LONG).await;
    let stored = pressed.breaker("a");
    let cluster = || {
        let cluster = one_breaker();
        cluster.add_deployment("a", 0);
        cluster.edit_breaker("a", |breaker| {
            (breaker["spec"], breaker["status"]) = (stored["spec"].clone(), stored["status"].clone());
        });
        reset(&cluster, "a", "1970-01-01T12:00:00Z");
        cluster
    };
    kill_at_every_request(cluster, |cluster| {
        assert_eq!(state(cluster, "a"), ("Closed".into(), "Auto".into(), 3));
        assert_eq!(cluster.breaker("a")["status"]["overrideHandled"], "Auto");
        assert_eq!(cluster.scales().len(), 1, "{:?}", cluster.scales());
    })
    .await;
}

/// The person changes the override while the controller sets it to `Auto`.
#[tokio::test(start_paused = true)]
async fn a_newer_override_of_a_person_is_kept() {
    let cluster = || {
        let cluster = one_breaker();
        press(&cluster, "a");
        cluster
    };
    let open = cluster();
    open.run(Cut::Never, LONG).await;
    let stored = open.breaker("a");
    let cluster = || {
        let cluster = cluster();
        cluster.add_deployment("a", 0);
        cluster.edit_breaker("a", |breaker| breaker["status"] = stored["status"].clone());
        reset(&cluster, "a", "1970-01-01T12:00:00Z");
        cluster
    };
    let requests = cluster().run(Cut::Never, LONG).await;
    for number in 0..requests {
        for at in [At::Before(number), At::After(number)] {
            let cluster = cluster();
            cluster.edit_breaker_at(at, "a", |breaker| breaker["spec"]["override"] = "Disabled".into());
            cluster.run(Cut::Never, LONG).await;
            let breaker = cluster.breaker("a");
            assert_eq!(breaker["spec"]["override"], "Disabled", "{at:?}: {breaker}");
            assert_eq!(breaker["status"]["overrideHandled"], "Disabled", "{at:?}: {breaker}");
        }
    }
}

/// The trip of a press ends in other ways too: here the target was at 0 replicas.
#[tokio::test(start_paused = true)]
async fn without_the_right_to_write_the_override_it_stays_and_that_is_said_once() {
    let cluster = TestCluster::new(|_, _| {});
    cluster.set_forbids_spec(true);
    cluster.add_deployment("a", 0);
    cluster.add_breaker("a", "a", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    cluster.run(Cut::Never, 4 * LONG).await;
    assert_eq!(cluster.breaker("a")["spec"]["override"], "ForcedOpen");
    let said: Vec<_> =
        cluster.messages().into_iter().filter(|message| message.contains("spec.override stays")).collect();
    assert_eq!(said.len(), 1, "{said:?}");
    let rule = "{apiGroups: [\"bigredbutton.dev\"], resources: [\"circuitbreakers\"], verbs: [\"patch\"]}";
    assert!(said[0].contains(rule), "{said:?}");
    cluster.set_forbids_spec(false);
    cluster.run(Cut::Never, LONG).await;
    assert_eq!(cluster.breaker("a")["spec"]["override"], "Auto");
}

/// Two breakers of one target are created within one second. Then the names decide, so the older
/// one may come later, while the pressed one is at any of its requests.
#[tokio::test(start_paused = true)]
async fn a_press_is_not_lost_when_the_pressed_breaker_yields_at_any_request() {
    const SECOND: &str = "1970-01-01T00:00:00Z";
    let cluster = || {
        let cluster = TestCluster::new(check_press);
        cluster.add_deployment("shared", 3);
        cluster.add_breaker("b", "shared", |breaker| {
            breaker["metadata"]["creationTimestamp"] = SECOND.into();
            breaker["spec"]["override"] = "ForcedOpen".into();
        });
        cluster
    };
    let requests = cluster().run(Cut::Never, LONG).await;
    assert!(requests > 5, "{requests}");
    for number in 0..requests {
        for at in [At::Before(number), At::After(number)] {
            for cut in [Cut::Never, Cut::Before(number + 1), Cut::After(number + 1), Cut::After(number + 3)] {
                let cluster = cluster();
                cluster.set_latency(|of| Duration::from_millis(1 + of as u64 % 7));
                cluster.add_breaker_at(at, "a", "shared", |breaker| {
                    breaker["metadata"]["creationTimestamp"] = SECOND.into();
                });
                let time = if cut == Cut::Never { LONG } else { SHORT };
                cluster.run(cut, time).await;
                cluster.run(Cut::Never, LONG).await;
                // The pressed one does nothing now, unless it has stored its trip before.
                let status = &cluster.breaker("b")["status"];
                let handled = status["overrideHandled"] == "ForcedOpen";
                assert_eq!(handled, phase(status) != "Closed", "{at:?} {cut:?}: {status}");
                cluster.remove_breaker("a");
                cluster.run(Cut::Never, LONG).await;
                let found = cluster.breaker("b");
                let found = (phase(&found["status"]), cluster.replicas("shared"), cluster.scales().len());
                assert_eq!(found, ("Open", 0, 1), "{at:?} {cut:?}");
            }
        }
    }
}
