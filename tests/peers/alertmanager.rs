//! A real Alertmanager, and the sample as alerts for it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::http::{self, Request};
use crate::program::{Program, repository};

/// A running `prometheus-alertmanager`.
pub(crate) struct Alertmanager(pub(crate) Program);

impl Alertmanager {
    /// Starts it with a configuration and without clustering.
    pub(crate) fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alertmanager.yml");
        fs::write(&path, config).expect("written");
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.path={}", dir.path().join("data").display()))
            .args(["--cluster.listen-address=", "--web.listen-address=127.0.0.1:0"]);
        Self(Program::start(command, dir))
    }

    /// Starts it with the shortest waits, a webhook to `receiver`, and inhibitions that correspond
    /// to the ladders of the sample.
    pub(crate) fn with_short_waits(receiver: &str) -> Self {
        Self::with_webhook(&format!("url: http://{receiver}/"))
    }

    /// Like [`with_short_waits`](Self::with_short_waits), with the webhook in Alertmanager's
    /// syntax.
    pub(crate) fn with_webhook(webhook: &str) -> Self {
        Self::start(&format!(
            "
            global: {{resolve_timeout: 24h}}
            route:
              receiver: triage
              group_by: [zone]
              group_wait: 2s
              group_interval: 1s
              repeat_interval: 1s
            receivers:
            - name: triage
              webhook_configs: [{{{webhook}}}]
            inhibit_rules:
            - source_matchers: [alertname=EndpointRegistrationFailure]
              target_matchers: [alertname=EndpointRegistrationTransientFailure]
              equal: [zone]
            - source_matchers: [alertname=LLMModelVeryStale]
              target_matchers: [alertname=LLMModelStale]
              equal: [zone]
            "
        ))
    }

    /// Posts alerts as Prometheus does.
    pub(crate) fn post(&self, alerts: &Value) {
        http::post(&self.0.address, "/api/v2/alerts", alerts.to_string().as_bytes());
    }

    /// Posts the lines of the sample, one request each.
    pub(crate) fn post_the_sample(&self) {
        let lines = fs::read_to_string(repository("docs/samples/upcommerce.log")).expect("the sample");
        for line in lines.lines() {
            let (zone, alert) = line
                .strip_prefix("Zone ")
                .and_then(|line| line.split_once(": "))
                .expect("a line of the sample");
            self.post(&json!([labelled(zone, alert)]));
        }
    }

    /// Posts the end of an alert.
    pub(crate) fn resolve(&self, zone: &str, alert: &str) {
        let mut over = labelled(zone, alert);
        over["endsAt"] = json!(Timestamp::now());
        self.post(&json!([over]));
    }

    /// The body of `GET PATH`.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        http::get(&self.0.address, path)
    }

    /// The output of `amtool alert query` for all alerts.
    pub(crate) fn amtool(&self) -> Vec<u8> {
        let url = format!("--alertmanager.url=http://{}", self.0.address);
        let query = [&url, "alert", "query", "--output=json", "--active", "--inhibited", "--silenced"];
        let output = Command::new("amtool").args(query).output().expect("amtool starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Silences an alert for an hour and returns the ID of the silence.
    pub(crate) fn silence(&self, zone: &str, alert: &str) -> String {
        let equal = |name: &str, value: &str| json!({"name": name, "value": value, "isRegex": false, "isEqual": true});
        let now = Timestamp::now();
        let silence = json!({
            "matchers": [equal("alertname", alert), equal("zone", zone)],
            "startsAt": now,
            "endsAt": now + jiff::SignedDuration::from_hours(1),
            "createdBy": "tests",
            "comment": "being looked at",
        });
        let answer = http::post(&self.0.address, "/api/v2/silences", silence.to_string().as_bytes());
        let answer: Value = serde_json::from_slice(&answer).expect("JSON");
        answer["silenceID"].as_str().expect("an id").to_owned()
    }

    /// Ends a silence.
    pub(crate) fn unsilence(&self, id: &str) {
        http::delete(&self.0.address, &format!("/api/v2/silence/{id}"));
    }
}

fn labelled(zone: &str, alert: &str) -> Value {
    json!({"labels": {"alertname": alert, "zone": zone}})
}

/// The alerts of a webhook, a push or an API response, without their groups.
pub(crate) fn alerts(body: &[u8]) -> Vec<Value> {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let all = |value: Value| match value["alerts"].as_array() {
        Some(alerts) => alerts.clone(),
        None => vec![value],
    };
    match body {
        Value::Array(values) => values.into_iter().flat_map(all).collect(),
        group => all(group),
    }
}

/// `AB LLMModelStale firing` for each alert of the body; a push has no state.
pub(crate) fn alerts_of(request: &Request) -> BTreeSet<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |alert: Value| {
        let labels = &alert["labels"];
        let words = [word(&labels["zone"]), word(&labels["alertname"]), word(&alert["status"])];
        words.join(" ").trim_end().to_owned()
    };
    alerts(&request.body).into_iter().map(line).collect()
}

/// Every alert delivered so far.
pub(crate) fn delivered_alerts(requests: &[Request]) -> BTreeSet<String> {
    requests.iter().flat_map(alerts_of).collect()
}
