//! JSON that holds no alert.

use serde_json::Value;

use super::appearance::Appearance;
use super::error_answer::error_answer;
use super::partial_json::first_value;
use crate::printable::printable;

/// Fields that are named.
const MAX_FIELDS: usize = 8;

pub(super) fn describe(text: &str) -> Appearance {
    let Some(value) = first_value(text) else {
        let error = serde_json::from_str::<Value>(text).err();
        let place = error.map_or(String::new(), |error| match error.line() {
            1 => format!(" at column {}", error.column()),
            line => format!(" at line {line} column {}", error.column()),
        });
        return Appearance::new(
            "json-damaged",
            format!("begins like JSON and is not valid{place}: fetch it again, or name its --format"),
        );
    };
    if let Value::Object(object) = &value
        && let Some(error) = error_answer(object)
    {
        return Appearance::new(
            "error-answer",
            format!("is an error and not alerts, the source answered {error}: fetch the alerts again"),
        );
    }
    let (what, object) = match &value {
        Value::Object(object) => ("is a JSON object", Some(object)),
        Value::Array(values) => ("is a JSON array of objects", values.iter().find_map(Value::as_object)),
        _ => ("is JSON", None),
    };
    let Some(object) = object.filter(|object| !object.is_empty()) else {
        return Appearance::new(
            "json",
            "is JSON without any object of an alert: write {\"alertname\": …} for each alert".to_owned(),
        );
    };
    let mut fields: Vec<String> = object.keys().take(MAX_FIELDS).map(printable).collect();
    if object.len() > MAX_FIELDS {
        fields.push("…".to_owned());
    }
    Appearance::new(
        "json",
        format!(
            "{what} of an unknown format, with the fields {}: describe it under `formats:` in --rules",
            fields.join(", ")
        ),
    )
}
