//! The `labels` object of an alert.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar::{JsonText, Scalar};

/// An object of labels, with its first fault.
#[derive(Debug, Default)]
pub(super) struct LabelMap<'j> {
    pub(super) name: Option<Scalar<'j>>,
    pub(super) pairs: Vec<(Cow<'j, str>, Cow<'j, str>)>,
    /// The name of the label, and the type found.
    pub(super) fault: Option<(String, &'static str)>,
}

impl<'de> Deserialize<'de> for LabelMap<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct LabelMapVisitor;
        impl<'de> LabelMapVisitor {
            fn none(found: &'static str) -> LabelMap<'de> {
                LabelMap { fault: Some((String::new(), found)), ..LabelMap::default() }
            }
        }
        impl<'de> Visitor<'de> for LabelMapVisitor {
            type Value = LabelMap<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of labels")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut labels = LabelMap::default();
                while let Some(JsonText(key)) = map.next_key::<JsonText<'de>>()? {
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
                Ok(LabelMapVisitor::none("a string"))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(LabelMapVisitor::none("a boolean"))
            }
            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(LabelMapVisitor::none("a number"))
            }
            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(LabelMapVisitor::none("a number"))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(LabelMapVisitor::none("a number"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(LabelMapVisitor::none("an array"))
            }
        }
        from.deserialize_any(LabelMapVisitor)
    }
}
