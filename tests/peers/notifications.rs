//! Notifications of a breaker as alerts of a real Alertmanager.

use std::sync::Arc;

use breaker_core::webhook::{CloudEvent, Endpoint, NotifyFormat, WebhookClient};
use breaker_kube::webhook::{HttpWebhookClient, LocalReceivers, SecretFiles};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::alertmanager::Alertmanager;
use crate::eventually;
use crate::http::Receiver;

fn notification(what: &str, at: Timestamp) -> CloudEvent {
    let event = json!({
        "specversion": "1.0", "id": format!("u1.t1.{what}"), "source": "/bigredbutton/sre/deployment/swype-app",
        "type": format!("dev.bigredbutton.{what}"), "subject": "sre/deployment/swype-app", "time": at,
        "datacontenttype": "application/json",
        "data": {"namespace": "sre", "kind": "deployment", "name": "swype-app", "uid": "u1", "episode": 1,
                 "message": "Scaled to 0 (was 2)", "replicas": 2, "because": null},
    });
    serde_json::from_value(event).expect("an event")
}

/// The names of the alerts that fire in it.
fn firing(alertmanager: &Alertmanager) -> Vec<String> {
    let alerts: Vec<Value> = serde_json::from_slice(&alertmanager.get("/api/v2/alerts")).expect("JSON");
    let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap_or_default().to_owned();
    let mut names: Vec<_> = alerts.iter().map(name).collect();
    names.sort();
    names
}

/// A trip fires until it is resolved, whatever `resolve_timeout` is; a repeated message changes
/// nothing; the restore ends the alert, and Alertmanager notifies its receivers of that.
#[test]
fn a_trip_fires_in_alertmanager_until_the_restore_resolves_it() {
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::start(&format!(
        "
        global: {{resolve_timeout: 1s}}
        route: {{receiver: pager, group_by: [workload], group_wait: 1s, group_interval: 1s, repeat_interval: 24h}}
        receivers:
        - name: pager
          webhook_configs: [{{url: 'http://{}/'}}]
        ",
        receiver.address()
    ));
    let client = HttpWebhookClient::new(Arc::new(SecretFiles), LocalReceivers::Allowed).expect("TLS");
    let to = Endpoint {
        format: NotifyFormat::Alertmanager,
        ..Endpoint::new(format!("http://{}", alertmanager.0.address))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let send = |what: &str, at: Timestamp| {
        let sent = runtime.block_on(client.post(&to, &notification(what, at)));
        assert!(sent.is_ok(), "{what}: {sent:?}");
    };
    let delivered = |word: &str| {
        let word = format!("\"status\":\"{word}\"");
        receiver.bodies().iter().filter(|body| String::from_utf8_lossy(body).contains(&word)).count()
    };
    let tripped_at = Timestamp::now() - SignedDuration::from_secs(60);
    send("held", tripped_at);
    eventually("the hold fires", || (firing(&alertmanager) == ["BreakerHeld"]).then_some(()));
    send("tripped", tripped_at + SignedDuration::from_secs(5));
    send("tripped", tripped_at + SignedDuration::from_secs(5));
    eventually("the trip fires alone", || (firing(&alertmanager) == ["BreakerOpen"]).then_some(()));
    eventually("the pager learns of it", || (delivered("firing") > 0).then_some(()));
    let alerts: Vec<Value> = serde_json::from_slice(&alertmanager.get("/api/v2/alerts")).expect("JSON");
    let ends_at: Timestamp = alerts[0]["endsAt"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    assert!(ends_at > Timestamp::now() + SignedDuration::from_hours(24), "resolve_timeout does not end it");
    send("restored", Timestamp::now());
    eventually("nothing fires", || firing(&alertmanager).is_empty().then_some(()));
    eventually("the pager learns of the end", || {
        let bodies = receiver.bodies();
        let last = bodies.last().map(|body| String::from_utf8_lossy(body).into_owned())?;
        last.starts_with('{')
            .then(|| serde_json::from_str::<Value>(&last).ok())
            .flatten()
            .filter(|group| group["status"] == "resolved")
    });
}
