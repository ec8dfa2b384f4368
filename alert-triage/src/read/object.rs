//! One JSON object, read once, keeping what any of the formats calls by name; unknown fields are skipped.
//!
//! Of a key told twice the later counts, as in serde_json and in what most senders are written with; only lists of alerts
//! are both kept, for an alert is not to be lost. Of several names for one thing the order in the object says nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// LabelMap that an object may carry at its top level, beside those in `labels`.
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

/// A value where a text should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'j> {
    Text(Cow<'j, str>),
    Number(String),
    Truth(bool),
    Null,
    Other(&'static str),
}

impl<'j> Scalar<'j> {
    /// As a label's value. Some senders do not write `500` as a text, and their alerts are not to be lost for it; null is
    /// no label.
    pub(super) fn label(self) -> Result<Option<Cow<'j, str>>, &'static str> {
        match self {
            Scalar::Text(text) => Ok(Some(text)),
            Scalar::Number(number) => Ok(Some(Cow::Owned(number))),
            Scalar::Truth(truth) => Ok(Some(Cow::Borrowed(if truth { "true" } else { "false" }))),
            Scalar::Null => Ok(None),
            Scalar::Other(found) => Err(found),
        }
    }

    pub(super) fn found(&self) -> &'static str {
        match self {
            Scalar::Text(_) => "a string",
            Scalar::Number(_) => "a number",
            Scalar::Truth(_) => "a boolean",
            Scalar::Null => "null",
            Scalar::Other(found) => found,
        }
    }
}

/// `status` is a word in most formats and an object in Alertmanager's answers.
#[derive(Debug)]
pub(super) enum StatusField<'j> {
    Word(Scalar<'j>),
    Object {
        state: Option<Cow<'j, str>>,
        silenced_by: Option<Cow<'j, str>>,
        inhibited_by: Option<Cow<'j, str>>,
    },
}

/// What was found, under the names that the formats use.
#[derive(Debug, Default)]
pub(super) struct Object<'j> {
    pub(super) name: Option<Scalar<'j>>,
    pub(super) labels: Option<LabelMap<'j>>,
    pub(super) flat: Vec<(&'static str, Scalar<'j>)>,
    pub(super) status: Option<StatusField<'j>>,
    pub(super) state: Option<Scalar<'j>>,
    pub(super) starts: Option<Scalar<'j>>,
    pub(super) ends: Option<Scalar<'j>>,
    pub(super) updated: Option<Scalar<'j>>,
    pub(super) active: Option<Scalar<'j>>,
    pub(super) time: Option<Scalar<'j>>,
    pub(super) fingerprint: Option<Scalar<'j>>,
    /// An alert of Grafana, by a link that no other sender gives.
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
    pub(super) summary: Option<Scalar<'j>>,
    pub(super) class: Option<Scalar<'j>>,
    pub(super) source: Option<Scalar<'j>>,
    pub(super) custom_details: Option<&'j RawValue>,
}

/// An object of labels; its first fault is kept.
#[derive(Debug, Default)]
pub(super) struct LabelMap<'j> {
    pub(super) name: Option<Scalar<'j>>,
    pub(super) pairs: Vec<(Cow<'j, str>, Cow<'j, str>)>,
    /// Name and what it is.
    pub(super) fault: Option<(String, &'static str)>,
}

struct Borrowed<'j>(Cow<'j, str>);

impl<'de> Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Borrowed<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(V)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Number(number.to_string()))
            }
            fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Truth(truth))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("an array"))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other("an object"))
            }
        }
        from.deserialize_any(V)
    }
}

/// The first of an array of texts; none of an empty one, or of anything else.
struct First<'j>(Option<Cow<'j, str>>);

impl<'de> Deserialize<'de> for First<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = First<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of strings")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut first = None;
                while let Some(next) = seq.next_element::<Scalar<'de>>()? {
                    if let Scalar::Text(text) = next {
                        first.get_or_insert(text);
                    }
                }
                Ok(First(first))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(First(None))
            }
        }
        from.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for StatusField<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = StatusField<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Text(Cow::Borrowed(text))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Text(Cow::Owned(text.to_owned()))))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Null))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Number(number.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Number(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Number(number.to_string())))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(StatusField::Word(Scalar::Other("a boolean")))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(StatusField::Word(Scalar::Other("an array")))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut state, mut silenced_by, mut inhibited_by) = (None, None, None);
                while let Some(Borrowed(key)) = map.next_key::<Borrowed<'de>>()? {
                    match key.as_ref() {
                        "state" => {
                            if let Scalar::Text(text) = map.next_value()? {
                                state = Some(text);
                            }
                        }
                        "silencedBy" => silenced_by = map.next_value::<First<'de>>()?.0,
                        "inhibitedBy" => inhibited_by = map.next_value::<First<'de>>()?.0,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(StatusField::Object { state, silenced_by, inhibited_by })
            }
        }
        from.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for LabelMap<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> V {
            fn none(found: &'static str) -> LabelMap<'de> {
                LabelMap { fault: Some((String::new(), found)), ..LabelMap::default() }
            }
        }
        impl<'de> Visitor<'de> for V {
            type Value = LabelMap<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut labels = LabelMap::default();
                while let Some(Borrowed(key)) = map.next_key::<Borrowed<'de>>()? {
                    let value: Scalar<'de> = map.next_value()?;
                    if key == "alertname" {
                        labels.name = Some(value);
                        continue;
                    }
                    match value.label() {
                        Ok(value) => labels.pairs.extend(value.map(|value| (key, value))),
                        Err(found) => {
                            labels.fault.get_or_insert_with(|| (key.into_owned(), found));
                        }
                    }
                }
                Ok(labels)
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(LabelMap::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(V::none("a string"))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(V::none("a boolean"))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(V::none("a number"))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(V::none("a number"))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(V::none("a number"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(V::none("an array"))
            }
        }
        from.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Object<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Object::default();
                let (mut names, mut times) = ([const { None }; 3], [const { None }; 4]);
                while let Some(Borrowed(key)) = map.next_key::<Borrowed<'de>>()? {
                    let o = &mut object;
                    match key.as_ref() {
                        "labels" => o.labels = Some(map.next_value()?),
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
                        "summary" => o.summary = Some(map.next_value()?),
                        "class" => o.class = Some(map.next_value()?),
                        "source" => o.source = Some(map.next_value()?),
                        "custom_details" => o.custom_details = Some(map.next_value()?),
                        other => match TOP_LEVEL_LABELS.iter().find(|known| **known == other) {
                            Some(known) => {
                                o.flat.retain(|(name, _)| name != known);
                                o.flat.push((known, map.next_value()?));
                            }
                            None => drop(map.next_value::<IgnoredAny>()?),
                        },
                    }
                }
                object.name = names.into_iter().flatten().next();
                object.time = times.into_iter().flatten().next();
                Ok(object)
            }
        }
        from.deserialize_map(V)
    }
}
