//! The formats that output and logs can have.

use clap::ValueEnum;

/// Format of a stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineFormat {
    /// One line of text per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// Format of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// Text.
    Text,
    /// Text; tables have more columns.
    Wide,
    /// One JSON object.
    Json,
    /// One YAML document.
    Yaml,
}

/// Format of explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainFormat {
    /// Text.
    Text,
    /// One JSON array.
    Json,
    /// One JSON object per line.
    Jsonl,
}

impl From<ExplainFormat> for StatusFormat {
    fn from(format: ExplainFormat) -> Self {
        match format {
            ExplainFormat::Text => Self::Text,
            ExplainFormat::Json | ExplainFormat::Jsonl => Self::Json,
        }
    }
}

/// Format of the program's own log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line of text per entry.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// What a JSON Schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaSubject {
    /// One line of `-o json` of run, trip, reset, demo and controller.
    Events,
    /// The CloudEvent sent to a hook or a receiver.
    Notification,
}
