//! Alerts of Alertmanager's API v2, in the body of `POST /api/v2/alerts`.
//!
//! Alertmanager knows an alert by its labels, so those of one target never change. It ends an alert
//! at `endsAt`; without one it would end each alert that is not posted again within five minutes.

use std::collections::BTreeMap;

use breaker_core::record::NotificationKind;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::alert::{Alert, AlertSeverity};

/// The path of the API.
const PATH: &str = "/api/v2/alerts";

/// How long an open breaker fires if nothing resolves it. It may be open over a holiday.
const MAX_OPEN: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long the other alerts fire: they are reported once.
const MAX_WARNING: SignedDuration = SignedDuration::from_hours(1);

/// How long before the notification an alert is said to have ended: Alertmanager takes an end that
/// lies in its own future for one that is still to come, and its clock may be behind.
const ENDED_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// The longest annotation, in bytes.
const MAX_TEXT_LEN: usize = 4000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostableAlert {
    labels: BTreeMap<&'static str, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AlertName {
    Open,
    Held,
    Contested,
}

impl AlertName {
    const ALL: [Self; 3] = [Self::Open, Self::Held, Self::Contested];

    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "BreakerOpen",
            Self::Held => "BreakerHeld",
            Self::Contested => "BreakerContested",
        }
    }
}

/// The address of the API at the root of an Alertmanager, or the address of the API itself.
pub(super) fn url(root: &str) -> String {
    let root = root.trim_end_matches('/');
    if root.ends_with(PATH) { root.to_owned() } else { format!("{root}{PATH}") }
}

/// The alert that begins, and those that end.
pub(super) fn alerts(alert: &Alert<'_>) -> Vec<PostableAlert> {
    let begins = match alert.kind {
        NotificationKind::Tripped | NotificationKind::ProbeFailed => Some(AlertName::Open),
        NotificationKind::Held => Some(AlertName::Held),
        NotificationKind::Contested => Some(AlertName::Contested),
        _ => None,
    };
    let ends = |name: &AlertName| match alert.kind {
        // It was held before, or it is scaled up now.
        NotificationKind::Tripped | NotificationKind::ProbeFailed => *name != AlertName::Open,
        NotificationKind::Contested => *name != AlertName::Contested,
        NotificationKind::Restored | NotificationKind::Reset => true,
        NotificationKind::Abandoned => *name == AlertName::Held,
        _ => false,
    };
    let at = alert.at();
    let firing = begins.into_iter().map(|name| {
        let lasts = if name == AlertName::Open { MAX_OPEN } else { MAX_WARNING };
        postable(alert, name, at, at.saturating_add(lasts).unwrap_or(Timestamp::MAX))
    });
    let ended = at.saturating_sub(ENDED_BEFORE).unwrap_or(at);
    let resolved = AlertName::ALL.into_iter().filter(ends).map(|name| postable(alert, name, ended, ended));
    firing.chain(resolved).collect()
}

fn postable(alert: &Alert<'_>, name: AlertName, starts_at: Timestamp, ends_at: Timestamp) -> PostableAlert {
    let data = &alert.event.data;
    let severity = if name == AlertName::Open { AlertSeverity::Critical } else { AlertSeverity::Warning };
    let mut annotations: BTreeMap<_, _> =
        [("summary", alert.title()), ("description", alert.text(MAX_TEXT_LEN))].into();
    if let Some(because) = &data.because {
        annotations.insert("cause", because.cause.clone());
        annotations.extend(because.peer.clone().map(|peer| ("peer", peer)));
    }
    PostableAlert {
        labels: BTreeMap::from([
            ("alertname", name.as_str().to_owned()),
            ("severity", severity.as_str().to_owned()),
            ("namespace", data.namespace.clone()),
            ("workload_kind", data.kind.clone()),
            ("workload", data.name.clone()),
        ]),
        annotations,
        starts_at,
        ends_at,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::alert::test_event;
    use super::*;

    fn sent(what: &str) -> Vec<Value> {
        let event = test_event(what);
        let alerts = alerts(&Alert::of(&event).unwrap());
        alerts.into_iter().map(|alert| serde_json::to_value(alert).unwrap()).collect()
    }

    /// `BreakerOpen firing`: what is posted for a notification.
    fn states(what: &str) -> Vec<String> {
        let state = |alert: &Value| if alert["endsAt"] == alert["startsAt"] { "resolved" } else { "firing" };
        sent(what)
            .iter()
            .map(|alert| format!("{} {}", alert["labels"]["alertname"].as_str().unwrap(), state(alert)))
            .collect()
    }

    #[test]
    fn a_trip_fires_for_a_month_with_labels_that_never_change() {
        let trip = &sent("tripped")[0];
        assert_eq!(
            trip["labels"],
            json!({"alertname": "BreakerOpen", "severity": "critical", "namespace": "sre",
                   "workload_kind": "deployment", "workload": "swype-app"})
        );
        assert_eq!(
            (&trip["startsAt"], &trip["endsAt"]),
            (&json!("2026-11-26T13:56:41Z"), &json!("2026-12-26T13:56:41Z"))
        );
        assert_eq!(trip["annotations"]["peer"], "swype-gateway:443");
        assert_eq!(sent("restored")[0]["labels"], trip["labels"]);
        assert_eq!(sent("restored")[0]["endsAt"], "2026-11-26T13:51:41Z");
    }

    #[test]
    fn each_notification_begins_and_ends_what_it_changes() {
        assert_eq!(
            states("tripped"),
            ["BreakerOpen firing", "BreakerHeld resolved", "BreakerContested resolved"]
        );
        assert_eq!(states("probe_failed"), states("tripped"));
        assert_eq!(states("held"), ["BreakerHeld firing"]);
        assert_eq!(
            states("contested"),
            ["BreakerContested firing", "BreakerOpen resolved", "BreakerHeld resolved"]
        );
        for what in ["restored", "reset"] {
            assert_eq!(
                states(what),
                ["BreakerOpen resolved", "BreakerHeld resolved", "BreakerContested resolved"]
            );
        }
        assert_eq!(states("abandoned"), ["BreakerHeld resolved"]);
    }

    #[test]
    fn the_address_may_be_the_root_or_the_api() {
        for (root, want) in [
            ("http://am:9093", "http://am:9093/api/v2/alerts"),
            ("http://am:9093/", "http://am:9093/api/v2/alerts"),
            ("https://am/prefix", "https://am/prefix/api/v2/alerts"),
            ("http://am:9093/api/v2/alerts", "http://am:9093/api/v2/alerts"),
        ] {
            assert_eq!(url(root), want);
        }
    }
}
