//! Which format a JSON object has, by its fields.

use serde_json::value::RawValue;

use super::object::Object;
use crate::format::Format;

/// The format of a payload; `None` for a single alert.
pub(super) fn shape(object: &Object<'_>) -> Option<Format> {
    // An alert may have fields with the names of payload fields.
    let is_alert = object.name.is_some() || object.labels.is_some();
    let holds_alerts = |alerts: &&RawValue| {
        let inside = alerts.get().strip_prefix('[').map(str::trim_start);
        inside.is_some_and(|inside| !inside.starts_with(']'))
    };
    let is_payload = object.alerts.iter().any(holds_alerts) || !object.alerts.is_empty() && !is_alert;
    if object.spec_version && (object.data.is_some() || !is_alert) {
        Some(Format::CloudEvents)
    } else if object.event_action.is_some() || object.routing_key.is_some() && !is_alert {
        Some(Format::PagerDuty)
    } else if is_payload && object.org {
        Some(Format::Grafana)
    } else if is_payload {
        Some(Format::Alertmanager)
    } else if object.data.is_some() && object.labels.is_none() && object.name.is_none() {
        Some(Format::Prometheus)
    } else {
        None
    }
}
