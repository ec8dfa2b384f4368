//! Cases: one termination a line, as JSON, with a label or without.

use breaker_core::pod::{PodEvent, Terminated};
use breaker_core::verdict::NetworkKind;
use breaker_core::{Cause, Termination};
use serde_json::Value;

/// The exit code of a termination that names none: neither success nor a signal, so that it decides
/// no cause.
pub(crate) const UNKNOWN_EXIT_CODE: i32 = -1;

/// A termination, and the expected verdict if it has one.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) termination: Termination,
    pub(crate) label: Option<Cause>,
    pub(crate) kind: Option<NetworkKind>,
}

impl Case {
    /// Reads a case. Each field may be absent or null, and a number may stand for a text. A
    /// termination without an exit code has an unknown one.
    ///
    /// # Errors
    /// The fault of the line, with its column where it is not valid JSON.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let case: Value =
            serde_json::from_str(line).map_err(|error| error.to_string().replace("line 1 ", ""))?;
        if !case.is_object() {
            return Err("not a JSON object".into());
        }
        if ["terminated", "logTail", "events", "waiting"].iter().all(|key| case.get(key).is_none()) {
            return Err("neither `terminated` nor `logTail` is given".into());
        }
        let state = Fields::of(&case, "terminated")?;
        let terminated = Terminated {
            exit_code: state.integer("exitCode")?.unwrap_or(UNKNOWN_EXIT_CODE),
            signal: state.integer("signal")?,
            reason: state.text("reason")?,
            message: state.text("message")?,
            ..Terminated::default()
        };
        let fields = Fields { object: &case, path: "" };
        let mut termination = Termination::new(terminated, fields.text("logTail")?);
        termination.waiting = Fields::of(&case, "waiting")?.text("reason")?;
        for event in case["events"].as_array().into_iter().flatten() {
            let fields = Fields { object: event, path: "events." };
            let (reason, message) = (fields.text("reason")?, fields.text("message")?);
            termination.events.push(PodEvent { reason, message, ..PodEvent::default() });
        }
        let named = |key| fields.text(key).map(|name| Some(name).filter(|name| !name.is_empty()));
        Ok(Self {
            id: fields.text("id")?,
            termination,
            label: named("label")?.as_deref().map(label).transpose()?,
            kind: named("network_kind")?.as_deref().map(kind).transpose()?,
        })
    }

    /// Whether the line was meant as a case, valid or not.
    pub(crate) fn looks_like_one(line: &str) -> bool {
        let is_key = |rest: &str| rest.trim_start().starts_with(':');
        let has = |key: &str| line.split_once(key).is_some_and(|(_, rest)| is_key(rest));
        line.starts_with('{') && (has("\"terminated\"") || has("\"logTail\""))
    }
}

/// The fields of an object, called by their path in errors.
struct Fields<'c> {
    object: &'c Value,
    path: &'static str,
}

impl<'c> Fields<'c> {
    /// The fields of the object at `key`; none if it is absent or null.
    fn of(case: &'c Value, key: &'static str) -> Result<Self, String> {
        let path = if key == "terminated" { "terminated." } else { "waiting." };
        match &case[key] {
            object @ (Value::Null | Value::Object(_)) => Ok(Self { object, path }),
            other => Err(format!("`{key}` is {}, not an object", shown(other))),
        }
    }

    fn text(&self, key: &str) -> Result<String, String> {
        match &self.object[key] {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            value @ Value::Number(_) => Ok(value.to_string()),
            other => Err(format!("`{}{key}` is {}, not a text", self.path, shown(other))),
        }
    }

    fn integer(&self, key: &str) -> Result<Option<i32>, String> {
        let value = &self.object[key];
        let number = match value {
            Value::Null => return Ok(None),
            Value::Number(number) => number.as_i64().and_then(|number| number.try_into().ok()),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map(Some).ok_or_else(|| format!("`{}{key}` is {}, not a number", self.path, shown(value)))
    }
}

/// A value as an error quotes it.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
        value => value.to_string().chars().take(40).collect(),
    }
}

fn label(name: &str) -> Result<Cause, String> {
    let name = if name == "probe-timeout" { "probe" } else { name };
    Cause::ALL.into_iter().find(|cause| cause.as_str() == name).ok_or_else(|| {
        let known: Vec<_> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
        format!("unknown label `{name}`; use one of {}", known.join(", "))
    })
}

fn kind(name: &str) -> Result<NetworkKind, String> {
    let name = if name == "proxy-or-gateway" { "gateway" } else { name };
    NetworkKind::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
        let known: Vec<_> = NetworkKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("unknown network_kind `{name}`; use one of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faulty_line_is_refused_with_its_column_or_field() {
        for (line, said) in [
            (r#"{"id": "a"}"#, "neither `terminated` nor `logTail` is given"),
            (r#"{"logTail": ["a"]}"#, "`logTail` is a list, not a text"),
            (r#"{"terminated": "Error"}"#, "`terminated` is \"Error\", not an object"),
            (r#"{"terminated": {"exitCode": "one"}}"#, "`terminated.exitCode` is \"one\", not a number"),
            (r#"{"logTail": "", "label": "netwrk"}"#, "unknown label `netwrk`; use one of network, oom"),
            (r#"{"logTail": "", "network_kind": "gone"}"#, "unknown network_kind `gone`; use one of refused"),
            (r#"{"logTail": "x"#, "column 14"),
            ("3", "not a JSON object"),
        ] {
            let error = Case::read(line).err().unwrap_or_default();
            assert!(error.contains(said), "{line}: {error}");
        }
    }

    #[test]
    fn null_and_numeric_fields_are_read() {
        let line = r#"{"id": 7, "terminated": {"exitCode": "1", "reason": null, "message": 42, "signal": null},
            "logTail": null, "events": null, "waiting": null, "label": null, "network_kind": null}"#;
        let case = Case::read(line).unwrap_or_else(|error| panic!("{error}"));
        let Terminated { exit_code, reason, message, .. } = &case.termination.terminated;
        assert_eq!((case.id.as_str(), *exit_code, reason.as_str(), message.as_str()), ("7", 1, "", "42"));
    }

    #[test]
    fn what_has_no_exit_code_is_unknown_and_never_completed() {
        let classifier = breaker_core::Classifier::default();
        for line in [
            r#"{"terminated": null}"#,
            r#"{"terminated": {}}"#,
            r#"{"terminated": {"reason": "Error"}}"#,
            r#"{"terminated": {"reason": "Error", "exitCode": null}}"#,
            r#"{"logTail": "farewell"}"#,
            r#"{"terminated": {"signal": 0}, "logTail": ""}"#,
        ] {
            let case = Case::read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(classifier.classify(&case.termination).cause, Cause::Unknown, "{line}");
        }
    }
}
