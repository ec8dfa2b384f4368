//! Lenient decoding: a field of another type than expected never fails the object around it.
//!
//! The API server accepts statuses that no kubelet writes, such as a negative `restartCount`. One
//! such pod must not fail the list of all pods.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use crate::text::truncate;

/// Longest odd value that is quoted, in bytes.
const MAX_QUOTE_LEN: usize = 40;

/// A field of an object.
#[derive(Debug, Clone, Default)]
pub(crate) enum Field<T> {
    /// Absent or null.
    #[default]
    Absent,
    /// Of the expected type.
    Known(T),
    /// Of another type; what it is instead.
    Odd(String),
}

impl<T> Field<T> {
    /// The value. An odd one is absent, and `odd` receives a sentence about it that begins with
    /// `path`.
    pub(crate) fn take(self, path: impl FnOnce() -> String, odd: &mut Vec<String>) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Known(value) => Some(value),
            Self::Odd(is) => {
                odd.push(format!("{} is {is}", path()));
                None
            }
        }
    }

    pub(crate) fn is_odd(&self) -> bool {
        matches!(self, Self::Odd(_))
    }
}

/// What the JSON of a type may look like; everything else is odd.
pub(crate) trait Shape: Sized {
    fn from_text(_: &str) -> Option<Self> {
        None
    }

    fn from_integer(_: i64) -> Option<Self> {
        None
    }

    fn from_bool(_: bool) -> Option<Self> {
        None
    }

    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn from_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A struct all of whose fields are [`Field`]s.
pub(crate) trait Fields: DeserializeOwned {}

impl<T: Fields> Shape for T {
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

impl Shape for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Shape for bool {
    fn from_bool(value: bool) -> Option<Self> {
        Some(value)
    }
}

impl Shape for u32 {
    fn from_integer(value: i64) -> Option<Self> {
        value.try_into().ok()
    }
}

impl Shape for i32 {
    fn from_integer(value: i64) -> Option<Self> {
        value.try_into().ok()
    }
}

impl Shape for Timestamp {
    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl<T: Shape> Shape for Vec<Field<T>> {
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut fields = Self::new();
        while let Some(field) = list.next_element()? {
            fields.push(field);
        }
        Ok(Some(fields))
    }
}

impl<T: Shape> Shape for BTreeMap<String, Field<T>> {
    fn from_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        let mut fields = Self::new();
        while let Some((key, field)) = object.next_entry()? {
            fields.insert(key, field);
        }
        Ok(Some(fields))
    }
}

impl<'de, T: Shape> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(FieldVisitor(PhantomData))
    }
}

struct FieldVisitor<T>(PhantomData<T>);

impl<T: Shape> FieldVisitor<T> {
    fn field(value: Option<T>, is: impl FnOnce() -> String) -> Field<T> {
        value.map_or_else(|| Field::Odd(is()), Field::Known)
    }
}

impl<'de, T: Shape> Visitor<'de> for FieldVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Field<T>, E> {
        Ok(Field::Absent)
    }

    fn visit_none<E: de::Error>(self) -> Result<Field<T>, E> {
        Ok(Field::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Field<T>, D::Error> {
        Field::deserialize(from)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Field<T>, D::Error> {
        Field::deserialize(from)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Field<T>, E> {
        Ok(Self::field(T::from_bool(value), || value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Field<T>, E> {
        Ok(Self::field(T::from_integer(value), || value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Field<T>, E> {
        let known = i64::try_from(value).ok().and_then(T::from_integer);
        Ok(Self::field(known, || value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Field<T>, E> {
        Ok(Field::Odd(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Field<T>, E> {
        Ok(Self::field(T::from_text(text), || format!("{:?}", truncate(text, MAX_QUOTE_LEN))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Field<T>, A::Error> {
        Ok(Self::field(T::from_list(list)?, || "a list".into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Field<T>, A::Error> {
        Ok(Self::field(T::from_object(object)?, || "an object".into()))
    }
}
