//! Reads JSON objects one at a time, so that a long list needs no more memory than its longest
//! item.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The fields of an object that [`objects`](super::objects) reads. Others are not kept.
const FIELDS: [&str; 16] = [
    "kind",
    "metadata",
    "spec",
    "status",
    "involvedObject",
    "regarding",
    "reason",
    "message",
    "note",
    "series",
    "lastTimestamp",
    "deprecatedLastTimestamp",
    "eventTime",
    "State",
    "Id",
    "Name",
];

/// Calls `found` with each object of the documents in `input`: with each item of a list, or with
/// the object itself. Objects before the end of a document that is cut off are found as well.
/// Returns whether a document was a list of Kubernetes.
///
/// # Errors
/// The first fault of the syntax.
pub(crate) fn for_each_object(input: impl Read, mut found: impl FnMut(&Value)) -> serde_json::Result<bool> {
    let mut documents = serde_json::Deserializer::from_reader(input);
    let mut lists = false;
    loop {
        match (Document { found: &mut found, lists: &mut lists }).deserialize(&mut documents) {
            Ok(()) => {}
            // Behind the last document, or inside one that is cut off.
            Err(error) if error.is_eof() => return Ok(lists),
            Err(error) => return Err(error),
        }
    }
}

/// One document, or the list of its items.
struct Document<'f, F> {
    found: &'f mut F,
    /// Whether a list was seen.
    lists: &'f mut bool,
}

impl<'de, F: FnMut(&Value)> DeserializeSeed<'de> for Document<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&Value)> Visitor<'de> for Document<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<Value>()? {
            (self.found)(&item);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut fields = Map::new();
        let mut is_list = false;
        while let Some(key) = object.next_key::<String>()? {
            if key == "items" {
                is_list = true;
                *self.lists = true;
                object.next_value_seed(Document { found: &mut *self.found, lists: &mut *self.lists })?;
            } else if FIELDS.contains(&key.as_str()) {
                fields.insert(key, object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        if !is_list {
            (self.found)(&Value::Object(fields));
        }
        Ok(())
    }

    /// `items: null` of an empty list.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> (Vec<String>, bool) {
        let mut kinds = Vec::new();
        let ended = for_each_object(text.as_bytes(), |object| kinds.push(object["kind"].to_string())).is_ok();
        (kinds, ended)
    }

    #[test]
    fn items_of_lists_and_objects_one_after_the_other_are_found() {
        let pods = [r#""Pod""#.to_owned(), r#""Pod""#.to_owned()];
        for text in [
            r#"{"items": [{"kind": "Pod"}, {"kind": "Pod"}], "kind": "List"}"#,
            r#"[{"kind": "Pod"}, {"kind": "Pod"}]"#,
            "{\"kind\": \"Pod\"}\n{\"kind\": \"Pod\"}\n",
        ] {
            assert_eq!(kinds(text), (pods.to_vec(), true), "{text}");
        }
        assert_eq!(kinds(r#"{"items": null, "kind": "List"}"#), (vec![], true));
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        assert_eq!(kinds("[pod/a/b] text\n"), (vec![], false));
        assert_eq!(kinds("{\n  code: 'ECONNREFUSED'\n}\n"), (vec![], false));
    }
}
