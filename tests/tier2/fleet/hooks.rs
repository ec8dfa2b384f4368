//! The hook before a trip, and notifications.

use std::time::Duration;

use bigredbutton_tests::{REFUSED, Watcher};
use k8s_openapi::api::core::v1::Secret;
use kube::api::PostParams;
use ring::hmac;
use serde_json::{Value, json};

use crate::fixture::{controller, guarded, ready, test_namespace, trips};
use crate::receiver::{Behavior, Receiver};

#[tokio::test]
async fn the_hook_is_asked_before_the_pods_go_signed_by_a_secret_of_the_namespace() {
    let ns = test_namespace("fleet-hook").await;
    let secret =
        serde_json::from_value(json!({"metadata": {"name": "hook"}, "stringData": {"key": "s3cret"}}));
    ns.api::<Secret>().create(&PostParams::default(), &secret.expect("a Secret")).await.expect("created");
    let asked = Receiver::new(vec![Behavior::RespondsAfter(Duration::from_secs(3))], || 0);
    let notified = Receiver::new(vec![], || 0);
    let hooks = json!({
        "beforeTrip": {"url": asked.url(), "secretRef": {"name": "hook"}},
        "notify": [{"url": notified.url()}],
    });
    let mut app = guarded(&ns, "swype", json!({"hooks": hooks})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    fleet.wait_for("tripping").await;
    let request = asked.wait_for(1).remove(0);
    let status = ns.breaker_status("swype").await;
    assert_eq!(
        (ns.replicas("swype").await, &status["phase"]),
        (1, &json!("Tripping")),
        "asked before the scale"
    );
    let signature = request.headers["x-bigredbutton-signature"].strip_prefix("sha256=").expect("hexadecimal");
    let signature: Vec<u8> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).expect("hexadecimal"))
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
    hmac::verify(&key, &request.bytes, &signature).expect("signed by the Secret");
    ns.wait_for_phase("swype", "Open").await;
    assert!(!notified.wait_for(1).is_empty());
    let delivered = |status: &Value| status["record"]["notices"] == Value::Null;
    ns.wait_for_status("swype", "the notice is acknowledged", delivered).await;
    assert_eq!((ns.replicas("swype").await, asked.requests().len()), (0, 1));
    ns.delete().await;
}

/// Who may write a CircuitBreaker must not reach the neighbours of the controller by it, nor learn
/// from the status what answers there.
#[tokio::test]
async fn a_hook_to_an_address_of_the_controllers_machine_is_not_called() {
    let ns = test_namespace("fleet-local").await;
    let asked = Receiver::new(vec![], || 0);
    let port = asked.url().rsplit(':').next().expect("a port").to_owned();
    let fleet = Watcher::start(&ns, &["controller", "--status-interval", "1s", "--leader-elect=false"]);
    for (name, url) in [
        ("by-address", asked.url()),
        ("by-name", format!("http://localhost:{port}")),
        ("metadata", "http://169.254.169.254/latest/meta-data/".to_owned()),
    ] {
        let hooks = json!({"beforeTrip": {"url": url, "onFailure": "Hold"}});
        let mut app = guarded(&ns, name, json!({"hooks": hooks})).await;
        ready(&ns, name).await;
        for _ in 0..4 {
            app.restart(REFUSED).await;
        }
        let held = ns.wait_for_condition(name, "Held", "True").await;
        let message = held["message"].as_str().expect("a message");
        assert!(
            message.contains("loopback, link-local or unspecified, which is refused"),
            "{name}: {message}"
        );
        assert_eq!(ns.replicas(name).await, 1);
    }
    assert!(asked.requests().is_empty());
    fleet.stop();
    ns.delete().await;
}

/// The controller is killed before the hook responds, and again before the notification is
/// delivered.
#[tokio::test]
async fn the_next_controller_asks_again_under_the_same_key_and_delivers_what_was_not() {
    let ns = test_namespace("fleet-asks").await;
    let asked = Receiver::new(vec![Behavior::RespondsAfter(Duration::from_secs(9))], || 0);
    let notified = Receiver::later(Duration::from_secs(12), || 0);
    let hooks = json!({"beforeTrip": {"url": asked.url()}, "notify": [{"url": notified.url()}]});
    let mut app = guarded(&ns, "swype", json!({"hooks": hooks})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    fleet.wait_for("tripping").await;
    asked.wait_for(1);
    fleet.kill().await;
    assert_eq!(ns.replicas("swype").await, 1);
    let next = controller(&ns);
    let status = ns.wait_for_phase("swype", "Open").await;
    assert_ne!(status["record"]["notices"], Value::Null, "not acknowledged yet: {status:#}");
    next.kill().await;
    let keys: Vec<_> =
        asked.requests().iter().map(|request| request.headers["idempotency-key"].clone()).collect();
    assert!(matches!(&keys[..], [first, second] if first == second), "{keys:?}");
    let _last = controller(&ns);
    let delivered = |status: &Value| status["record"]["notices"] == Value::Null;
    ns.wait_for_status("swype", "the notice is acknowledged", delivered).await;
    assert_eq!(notified.requests()[0].event["type"], "dev.bigredbutton.tripped");
    assert_eq!((asked.requests().len(), trips(&ns, "swype").await), (2, 1));
    ns.delete().await;
}
