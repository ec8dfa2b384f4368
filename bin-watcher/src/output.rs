//! Standard output: one line for each thing told, flushed at once.

use std::fmt;
use std::io::Write;

use breaker_core::BreakerEvent;
use clap::ValueEnum;
use jiff::Timestamp;
use serde::Serialize;

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// What the binary itself tells beside the breaker's notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(crate) enum Aside {
    /// How to bring it back.
    Undo {
        /// To be pasted into a shell.
        command: String,
    },
    /// After a trip these pods have not gone.
    PodsLeft {
        /// Their names.
        pods: Vec<String>,
    },
    /// A signal ended the watch.
    Stopped {
        /// `SIGINT` or `SIGTERM`.
        signal: String,
        /// Phase of the breaker.
        phase: &'static str,
    },
    /// Something to know about the outcome of a command.
    Note {
        /// What.
        message: String,
    },
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undo { command } => write!(f, "to undo: {command}"),
            Self::PodsLeft { pods } => {
                let noun = if pods.len() == 1 { "pod is" } else { "pods are" };
                write!(f, "{} {noun} still there: {}", pods.len(), pods.join(", "))
            }
            Self::Stopped { signal, phase: "Tripping" } => write!(
                f,
                "stopped by {signal} in the middle of a trip: started again within a minute, the watcher \
                 finishes it if it is still right"
            ),
            Self::Stopped { signal, phase } => {
                write!(f, "stopped by {signal}, {}: nobody watches now", phase.to_lowercase())
            }
            Self::Note { message } => f.write_str(message),
        }
    }
}

/// One thing told: a line of text, or an object with an `event`.
pub(crate) trait Told: fmt::Display + Serialize {}
impl Told for BreakerEvent {}
impl Told for Aside {}

/// Writes what is told.
#[derive(Debug)]
pub(crate) struct Teller<W> {
    format: Format,
    out: W,
}

#[derive(Serialize)]
struct Line<'a, T> {
    time: String,
    #[serde(flatten)]
    told: &'a T,
}

impl<W: Write> Teller<W> {
    pub(crate) fn new(format: Format, out: W) -> Self {
        Self { format, out }
    }

    /// A reader that went away must not end the watch: what cannot be written is dropped.
    pub(crate) fn tell(&mut self, at: Timestamp, told: &impl Told) {
        let line = match self.format {
            Format::Text => format!("{at:.0} {}\n", harmless(&told.to_string())),
            Format::Json => match serde_json::to_string(&Line { time: format!("{at:.3}"), told }) {
                Ok(json) => json + "\n",
                Err(error) => return tracing::error!("a line could not be written as JSON: {error}"),
            },
        };
        let _ = self.out.write_all(line.as_bytes()).and_then(|()| self.out.flush());
    }
}

/// Last words are other people's bytes: no line feed splits a line, no escape reaches the terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(format: Format, told: &impl Told) -> String {
        let mut teller = Teller { format, out: Vec::new() };
        teller.tell("2026-01-02T03:04:05.678Z".parse().unwrap(), told);
        String::from_utf8(teller.out).unwrap()
    }

    #[test]
    fn a_text_line_begins_with_the_time_and_holds_no_control_characters() {
        let notice = BreakerEvent::Warning { message: "two\nlines, \u{1b}[31mred".into() };
        assert_eq!(told(Format::Text, &notice), "2026-01-02T03:04:05Z warning: two lines,  [31mred\n");
    }

    #[test]
    fn a_json_line_is_one_object_with_time_and_event() {
        for (line, event) in [
            (told(Format::Json, &BreakerEvent::Reset), "reset"),
            (
                told(Format::Json, &BreakerEvent::Contested { by: "argo\ncd".into(), replicas: 2 }),
                "contested",
            ),
            (told(Format::Json, &Aside::PodsLeft { pods: vec!["a".into()] }), "pods_left"),
        ] {
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(object["time"], "2026-01-02T03:04:05.678Z");
            assert_eq!(object["event"], event);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
        }
    }

    #[test]
    fn a_reader_that_went_away_is_borne() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        Teller { format: Format::Text, out: Gone }.tell(Timestamp::UNIX_EPOCH, &BreakerEvent::Reset);
    }
}
