//! The input formats.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The format of an input.
///
#[doc = include_str!("../FORMATS.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// One alert per line, parsed by a template.
    Lines,
    /// One JSON object per line. A line may be a whole payload of another JSON format.
    Jsonl,
    /// Alertmanager's webhook v4, and its API v2: both GET responses and POST bodies.
    Alertmanager,
    /// The response of Prometheus to `/api/v1/alerts`.
    Prometheus,
    /// PagerDuty Events API v2.
    PagerDuty,
    /// CloudEvents 1.0 as JSON, single or in a batch.
    CloudEvents,
    /// Grafana's webhook.
    Grafana,
    /// Syslog lines, RFC 5424 or RFC 3164.
    Syslog,
    /// YAML documents of what is accepted as JSON.
    Yaml,
    /// A format that is described by data: a row of the built-in formats or of the rules.
    /// [`Rules::detect`](crate::Rules::detect) returns it.
    Mapped(MappedId),
}

/// A described format of one set of rules. [`Rules::format_name`](crate::Rules::format_name) has
/// its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MappedId {
    pub(crate) index: u16,
    pub(crate) by_lines: bool,
}

impl Format {
    /// All formats with a reader of their own, in the order of the variants.
    pub const ALL: [Format; 9] = [
        Format::Lines,
        Format::Jsonl,
        Format::Alertmanager,
        Format::Prometheus,
        Format::PagerDuty,
        Format::CloudEvents,
        Format::Grafana,
        Format::Syslog,
        Format::Yaml,
    ];

    /// Whether the format is read line by line, so that an input can be split at any line end.
    pub fn is_lines(self) -> bool {
        match self {
            Format::Mapped(id) => id.by_lines,
            format => matches!(format, Format::Lines | Format::Jsonl | Format::Syslog),
        }
    }

    /// The name that `--format` takes. [`FromStr`] is its inverse, but for `mapped`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Lines => "lines",
            Format::Jsonl => "jsonl",
            Format::Alertmanager => "alertmanager",
            Format::Prometheus => "prometheus",
            Format::PagerDuty => "pagerduty",
            Format::CloudEvents => "cloudevents",
            Format::Grafana => "grafana",
            Format::Syslog => "syslog",
            Format::Yaml => "yaml",
            Format::Mapped(_) => "mapped",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error of parsing a [`Format`] from a name that no format has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is not a format: write one of {}", Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat {
    /// The name.
    pub name: String,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let mut formats = Format::ALL.into_iter();
        formats.find(|format| format.name() == name).ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}
