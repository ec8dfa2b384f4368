//! Converts a JSON object to a record.

use std::borrow::Cow;

use jiff::Timestamp;

use super::line_record::strict;
use super::object::Object;
use super::scalar::Scalar;
use super::status_field::StatusField;
use super::status_word::{field_status, status};
use super::title::without_status;
use crate::fault::Fault;
use crate::formats::is_label;
use crate::identity::integration_key;
use crate::mask::mask;
use crate::printable::printable;
use crate::record::{Ends, Record, Status, Suppression};
use crate::rules::Rules;
use crate::time::{self, TimeReader};

/// Names and values of labels.
type LabelPairs<'j> = Vec<(Cow<'j, str>, Cow<'j, str>)>;

/// Converts an alert of Alertmanager, Grafana or Prometheus, or a custom object.
pub(super) fn alert<'j>(object: &mut Object<'j>, times: &TimeReader) -> Result<Record<'j>, Fault> {
    let mut record = Record::firing(name(object)?);
    record.labels = labels(object)?;
    record.annotations = annotations(object);
    let starts = instant(times, "startsAt", object.starts.as_ref())?;
    let active = instant(times, "activeAt", object.active.as_ref())?;
    let ends = instant(times, "endsAt", object.ends.as_ref())?;
    let updated = instant(times, "updatedAt", object.updated.as_ref())?;
    let time_sent = instant(times, "timestamp", object.time.as_ref())?;
    record.starts = starts.or(active);
    record.time = updated.or(time_sent);
    if let Some(Scalar::Text(fingerprint)) = object.fingerprint.take_if(|_| object.grafana) {
        // Distinguishes alerts with equal labels: Grafana's labels do not contain the rule's uid.
        record.key = Some(fingerprint).filter(|key| !key.is_empty());
    }
    let mut word = None;
    match object.status.take() {
        Some(StatusField::Object { state, silenced_by, inhibited_by }) => {
            // In a response of Alertmanager `endsAt` is the time at which it gives the alert up.
            record.snapshot = true;
            let suppressed = match state.as_deref() {
                None | Some("unprocessed" | "active") => false,
                Some("suppressed") => true,
                Some(other) => {
                    let known = "unprocessed, active and suppressed";
                    return Err(Fault::BadState { value: printable(other), known });
                }
            };
            record.suppression = match (silenced_by, inhibited_by) {
                (Some(by), _) => Suppression::Silenced(by),
                (None, Some(by)) => Suppression::Inhibited(by),
                (None, None) if suppressed => Suppression::Inhibited(Cow::Borrowed("the source")),
                (None, None) => Suppression::None,
            };
            record.ends = ends.map_or(Ends::Open, Ends::TimesOut);
            return Ok(record);
        }
        Some(StatusField::Word(Scalar::Null)) | None => {}
        Some(StatusField::Word(given)) => word = Some(given),
    }
    // Prometheus and many others call the field `state`.
    let word = word.or(object.state.take_if(|state| *state != Scalar::Null));
    record.status = match word {
        Some(Scalar::Text(word)) => field_status(&word)?,
        Some(other) => return Err(Fault::NotAString { field: "status".to_owned(), found: other.found() }),
        None if record.starts.is_some() || ends.is_some() => Status::Firing,
        None => Status::Event,
    };
    record.snapshot = active.is_some() && starts.is_none();
    record.ends = ends.map_or(Ends::Open, Ends::At);
    Ok(record)
}

fn name<'j>(object: &Object<'j>) -> Result<Cow<'j, str>, Fault> {
    let field = if object.labels.is_some() { "labels.alertname" } else { "alertname" };
    let name = object.labels.as_ref().and_then(|labels| labels.name.as_ref()).or(object.name.as_ref());
    match name {
        Some(Scalar::Text(name)) if !name.trim().is_empty() => Ok(name.clone()),
        Some(Scalar::Text(_)) | Some(Scalar::Null) | None => Err(Fault::Missing { field }),
        Some(other) => Err(Fault::NotAString { field: field.to_owned(), found: other.found() }),
    }
}

/// The labels in `labels`; without that field, the fields at the top level that tell alerts apart.
fn labels<'j>(object: &mut Object<'j>) -> Result<LabelPairs<'j>, Fault> {
    if let Some(labels) = &mut object.labels {
        return match &labels.fault {
            Some((name, found)) if name.is_empty() => {
                Err(Fault::NotAString { field: "labels".to_owned(), found })
            }
            Some((name, found)) => {
                Err(Fault::NotAString { field: format!("label {}", printable(name)), found })
            }
            None => Ok(std::mem::take(&mut labels.pairs)),
        };
    }
    let mut labels = Vec::with_capacity(object.flat.len());
    for (name, value) in &object.flat {
        match value.clone().label() {
            Ok(value) => labels.extend(value.map(|value| (Cow::Borrowed(*name), value))),
            Err(found) => return Err(Fault::NotAString { field: format!("label {name}"), found }),
        }
    }
    // In an event, these are fields of the event.
    let fields = [
        ("class", &object.class),
        ("source", &object.source),
        ("subject", &object.subject),
        ("type", &object.kind),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value.clone()?)));
    let other = std::mem::take(&mut object.other);
    let other =
        other.into_iter().filter_map(|(name, json)| Some((name, serde_json::from_str(json.get()).ok()?)));
    for (name, value) in fields.chain(other) {
        let is_fraction = matches!(&value, Scalar::Number(number) if number.contains(['.', 'e', 'E']));
        // A field that is an object or a list is not a label.
        if let Ok(Some(value)) = value.label()
            && !is_fraction
            && !value.trim().is_empty()
            // A check of a site is named by its URL; a link is the same in all records of an alert.
            && (is_label(&name, &value) || name == "url")
        {
            labels.push((name, value));
        }
    }
    Ok(labels)
}

/// The texts and links for people. A value that is not a text is left out: it tells nobody
/// anything, and is not a reason to lose the alert.
fn annotations<'j>(object: &mut Object<'j>) -> LabelPairs<'j> {
    let mut texts = object.annotations.take().map(|map| map.pairs).unwrap_or_default();
    // Grafana adds its own state to the annotations.
    texts.retain(|(name, text)| !name.starts_with("__") && !text.trim().is_empty());
    for (name, value) in std::mem::take(&mut object.top_annotations) {
        if let Scalar::Text(text) = value
            && !text.trim().is_empty()
            && !texts.iter().any(|(known, _)| known == name)
        {
            texts.push((Cow::Borrowed(name), text));
        }
    }
    texts
}

fn instant(
    times: &TimeReader,
    field: &'static str,
    value: Option<&Scalar<'_>>,
) -> Result<Option<Timestamp>, Fault> {
    let text = match value {
        None | Some(Scalar::Null) => return Ok(None),
        Some(Scalar::Text(text)) if text.is_empty() => return Ok(None),
        Some(Scalar::Text(text)) => text.as_ref(),
        Some(Scalar::Number(digits)) => digits.as_str(),
        Some(other) => return Err(Fault::NotAString { field: field.to_owned(), found: other.found() }),
    };
    match times.parse(text) {
        Some(at) => Ok(time::unless_zero(at)),
        None => Err(Fault::BadTime { field, value: printable(text) }),
    }
}

/// Converts a CloudEvent. `data` holds the alert, or a whole payload.
pub(super) fn cloud_event<'j>(
    envelope: &Object<'j>,
    mut data: Object<'j>,
    times: &TimeReader,
) -> Result<Record<'j>, Fault> {
    if data.name.is_none() && data.labels.as_ref().is_none_or(|labels| labels.name.is_none()) {
        let subject = envelope.subject.clone();
        match &mut data.labels {
            Some(labels) => labels.name = subject,
            None => data.name = subject,
        }
    }
    if data.status.is_none() && data.state.is_none() {
        let word = match &envelope.kind {
            Some(Scalar::Text(kind)) => kind.split('.').rev().find(|word| status(word).is_ok()),
            _ => None,
        };
        data.state = word.map(|word| Scalar::Text(Cow::Owned(word.to_owned())));
    }
    let time_sent = instant(times, "time", envelope.time.as_ref())?;
    let mut record = alert(&mut data, times)?;
    record.time = record.time.or(time_sent);
    record.keyed = record.time.is_some();
    if let Some(Scalar::Text(source)) = &envelope.source
        && !source.is_empty()
        && !record.labels.iter().any(|(name, _)| name == "source")
    {
        record.labels.push((Cow::Borrowed("source"), source.clone()));
    }
    Ok(record)
}

/// Whether a class is one that a sender gives to all of its events, so that it names none of them.
fn is_constant(class: &str) -> bool {
    const CONSTANT: [&str; 10] = [
        "default",
        "alert",
        "alerts",
        "event",
        "grafana",
        "incident",
        "none",
        "prometheus",
        "unknown",
        "n/a",
    ];
    CONSTANT.iter().any(|word| class.trim().eq_ignore_ascii_case(word))
}

/// A link of a PagerDuty event.
#[derive(serde::Deserialize)]
struct EventLink<'j> {
    #[serde(borrow)]
    href: Cow<'j, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'j, str>>,
}

/// The links of a PagerDuty event; none if they are not as PagerDuty describes them.
fn links<'j>(event: &Object<'j>) -> Vec<EventLink<'j>> {
    event.links.and_then(|links| serde_json::from_str(links.get()).ok()).unwrap_or_default()
}

/// PagerDuty Events v2.
pub(super) fn pager_duty_event<'j>(
    event: &Object<'j>,
    payload: Option<Object<'j>>,
    details: Option<Object<'j>>,
    rules: &Rules,
    times: &TimeReader,
) -> Result<Record<'j>, Fault> {
    let text = |field: &'static str, value: Option<&Scalar<'j>>| match value {
        None | Some(Scalar::Null) => Ok(None),
        Some(Scalar::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Scalar::Text(text)) => Ok(Some(text.clone())),
        Some(other) => Err(Fault::NotAString { field: field.to_owned(), found: other.found() }),
    };
    let action =
        text("event_action", event.event_action.as_ref())?.ok_or(Fault::Missing { field: "event_action" })?;
    let status = match action.as_ref() {
        "trigger" | "acknowledge" => Status::Firing,
        "resolve" => Status::Resolved,
        other => {
            return Err(Fault::BadState {
                value: printable(other),
                known: "trigger, acknowledge and resolve",
            });
        }
    };
    let key = text("dedup_key", event.dedup_key.as_ref())?.map(|key| match &event.routing_key {
        // Keys are unique within an integration: a resolve of one ends nothing of another.
        Some(Scalar::Text(integration)) => Cow::Owned(integration_key(integration, &key)),
        _ => key,
    });
    let time_sent = match &payload {
        Some(payload) => instant(times, "payload.timestamp", payload.time.as_ref())?,
        None => None,
    };
    let (key, payload) = match (key, payload) {
        // These events name their alert by the key. Their payload may differ from the trigger's:
        // Alertmanager's summary of a resolve begins with "[RESOLVED]".
        (Some(key), _) if action != "trigger" => {
            let mut record = Record::firing("");
            (record.key, record.status) = (Some(key), status);
            // An acknowledge is not a sign of life of the alert, so its time is not used.
            record.time = time_sent.filter(|_| status == Status::Resolved);
            record.keyed = record.time.is_some();
            record.acknowledged = action == "acknowledge";
            record.acknowledged_at = time_sent.filter(|_| record.acknowledged);
            return Ok(record);
        }
        (None, None) if action != "trigger" => return Err(Fault::Missing { field: "dedup_key" }),
        (_, None) => return Err(Fault::Missing { field: "payload" }),
        (key, Some(payload)) => (key, payload),
    };
    let summary = text("payload.summary", payload.top_annotation("summary"))?;
    let summary = summary.map(|summary| match summary {
        Cow::Borrowed(summary) => Cow::Borrowed(without_status(summary).1),
        Cow::Owned(summary) => Cow::Owned(without_status(&summary).1.to_owned()),
    });
    let parsed = match &summary {
        Some(Cow::Borrowed(summary)) => strict(summary.trim(), rules, times).ok(),
        _ => None,
    };
    let class = text("payload.class", payload.class.as_ref())?.filter(|class| !is_constant(class));
    let mut record = match (class, parsed) {
        (Some(class), parsed) => {
            Record { alert: class, text: Cow::Borrowed(""), ..parsed.unwrap_or_else(|| Record::firing("")) }
        }
        (None, Some(parsed)) => parsed,
        (None, None) => {
            // The summary is a sentence and not a name: the parts that vary are masked.
            let summary = summary.as_ref().ok_or(Fault::Missing { field: "payload.summary" })?;
            Record::firing(mask(summary, |id| rules.is_on(id)).0)
        }
    };
    let mut add = |name: &'static str, value: Option<Cow<'j, str>>| {
        if let Some(value) = value.filter(|_| !record.labels.iter().any(|(known, _)| known == name)) {
            record.labels.push((Cow::Borrowed(name), value));
        }
    };
    for (name, value) in details.iter().flat_map(|details| &details.flat).chain(&payload.flat) {
        add(name, text("payload.custom_details", Some(value)).unwrap_or_default());
    }
    add("source", text("payload.source", payload.source.as_ref())?);
    if let Some(summary) = summary.filter(|summary| *summary != record.alert) {
        record.annotations.push((Cow::Borrowed("summary"), summary));
    }
    if let Some(Scalar::Text(url)) = event.top_annotation("client_url") {
        record.annotations.push((Cow::Borrowed("client_url"), url.clone()));
    }
    for (number, EventLink { href, text }) in links(event).into_iter().enumerate() {
        let name = text.filter(|text| !text.trim().is_empty());
        let name = name.unwrap_or_else(|| Cow::Owned(format!("link {}", number + 1)));
        record.annotations.push((name, href));
    }
    record.time = time_sent;
    record.keyed = key.is_some() && record.time.is_some();
    (record.key, record.status) = (key, status);
    Ok(record)
}
