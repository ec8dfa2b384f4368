//! Why an object has no alert in it, in the terms of its own fields.

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::printable::printable;
use crate::unread::error_answer;

/// Fields that are named.
const MAX_FIELDS: usize = 8;

/// The fields that name an alert, in their order of preference.
const NAMES: [&str; 3] = ["alertname", "alert", "name"];

/// Fields that often hold a name in formats that are not known.
const LIKELY_NAMES: [&str; 14] = [
    "title",
    "alertName",
    "alert_name",
    "AlarmName",
    "rule",
    "ruleName",
    "rule_name",
    "check",
    "check_name",
    "problem",
    "event",
    "subject",
    "summary",
    "message",
];

/// The fault of an object without a usable name, and of an answer that is an error. Other faults do
/// not change.
pub(super) fn explained(fault: Fault, json: &str) -> Fault {
    let is_of_name = match &fault {
        Fault::Missing { field } => field.ends_with("alertname") || *field == "alerts",
        Fault::NotAString { field, .. } => field == "alertname",
        Fault::NoFormat => true,
        _ => false,
    };
    if !is_of_name {
        return fault;
    }
    let Ok(object) = serde_json::from_str::<Map<String, Value>>(json) else { return fault };
    if let Some(answer) = error_answer(&object) {
        return Fault::ErrorAnswer { answer };
    }
    match fault {
        Fault::NotAString { found, .. } => {
            let field = NAMES.iter().find(|field| object.contains_key(**field)).unwrap_or(&NAMES[0]);
            Fault::NotAString { field: (*field).to_owned(), found }
        }
        Fault::Missing { field: "alerts" } => fault,
        _ if object.is_empty() => fault,
        _ => Fault::NoName { fields: fields(&object), example: example(&object) },
    }
}

fn fields(object: &Map<String, Value>) -> String {
    let mut fields: Vec<String> = object.keys().take(MAX_FIELDS).map(printable).collect();
    if object.len() > MAX_FIELDS {
        fields.push(format!("{} more fields", object.len() - MAX_FIELDS));
    }
    fields.join(", ")
}

/// The field that is most likely the name of the alert.
fn example(object: &Map<String, Value>) -> String {
    let likely = LIKELY_NAMES.iter().find(|field| object.get(**field).is_some_and(Value::is_string));
    let first = || object.iter().find(|(_, value)| value.is_string()).or_else(|| object.iter().next());
    let name = likely.map(|field| (*field).to_owned()).or_else(|| first().map(|(field, _)| field.clone()));
    printable(name.unwrap_or_else(|| "title".to_owned()))
}
