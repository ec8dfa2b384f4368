//! The events of standard output: one line for each, flushed at once.

use std::fmt;
use std::io::Write;

use breaker_core::printable::one_line;
use breaker_core::state::Phase;
use breaker_core::text::plural;
use breaker_core::{BreakerEvent, WorkloadRef};
use breaker_kube::crd::BreakerName;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cli::format::LineFormat;

/// An event of the program itself, beside the events of the breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum CliEvent {
    /// The command that restores the replicas.
    Undo {
        /// Quoted for a POSIX shell.
        command: String,
    },
    /// Pods that have not terminated after a trip.
    PodsLeft {
        /// Their names.
        pods: Vec<String>,
    },
    /// A signal stopped the watch.
    Stopped {
        /// `SIGINT` or `SIGTERM`.
        signal: String,
        /// Phase of the breaker.
        phase: Phase,
    },
    /// A fact about the outcome of a command.
    Note {
        /// The fact, as a sentence.
        message: String,
    },
}

impl fmt::Display for CliEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undo { command } => write!(f, "to undo: {command}"),
            Self::PodsLeft { pods } => {
                let verb = if pods.len() == 1 { "has" } else { "have" };
                write!(f, "{} {verb} not terminated: {}", plural(pods.len() as u64, "pod"), pods.join(", "))
            }
            Self::Stopped { signal, phase: Phase::Tripping } => write!(
                f,
                "stopped by {signal} during a trip; a watcher started within a minute finishes the trip if it is \
                 still due"
            ),
            Self::Stopped { signal, phase: Phase::Open } => write!(
                f,
                "stopped by {signal}, open; the workload stays at 0 replicas and is not watched now"
            ),
            Self::Stopped { signal, phase } => {
                write!(
                    f,
                    "stopped by {signal}, {}; the workload is not watched now",
                    phase.as_str().to_lowercase()
                )
            }
            Self::Note { message } => f.write_str(message),
        }
    }
}

/// What an [`EventWriter`] can write: as text, and as a JSON object with the key `event`.
pub(crate) trait OutputEvent: Serialize {
    /// One line of text. It may hold control characters, which the writer removes.
    fn text(&self) -> String;
}

impl OutputEvent for BreakerEvent {
    fn text(&self) -> String {
        // The advice names the flag instead.
        let mut event = self.clone();
        let advice = match &mut event {
            Self::Held(hold) | Self::Heartbeat { held: Some(hold), .. } => {
                let causes = hold.would_trip_with.take().map(|causes| format!("--causes {causes}"));
                let peers = hold.would_trip_with_peers.take().map(|peers| format!("--peers {peers}"));
                [causes, peers].into_iter().flatten().collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        };
        if advice.is_empty() { event.to_string() } else { format!("{event}; {advice} would trip") }
    }
}

impl OutputEvent for CliEvent {
    fn text(&self) -> String {
        self.to_string()
    }
}

/// One line of `-o json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "A line of `watcher -o json`", rename = "EventLine")]
pub(crate) struct EventLine<T> {
    /// When it happened.
    #[schemars(extend("format" = "date-time"))]
    time: String,
    /// `NAMESPACE/NAME` of the CircuitBreaker, in the output of commands for CircuitBreakers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    breaker: Option<String>,
    /// `namespace/kind/name` of the workload, in the output of commands for one workload and in the
    /// events of breakers of the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    workload: Option<String>,
    #[serde(flatten)]
    event: T,
}

/// An event of a breaker, or of the program itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum AnyEvent {
    /// Of a breaker.
    Breaker(BreakerEvent),
    /// Of the program.
    Cli(CliEvent),
}

/// Writes events in one format.
#[derive(Debug)]
pub(crate) struct EventWriter<W> {
    format: LineFormat,
    /// What all lines of JSON name, unless they name a breaker of their own.
    breaker: Option<String>,
    workload: Option<String>,
    out: W,
}

impl<W: Write> EventWriter<W> {
    pub(crate) fn new(format: LineFormat, out: W) -> Self {
        Self { format, breaker: None, workload: None, out }
    }

    /// Names this workload in each JSON line, for readers that see one line at a time.
    pub(crate) fn about_workload(self, workload: &WorkloadRef) -> Self {
        Self { workload: Some(workload.to_string()), ..self }
    }

    /// Names this CircuitBreaker in each JSON line.
    pub(crate) fn about_breaker(self, breaker: &BreakerName) -> Self {
        Self { breaker: Some(breaker.to_string()), ..self }
    }

    /// Writes one line. A failure to write is ignored: a reader that closed the pipe must not stop
    /// the watch.
    pub(crate) fn emit(&mut self, at: Timestamp, event: &impl OutputEvent) {
        self.emit_about(None, None, at, event);
    }

    /// Writes one line about the CircuitBreaker `breaker` and its workload.
    pub(crate) fn emit_about(
        &mut self,
        breaker: Option<&BreakerName>,
        workload: Option<&WorkloadRef>,
        at: Timestamp,
        event: &impl OutputEvent,
    ) {
        let breaker = breaker.map(ToString::to_string);
        let line = match self.format {
            LineFormat::Text => {
                let breaker = breaker.map_or(String::new(), |name| name + " ");
                format!("{at:.0} {}\n", one_line(&(breaker + &event.text())))
            }
            LineFormat::Json => {
                let line = EventLine {
                    time: format!("{at:.3}"),
                    breaker: breaker.or_else(|| self.breaker.clone()),
                    workload: workload.map(ToString::to_string).or_else(|| self.workload.clone()),
                    event,
                };
                match serde_json::to_string(&line) {
                    Ok(json) => json + "\n",
                    Err(error) => return tracing::error!("an event could not be written as JSON: {error}"),
                }
            }
        };
        let _ = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: LineFormat, event: &impl OutputEvent) -> String {
        let mut writer = EventWriter::new(format, Vec::new());
        writer.emit("2026-01-02T03:04:05.678Z".parse().unwrap(), event);
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn a_text_line_begins_with_the_time_and_holds_no_control_characters() {
        let event = BreakerEvent::Warning { message: "two\nlines, \u{1b}[31mred".into() };
        assert_eq!(line(LineFormat::Text, &event), "2026-01-02T03:04:05Z warning: two lines,  [31mred\n");
    }

    /// `triage` explains the alerts of the workload by these lines.
    #[test]
    fn a_line_of_the_controller_names_the_breaker_and_its_workload() {
        let mut writer = EventWriter::new(LineFormat::Json, Vec::new());
        let breaker = BreakerName { namespace: "plant".into(), name: "guard".into() };
        let workload = WorkloadRef::deployment("plant", "tank");
        let at = "2026-01-02T03:04:05.678Z".parse().unwrap();
        writer.emit_about(
            Some(&breaker),
            Some(&workload),
            at,
            &BreakerEvent::Warning { message: "m".into() },
        );
        writer.emit_about(Some(&breaker), None, at, &CliEvent::Note { message: "n".into() });
        let text = String::from_utf8(writer.out).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["breaker"], "plant/guard");
        assert_eq!(lines[0]["workload"], "plant/deployment/tank");
        assert_eq!((&lines[1]["breaker"], lines[1].get("workload")), (&"plant/guard".into(), None));
    }

    #[test]
    fn a_hold_names_the_flags_that_would_trip() {
        let hold = serde_json::json!({
            "event": "held", "reason": "peers", "total": 4, "counted": 0, "threshold": 3, "failing": 0, "need": 1,
            "why": "too few", "wouldTripWith": ["network", "oom"], "wouldTripWithPeers": ["swype-*", "redis:6379"],
        });
        let event: BreakerEvent = serde_json::from_value(hold).unwrap();
        let want = "held: too few; --causes network,oom --peers swype-*,redis:6379 would trip";
        assert_eq!(event.text(), want);
    }

    #[test]
    fn a_json_line_is_one_object_with_time_and_event() {
        for (line, event) in [
            (line(LineFormat::Json, &BreakerEvent::Reset), "reset"),
            (
                line(LineFormat::Json, &BreakerEvent::Contested { by: "argo\ncd".into(), replicas: 2 }),
                "contested",
            ),
            (line(LineFormat::Json, &CliEvent::PodsLeft { pods: vec!["a".into()] }), "pods_left"),
        ] {
            let parsed: EventLine<AnyEvent> = serde_json::from_str(&line).unwrap();
            assert_eq!(serde_json::to_string(&parsed).unwrap() + "\n", line);
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["time"], "2026-01-02T03:04:05.678Z");
            assert_eq!(object["event"], event);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
        }
    }

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        EventWriter::new(LineFormat::Text, Gone).emit(Timestamp::UNIX_EPOCH, &BreakerEvent::Reset);
    }
}
