//! Objects of the Kubernetes API as JSON or YAML, parts of a pod's status as `-o jsonpath` prints
//! them, and the containers of `docker inspect` and `crictl inspect`.
//!
//! Every field may be absent, null, or a number where a text is expected: people cut captures.

use breaker_core::pod::{PodEvent, Terminated};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::capture::{Capture, ContainerStatus, field_path_of};
use super::case::UNKNOWN_EXIT_CODE;

/// The lists of container statuses in a pod's status.
const STATUS_LISTS: [&str; 3] = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];

/// Adds an object: a Pod, an Event, a List of them, a part of a pod's status, or a container of a
/// runtime. Returns whether it is one of these.
pub(crate) fn add(capture: &mut Capture, object: &Value) -> bool {
    if let Some(items) = object.get("items").and_then(Value::as_array) {
        let found = items.iter().filter(|item| add(capture, item)).count();
        return found > 0 || text(object, "kind").ends_with("List");
    }
    let status = &object["status"];
    if text(object, "kind") == "Pod" || status["containerStatuses"].is_array() {
        add_pod(capture, object);
    } else if is_event(object) {
        add_event(capture, object);
    } else if object["State"].is_object() && (object["Id"].is_string() || object["Name"].is_string()) {
        add_container(capture, object);
    } else if is_runtime_status(status) {
        add_runtime_status(capture, status);
    } else {
        return add_part(capture, object);
    }
    true
}

/// Adds a part of a pod's status: the status itself, a container's status, its state, or the
/// `terminated` state. A log can have records with some of these fields, so each must have those
/// that make it one.
fn add_part(capture: &mut Capture, part: &Value) -> bool {
    if STATUS_LISTS.iter().any(|list| part[*list].is_array()) {
        add_pod(capture, &json!({"status": part}));
        return true;
    }
    let has_state = is_state(&part["state"]) || is_state(&part["lastState"]);
    let container = if has_state {
        container_status(part)
    } else if is_state(part) {
        container_status(&json!({"state": part}))
    } else if integer(part, "exitCode").is_some()
        && ["containerID", "startedAt", "finishedAt"].iter().any(|key| part[*key].is_string())
    {
        container_status(&json!({"state": {"terminated": part}}))
    } else {
        return false;
    };
    capture.pod("", "", "", vec![container]);
    true
}

/// Whether an object is the state of a container: at least one of three fields, and no others.
fn is_state(object: &Value) -> bool {
    let is_known = |(key, state): (&String, &Value)| {
        ["running", "waiting", "terminated"].contains(&key.as_str()) && (state.is_object() || state.is_null())
    };
    object.as_object().is_some_and(|fields| !fields.is_empty() && fields.iter().all(is_known))
}

/// Whether an object is one of the Kubernetes API, of whatever kind, or a container of Docker. Its
/// fields may be null, as those of an object that is cut off.
pub(crate) fn is_known(object: &Value) -> bool {
    let has = |key: &str| object.get(key).is_some_and(|value| value.is_object() || value.is_null());
    object["kind"].is_string() && has("metadata")
        || object["Id"].is_string() && has("State")
        || is_state(&object["state"])
        || is_state(&object["lastState"])
}

fn is_event(object: &Value) -> bool {
    text(object, "kind") == "Event" || object["involvedObject"].is_object() || object["regarding"].is_object()
}

fn add_pod(capture: &mut Capture, pod: &Value) {
    let (metadata, status) = (&pod["metadata"], &pod["status"]);
    let containers = STATUS_LISTS.iter().filter_map(|list| status[*list].as_array()).flatten();
    let containers = containers.map(container_status);
    let (namespace, name) = (text(metadata, "namespace"), text(metadata, "name"));
    capture.pod(&namespace, &name, &text(&pod["spec"], "nodeName"), containers.collect());
    let reason = text(status, "reason");
    if !reason.is_empty() {
        capture.ended_pod(&namespace, &name, &reason, &text(status, "message"));
    }
}

fn container_status(container: &Value) -> ContainerStatus {
    ContainerStatus {
        name: text(container, "name"),
        waiting: text(&container["state"]["waiting"], "reason"),
        terminated: terminated(&container["state"]["terminated"]),
        last: terminated(&container["lastState"]["terminated"]),
    }
}

/// A `terminated` state; `None` if it is absent or null.
pub(crate) fn terminated(state: &Value) -> Option<Terminated> {
    state.is_object().then(|| ended_state(state))
}

fn ended_state(state: &Value) -> Terminated {
    Terminated {
        container_id: text(state, "containerID"),
        exit_code: integer(state, "exitCode").unwrap_or(UNKNOWN_EXIT_CODE),
        signal: integer(state, "signal"),
        reason: text(state, "reason"),
        message: text(state, "message"),
        started_at: time(state, "startedAt"),
        finished_at: time(state, "finishedAt"),
    }
}

fn add_event(capture: &mut Capture, event: &Value) {
    let about = if event["regarding"].is_object() { &event["regarding"] } else { &event["involvedObject"] };
    if text(about, "kind") != "Pod" {
        return;
    }
    let first_of =
        |keys: [&str; 2]| keys.map(|key| text(event, key)).into_iter().find(|text| !text.is_empty());
    let message = first_of(["message", "note"]).unwrap_or_default();
    let field_path = match text(about, "fieldPath") {
        path if path.is_empty() => field_path_of(&message),
        path => path,
    };
    let times = [
        time(&event["series"], "lastObservedTime"),
        time(event, "lastTimestamp"),
        time(event, "deprecatedLastTimestamp"),
        time(event, "eventTime"),
    ];
    let event = PodEvent {
        reason: text(event, "reason"),
        message,
        field_path,
        at: times.into_iter().max().flatten(),
    };
    capture.event(&text(about, "namespace"), &text(about, "name"), event);
}

/// A container of Docker or Podman.
fn add_container(capture: &mut Capture, container: &Value) {
    let state = &container["State"];
    let name = match text(container, "Name").trim_start_matches('/') {
        "" => text(container, "Id").chars().take(12).collect(),
        name => name.to_owned(),
    };
    let (error, status) = (text(state, "Error"), text(state, "Status"));
    // A container that Docker starts again and again counts as running between two starts.
    let is_restarting = state["Restarting"].as_bool().unwrap_or(status == "restarting");
    let runs = !is_restarting && state["Running"].as_bool().unwrap_or(status == "running");
    let never_ran = status == "created" && error.is_empty();
    if runs || never_ran {
        return capture.container(&name, None);
    }
    let exit_code = integer(state, "ExitCode").unwrap_or(UNKNOWN_EXIT_CODE);
    let reason = match exit_code {
        _ if state["OOMKilled"].as_bool() == Some(true) => "OOMKilled",
        // The runtime could not start it.
        _ if !error.is_empty() => "ContainerCannotRun",
        0 => "Completed",
        _ => "Error",
    };
    let known = |at: Option<Timestamp>| at.filter(|at| at.as_second() > 0);
    let terminated = Terminated {
        container_id: text(container, "Id"),
        exit_code,
        reason: reason.into(),
        message: error,
        started_at: known(time(state, "StartedAt")),
        finished_at: known(time(state, "FinishedAt")),
        ..Terminated::default()
    };
    capture.container(&name, Some(terminated));
}

/// Whether this is the status of a container as `crictl inspect` shows it.
fn is_runtime_status(status: &Value) -> bool {
    status["state"].as_str().is_some_and(|state| state.starts_with("CONTAINER_"))
}

/// A container of a runtime of the CRI.
fn add_runtime_status(capture: &mut Capture, status: &Value) {
    let label = |name: &str| text(&status["labels"], &format!("io.kubernetes.{name}"));
    let mut name = label("container.name");
    if name.is_empty() {
        name = text(&status["metadata"], "name");
    }
    let has_ended = text(status, "state") == "CONTAINER_EXITED";
    let ended = has_ended.then(|| Terminated { container_id: text(status, "id"), ..ended_state(status) });
    let container = ContainerStatus { name, terminated: ended, ..ContainerStatus::default() };
    capture.pod(&label("pod.namespace"), &label("pod.name"), "", vec![container]);
}

/// A field as text; empty if it is absent or null.
pub(crate) fn text(object: &Value, key: &str) -> String {
    match object.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        _ => String::new(),
    }
}

/// A field as a number; `None` if it is absent, null or not a number.
pub(crate) fn integer(object: &Value, key: &str) -> Option<i32> {
    match object.get(key)? {
        Value::Number(number) => number.as_i64()?.try_into().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object.get(key)?.as_str()?.parse().ok()
}
