//! The `status` field of an alert.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::scalar::{JsonText, Scalar};

/// The `status` field: a string in most formats, an object in responses of Alertmanager.
#[derive(Debug)]
pub(super) enum StatusField<'j> {
    Word(Scalar<'j>),
    Object {
        state: Option<Cow<'j, str>>,
        silenced_by: Option<Cow<'j, str>>,
        inhibited_by: Option<Cow<'j, str>>,
    },
}

impl<'de> Deserialize<'de> for StatusField<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct StatusFieldVisitor;
        impl<'de> Visitor<'de> for StatusFieldVisitor {
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
                while let Some(JsonText(key)) = map.next_key::<JsonText<'de>>()? {
                    match key.as_ref() {
                        "state" => {
                            if let Scalar::Text(text) = map.next_value()? {
                                state = Some(text);
                            }
                        }
                        "silencedBy" => silenced_by = map.next_value::<FirstText<'de>>()?.0,
                        "inhibitedBy" => inhibited_by = map.next_value::<FirstText<'de>>()?.0,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(StatusField::Object { state, silenced_by, inhibited_by })
            }
        }
        from.deserialize_any(StatusFieldVisitor)
    }
}

/// The first string of an array; `None` if the array is empty or the value is not an array.
struct FirstText<'j>(Option<Cow<'j, str>>);

impl<'de> Deserialize<'de> for FirstText<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct FirstTextVisitor;
        impl<'de> Visitor<'de> for FirstTextVisitor {
            type Value = FirstText<'de>;
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
                Ok(FirstText(first))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(FirstText(None))
            }
        }
        from.deserialize_any(FirstTextVisitor)
    }
}
