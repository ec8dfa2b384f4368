//! The event of PagerDuty's Events API v2: `trigger` or `resolve`.
//!
//! One incident for the trip of a target: its key is the UID of the target, since a restore has an
//! id of its own. It ends when the target is restored, or when somebody else scales the target up:
//! else the next trip would only be added to it, and page nobody. A held trip is an incident of its
//! own for the same reason.

use std::collections::BTreeMap;

use breaker_core::record::NotificationKind;
use jiff::Timestamp;
use serde::Serialize;

use super::alert::Alert;
use crate::text::truncate;

/// Where events go unless the endpoint says otherwise. Accounts in the EU have another host.
pub(super) const URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// The limit of PagerDuty's documentation.
const MAX_SUMMARY_LEN: usize = 1024;

/// An event has at most 512 KB.
const MAX_DETAIL_LEN: usize = 4000;

/// It holds a secret, and so has no `Debug`.
#[derive(Serialize)]
pub(super) struct PagerDutyEvent {
    routing_key: String,
    event_action: &'static str,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<PagerDutyPayload>,
}

#[derive(Serialize)]
struct PagerDutyPayload {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: Timestamp,
    component: String,
    group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    custom_details: BTreeMap<&'static str, String>,
}

pub(super) fn event(alert: &Alert<'_>, routing_key: &str) -> PagerDutyEvent {
    let data = &alert.event.data;
    let payload = || {
        let mut custom_details: BTreeMap<_, _> = alert.facts(MAX_DETAIL_LEN).into_iter().collect();
        custom_details.insert("Message", alert.text(MAX_DETAIL_LEN));
        custom_details.insert("Id", alert.event.id.clone());
        PagerDutyPayload {
            summary: truncate(
                &format!("{}: {}", alert.title(), alert.text(MAX_SUMMARY_LEN)),
                MAX_SUMMARY_LEN,
            ),
            source: alert.event.subject.clone(),
            severity: alert.severity().as_str(),
            timestamp: alert.at(),
            component: data.name.clone(),
            group: data.namespace.clone(),
            class: data.because.as_ref().map(|because| because.cause.clone()),
            custom_details,
        }
    };
    let is_hold = matches!(alert.kind, NotificationKind::Held | NotificationKind::Abandoned);
    let triggers = matches!(
        alert.kind,
        NotificationKind::Tripped | NotificationKind::ProbeFailed | NotificationKind::Held
    );
    PagerDutyEvent {
        routing_key: routing_key.into(),
        event_action: if triggers { "trigger" } else { "resolve" },
        dedup_key: format!("{}{}", data.uid, if is_hold { ".held" } else { "" }),
        payload: triggers.then(payload),
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::webhook::CloudEvent;
    use serde_json::{Value, json};

    use super::super::alert::{long_event, posted, test_event};
    use super::*;

    fn sent(notification: &CloudEvent) -> Value {
        posted(notification, |alert| event(alert, "R0"))
    }

    #[test]
    fn a_trip_triggers_and_its_restore_resolves_the_same_incident() {
        let trip = sent(&test_event("tripped"));
        assert_eq!((&trip["event_action"], &trip["routing_key"]), (&json!("trigger"), &json!("R0")));
        let payload = &trip["payload"];
        let summary = "Circuit breaker open, scaled to 0: sre/deployment/swype-app: Scaled to 0 (was 2)";
        assert_eq!(payload["summary"], summary);
        assert_eq!(payload["severity"], "critical");
        assert_eq!(payload["timestamp"], "2026-11-26T13:56:41Z");
        assert_eq!(payload["custom_details"]["Peer"], "swype-gateway:443");
        for (what, action, key) in [
            ("probe_failed", "trigger", "u1"),
            ("contested", "resolve", "u1"),
            ("restored", "resolve", "u1"),
            ("reset", "resolve", "u1"),
            ("held", "trigger", "u1.held"),
            ("abandoned", "resolve", "u1.held"),
        ] {
            // The id of the trip is another one after it has opened.
            let mut later = test_event(what);
            later.id = format!("u1.t2.{what}");
            let later = sent(&later);
            assert_eq!((&later["event_action"], &later["dedup_key"]), (&json!(action), &json!(key)));
            assert_eq!(later["payload"].is_null(), action == "resolve", "{what}");
        }
    }

    #[test]
    fn a_long_summary_is_cut_to_1024_characters() {
        let trip = sent(&long_event("tripped"));
        let summary = trip["payload"]["summary"].as_str().unwrap();
        assert!(summary.len() <= 1024 && summary.ends_with('…'), "{}", summary.len());
        assert!(trip.to_string().len() < 512 * 1024);
    }
}
