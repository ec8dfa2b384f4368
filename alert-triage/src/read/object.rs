//! A JSON object with the fields that any format uses, read in one pass. Unknown fields are
//! skipped.
//!
//! Of a duplicate key the later value counts, as in serde_json. Duplicate lists of alerts are both
//! kept, so that no alert is lost. Of several names for one field the order in the object does not
//! matter.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::label_map::LabelMap;
use super::scalar::{JsonText, Scalar};
use super::status_field::StatusField;

/// Labels that an object may carry at its top level, beside those in `labels`.
const TOP_LEVEL_LABELS: [&str; 30] = [
    "app",
    "cluster",
    "component",
    "container",
    "daemonset",
    "datacenter",
    "deployment",
    "device",
    "env",
    "environment",
    "group",
    "host",
    "instance",
    "job",
    "job_name",
    "mountpoint",
    "namespace",
    "node",
    "persistentvolumeclaim",
    "pod",
    "queue",
    "region",
    "replica",
    "service",
    "severity",
    "shard",
    "statefulset",
    "team",
    "workload",
    "zone",
];

/// Fields of the core formats that are not labels, skipped without a look at their values.
const NEVER_LABELS: [&str; 8] = [
    "commonAnnotations",
    "commonLabels",
    "externalURL",
    "groupKey",
    "groupLabels",
    "receiver",
    "receivers",
    "values",
];

/// Fields at the top level that are texts or links for people.
const TOP_LEVEL_ANNOTATIONS: [&str; 10] = [
    "client_url",
    "dashboardURL",
    "dashboard_url",
    "description",
    "generatorURL",
    "message",
    "panelURL",
    "runbook",
    "runbook_url",
    "summary",
];

/// The fields found, under the names that the formats use.
#[derive(Debug, Default)]
pub(super) struct Object<'j> {
    pub(super) name: Option<Scalar<'j>>,
    pub(super) labels: Option<LabelMap<'j>>,
    /// Fields at the top level that are labels by their names.
    pub(super) flat: Vec<(&'static str, Scalar<'j>)>,
    /// Other fields at the top level, which are labels unless they are texts, times or the like.
    pub(super) other: Vec<(Cow<'j, str>, &'j RawValue)>,
    /// Texts and links for people.
    pub(super) annotations: Option<LabelMap<'j>>,
    pub(super) top_annotations: Vec<(&'static str, Scalar<'j>)>,
    pub(super) status: Option<StatusField<'j>>,
    pub(super) state: Option<Scalar<'j>>,
    pub(super) starts: Option<Scalar<'j>>,
    pub(super) ends: Option<Scalar<'j>>,
    pub(super) updated: Option<Scalar<'j>>,
    pub(super) active: Option<Scalar<'j>>,
    pub(super) time: Option<Scalar<'j>>,
    pub(super) fingerprint: Option<Scalar<'j>>,
    /// Whether the alert is Grafana's: no other sender sets `silenceURL`.
    pub(super) grafana: bool,
    /// Alertmanager's and Grafana's envelope.
    pub(super) alerts: Vec<&'j RawValue>,
    pub(super) truncated: u64,
    pub(super) org: bool,
    /// Prometheus' and CloudEvents' envelope.
    pub(super) data: Option<&'j RawValue>,
    pub(super) spec_version: bool,
    pub(super) kind: Option<Scalar<'j>>,
    pub(super) subject: Option<Scalar<'j>>,
    /// PagerDuty's.
    pub(super) payload: Option<&'j RawValue>,
    pub(super) event_action: Option<Scalar<'j>>,
    pub(super) dedup_key: Option<Scalar<'j>>,
    pub(super) routing_key: Option<Scalar<'j>>,
    /// Inside PagerDuty's payload.
    pub(super) class: Option<Scalar<'j>>,
    pub(super) source: Option<Scalar<'j>>,
    pub(super) custom_details: Option<&'j RawValue>,
    pub(super) links: Option<&'j RawValue>,
}

impl<'j> Object<'j> {
    /// The text or link of this name at the top level; of two the later one.
    pub(super) fn top_annotation(&self, name: &str) -> Option<&Scalar<'j>> {
        self.top_annotations.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;
        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Object::default();
                let (mut names, mut times) = ([const { None }; 3], [const { None }; 4]);
                while let Some(JsonText(key)) = map.next_key::<JsonText<'de>>()? {
                    let o = &mut object;
                    match key.as_ref() {
                        "labels" => o.labels = Some(map.next_value()?),
                        "annotations" => o.annotations = Some(map.next_value()?),
                        "alertname" => names[0] = Some(map.next_value()?),
                        "alert" => names[1] = Some(map.next_value()?),
                        "name" => names[2] = Some(map.next_value()?),
                        "status" => o.status = Some(map.next_value()?),
                        "state" => o.state = Some(map.next_value()?),
                        "startsAt" | "starts_at" => o.starts = Some(map.next_value()?),
                        "endsAt" | "ends_at" => o.ends = Some(map.next_value()?),
                        "updatedAt" => o.updated = Some(map.next_value()?),
                        "activeAt" => o.active = Some(map.next_value()?),
                        "timestamp" => times[0] = Some(map.next_value()?),
                        "time" => times[1] = Some(map.next_value()?),
                        "ts" => times[2] = Some(map.next_value()?),
                        "@timestamp" => times[3] = Some(map.next_value()?),
                        "fingerprint" => o.fingerprint = Some(map.next_value()?),
                        "silenceURL" => {
                            o.grafana = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        "alerts" => o.alerts.push(map.next_value()?),
                        "truncatedAlerts" => {
                            if let Scalar::Number(number) = map.next_value()? {
                                o.truncated = number.parse().unwrap_or(0);
                            }
                        }
                        "orgId" => {
                            o.org = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        "data" => o.data = Some(map.next_value()?),
                        "specversion" => {
                            o.spec_version = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        "type" => o.kind = Some(map.next_value()?),
                        "subject" => o.subject = Some(map.next_value()?),
                        "payload" => o.payload = Some(map.next_value()?),
                        "event_action" => o.event_action = Some(map.next_value()?),
                        "dedup_key" => o.dedup_key = Some(map.next_value()?),
                        "routing_key" => o.routing_key = Some(map.next_value()?),
                        "class" => o.class = Some(map.next_value()?),
                        "source" => o.source = Some(map.next_value()?),
                        "links" => o.links = Some(map.next_value()?),
                        "custom_details" => o.custom_details = Some(map.next_value()?),
                        other
                            if let Some(known) =
                                TOP_LEVEL_ANNOTATIONS.iter().find(|known| **known == other) =>
                        {
                            o.top_annotations.push((known, map.next_value()?));
                        }
                        other => match TOP_LEVEL_LABELS.iter().find(|known| **known == other) {
                            Some(known) => {
                                o.flat.retain(|(name, _)| name != known);
                                o.flat.push((known, map.next_value()?));
                            }
                            // With an object of labels, other fields are none.
                            None if o.labels.is_some() || NEVER_LABELS.contains(&other) => {
                                map.next_value::<IgnoredAny>()?;
                            }
                            None => {
                                o.other.retain(|(name, _)| *name != key);
                                let value = map.next_value()?;
                                o.other.push((key, value));
                            }
                        },
                    }
                }
                object.name = names.into_iter().flatten().next();
                object.time = times.into_iter().flatten().next();
                Ok(object)
            }
        }
        from.deserialize_map(ObjectVisitor)
    }
}
