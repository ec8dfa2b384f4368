//! Reads JSON objects one at a time, so that a long list needs no more memory than its longest
//! item.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The fields of an object that [`objects`](super::objects) reads. Others are not kept.
const FIELDS: [&str; 31] = [
    "initContainerStatuses",
    "containerStatuses",
    "ephemeralContainerStatuses",
    "name",
    "restartCount",
    "state",
    "lastState",
    "running",
    "waiting",
    "terminated",
    "exitCode",
    "signal",
    "containerID",
    "startedAt",
    "finishedAt",
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

/// What was read of an input, beside its objects.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Whether a document was a list of Kubernetes.
    pub(crate) has_list: bool,
    /// The object in which the input stopped being JSON, with the fields that it has so far. The
    /// value of the last one is null.
    pub(crate) broken: Option<Value>,
    /// The first fault; `None` if the input was JSON to its end.
    pub(crate) error: Option<serde_json::Error>,
}

/// Calls `found` with each complete object of the documents in `input`: with each item of a list,
/// or with the object itself. Those before a fault are found as well.
pub(crate) fn for_each_object(input: impl Read, mut found: impl FnMut(&Value)) -> Summary {
    let mut documents = serde_json::Deserializer::from_reader(input);
    let mut summary = Summary::default();
    // `end` fails at whatever is not white space.
    while let Err(more) = documents.end() {
        let document = Document { found: &mut found, summary: &mut summary };
        let read = if more.is_io() { Err(more) } else { document.deserialize(&mut documents) };
        if let Err(error) = read {
            summary.error = Some(error);
            break;
        }
    }
    summary
}

/// One document or item: an object, or a list of them.
struct Document<'f, F> {
    found: &'f mut F,
    summary: &'f mut Summary,
}

impl<F> Document<'_, F> {
    fn reborrow(&mut self) -> Document<'_, F> {
        Document { found: &mut *self.found, summary: &mut *self.summary }
    }
}

impl<F: FnMut(&Value)> Document<'_, F> {
    /// Reads the fields of an object; false if they are those of a list.
    fn read_fields<'de, A: MapAccess<'de>>(
        &mut self,
        mut object: A,
        fields: &mut Map<String, Value>,
    ) -> Result<bool, A::Error> {
        let mut is_list = false;
        while let Some(key) = object.next_key::<String>()? {
            if key == "items" {
                is_list = true;
                self.summary.has_list = true;
                object.next_value_seed(self.reborrow())?;
            } else if FIELDS.contains(&key.as_str()) {
                fields.insert(key.clone(), Value::Null);
                fields.insert(key, object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(!is_list)
    }
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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self.reborrow())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, object: A) -> Result<(), A::Error> {
        let mut fields = Map::new();
        match self.read_fields(object, &mut fields) {
            Ok(true) => (self.found)(&Value::Object(fields)),
            Ok(false) => {}
            Err(error) => {
                // The innermost object fails first, and is the one to report.
                self.summary.broken.get_or_insert(Value::Object(fields));
                return Err(error);
            }
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
        let summary = for_each_object(text.as_bytes(), |object| kinds.push(object["kind"].to_string()));
        (kinds, summary.error.is_none())
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

    #[test]
    fn what_is_cut_off_is_an_error_with_the_fields_before_it() {
        let pod = r#"{"kind": "Pod", "metadata": {"name": "a"}, "status": {"phase": "Failed"}}"#;
        let list = format!(r#"{{"items": [{pod}, {pod}], "kind": "List"}}"#);
        let (array, sequence) = (format!("[{pod},{pod}]"), pod.repeat(2));
        for (text, found) in [(pod, 1), (list.as_str(), 2), (array.as_str(), 2), (sequence.as_str(), 2)] {
            assert_eq!(kinds(text), (vec![r#""Pod""#.to_owned(); found], true), "{text}");
            for end in 1..text.len() {
                let cut = &text[..end];
                let summary = for_each_object(cut.as_bytes(), |_| {});
                let whole = end == pod.len() && text.starts_with(pod);
                assert_eq!(summary.error.is_some_and(|error| error.is_eof()), !whole, "{cut}");
            }
        }
        let summary = for_each_object(&pod.as_bytes()[..pod.len() - 4], |_| {});
        let fields = serde_json::json!({"kind": "Pod", "metadata": {"name": "a"}, "status": null});
        assert_eq!(summary.broken, Some(fields));
    }
}
