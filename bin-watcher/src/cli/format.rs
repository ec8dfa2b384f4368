//! The formats that output and logs can have.

use clap::ValueEnum;

/// Format of a stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineFormat {
    /// One line of text an event.
    Text,
    /// One JSON object a line.
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
    /// One JSON object a line.
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
    /// One line of text an entry.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What a JSON Schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaSubject {
    /// A line of `-o json`.
    Events,
    /// The body of a notification or of a call of the hook, a CloudEvent.
    Notification,
}
