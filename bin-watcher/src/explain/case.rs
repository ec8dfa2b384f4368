//! Cases: one termination a line, as JSON, with a label or without.

use breaker_core::pod::{PodEvent, Terminated};
use breaker_core::verdict::NetworkKind;
use breaker_core::{Cause, Termination};
use serde::Deserialize;

/// A termination, and the expected verdict if it has one.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) termination: Termination,
    pub(crate) label: Option<Cause>,
    pub(crate) kind: Option<NetworkKind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaseLine {
    #[serde(default)]
    id: String,
    #[serde(default)]
    terminated: TerminatedFields,
    #[serde(default)]
    log_tail: Option<String>,
    #[serde(default)]
    events: Vec<EventFields>,
    #[serde(default)]
    waiting: Option<WaitingFields>,
    #[serde(default)]
    label: Option<String>,
    #[serde(default, rename = "network_kind")]
    network_kind: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TerminatedFields {
    reason: Option<String>,
    exit_code: Option<i32>,
    signal: Option<i32>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct EventFields {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct WaitingFields {
    #[serde(default)]
    reason: String,
}

impl Case {
    /// # Errors
    /// The fault of the line, with its column where it is not valid JSON.
    pub(crate) fn read(line: &str) -> Result<Self, String> {
        let line: CaseLine =
            serde_json::from_str(line).map_err(|error| error.to_string().replace("line 1 ", ""))?;
        if line.log_tail.is_none() && line.terminated.exit_code.is_none() && line.terminated.reason.is_none()
        {
            return Err("neither `terminated` nor `logTail` is given".into());
        }
        let label = line.label.as_deref().map(label).transpose()?;
        let kind = line.network_kind.as_deref().map(kind).transpose()?;
        let TerminatedFields { reason, exit_code, signal, message } = line.terminated;
        let terminated = Terminated {
            exit_code: exit_code.unwrap_or_default(),
            signal,
            reason: reason.unwrap_or_default(),
            message: message.unwrap_or_default(),
            ..Terminated::default()
        };
        let event = |e: EventFields| PodEvent { reason: e.reason, message: e.message, ..PodEvent::default() };
        let mut termination = Termination::new(terminated, line.log_tail.unwrap_or_default());
        termination.waiting = line.waiting.map(|waiting| waiting.reason).unwrap_or_default();
        termination.events = line.events.into_iter().map(event).collect();
        Ok(Self { id: line.id, termination, label, kind })
    }

    /// Whether the line was meant as a case, valid or not.
    pub(crate) fn looks_like_one(line: &str) -> bool {
        line.starts_with('{') && ["\"terminated\"", "\"logTail\""].iter().any(|key| line.contains(key))
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
            (r#"{"id": 3, "logTail": ""}"#, "column 8"),
            (r#"{"id": "a"}"#, "neither `terminated` nor `logTail` is given"),
            (r#"{"logTail": "", "label": "netwrk"}"#, "unknown label `netwrk`; use one of network, oom"),
            (r#"{"logTail": "", "network_kind": "gone"}"#, "unknown network_kind `gone`; use one of refused"),
            (r#"{"logTail": "x"#, "column 14"),
        ] {
            let error = Case::read(line).err().unwrap_or_default();
            assert!(error.contains(said), "{line}: {error}");
        }
    }
}
