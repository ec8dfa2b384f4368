//! Answers with which an API reports an error in place of alerts.

use serde_json::{Map, Value};

use crate::printable::printable;

/// Fields that hold the text of an error, the most specific first.
const TEXTS: [&str; 9] =
    ["error", "errors", "message", "error_description", "msg", "detail", "title", "reason", "Message"];

/// Fields that may stand beside the text of an error. An object with any other field is not an
/// error answer, unless its status says so.
const BESIDE: [&str; 26] = [
    "status",
    "statusCode",
    "status_code",
    "code",
    "errorType",
    "error_type",
    "type",
    "error",
    "errors",
    "message",
    "error_description",
    "msg",
    "detail",
    "details",
    "title",
    "reason",
    "success",
    "ok",
    "requestId",
    "request_id",
    "traceId",
    "traceID",
    "path",
    "timestamp",
    "__type",
    "documentation_url",
];

/// The error that an object reports, quoted; `None` if the object is not such an answer.
pub(crate) fn error_answer(object: &Map<String, Value>) -> Option<String> {
    let is_failed = |value: &Value| match value {
        Value::String(word) => {
            ["error", "fail", "failure", "failed"].iter().any(|known| word.eq_ignore_ascii_case(known))
        }
        Value::Bool(ok) => !ok,
        Value::Number(code) => code.as_u64().is_some_and(|code| (400..600).contains(&code)),
        _ => false,
    };
    let says_failed =
        ["status", "success", "ok"].iter().any(|field| object.get(*field).is_some_and(is_failed));
    let is_bare = !object.is_empty() && object.keys().all(|key| BESIDE.contains(&key.as_str()));
    // A title or a message alone may be an alert in a format that is not known.
    let names_error =
        ["error", "errors", "code", "statusCode", "status_code", "__type", "error_description", "detail"]
            .iter()
            .any(|field| object.get(*field).is_some_and(|value| !value.is_null()));
    let is_only_message = object.len() == 1 && object.contains_key("message");
    if !(says_failed && TEXTS.iter().any(|field| object.contains_key(*field))
        || is_bare && (names_error || is_only_message))
    {
        return None;
    }
    let text = TEXTS.iter().find_map(|field| text_of(object.get(*field)?))?;
    let kind = ["errorType", "error_type", "reason", "code", "statusCode", "__type"]
        .iter()
        .find_map(|field| scalar(object.get(*field)?))
        .filter(|kind| *kind != text);
    Some(match kind {
        Some(kind) => format!("`{}` ({})", printable(text), printable(kind)),
        None => format!("`{}`", printable(text)),
    })
}

/// The text of an error that is a string, an object with a text, or a list of either.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Object(object) => TEXTS.iter().find_map(|field| text_of(object.get(*field)?)),
        Value::Array(values) => values.iter().find_map(text_of),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_quoted() {
        for (json, want) in [
            (
                r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
                Some("`query timed out` (timeout)"),
            ),
            (r#"{"status":"error","data":{},"error":"query timed out"}"#, Some("`query timed out`")),
            (r#"{"code":401,"message":"unauthorized"}"#, Some("`unauthorized` (401)")),
            (r#"{"message":"Invalid API key"}"#, Some("`Invalid API key`")),
            (r#"{"error":{"message":"Not Found","code":2100}}"#, Some("`Not Found`")),
            (r#"{"errors":["Forbidden"]}"#, Some("`Forbidden`")),
            (
                r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no","reason":"Forbidden","code":403}"#,
                Some("`no` (Forbidden)"),
            ),
            (r#"{"title":"SiloFull","severity":"critical"}"#, None),
            (r#"{"title":"SiloFull"}"#, None),
            (r#"{"status":"firing","message":"SiloFull"}"#, None),
            (r#"{"message":"SiloFull","host":"a"}"#, None),
            ("{}", None),
        ] {
            let object: Map<String, Value> = serde_json::from_str(json).unwrap();
            assert_eq!(error_answer(&object).as_deref(), want, "{json}");
        }
    }
}
