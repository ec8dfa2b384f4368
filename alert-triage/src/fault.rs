//! Why a line or a record is malformed.

use thiserror::Error;

/// The longest plain line that is read, in bytes without its line end: 64 KiB.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Maximum number of malformed lines and records that a report lists; the others are only counted
/// by kind.
pub const MAX_MALFORMED_KEPT: usize = 1_000;

/// Why a line or a record is malformed. The message completes "it …" and ends with the fix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Longer than [`MAX_LINE_BYTES`].
    #[error("is longer than {MAX_LINE_BYTES} bytes: split the line, or check that the file has line ends")]
    TooLong,
    /// Not valid UTF-8.
    #[error("is not valid UTF-8 at byte {byte}: save the file as UTF-8")]
    NotUtf8 {
        /// The first invalid byte of the line, from 1.
        byte: usize,
    },
    /// Contains NUL or another control character. A tab counts only inside a captured field.
    #[error("contains the control character \\u{{{:x}}}: remove it", u32::from(*.0))]
    Control(char),
    /// Matches no template, not even its first word.
    #[error(
        "does not begin with `{literal}`: write `{template}`, or describe your lines with a template in --rules"
    )]
    NoTemplate {
        /// How it should begin.
        literal: String,
        /// The template that matched most of the line.
        template: String,
    },
    /// Lacks a later literal of the template.
    #[error("has no `{literal}` followed by a blank: write `{template}`")]
    NoLiteral {
        /// What is missing.
        literal: String,
        /// The template that matched most of the line.
        template: String,
    },
    /// A capture is empty.
    #[error("has no {field}: write `{template}`")]
    EmptyField {
        /// The capture's name.
        field: String,
        /// The template that matched most of the line.
        template: String,
    },
    /// Has no name where the template has `{alert}`.
    #[error("has no alert name: write `{template}`")]
    NoAlert {
        /// The template that matched most of the line.
        template: String,
    },
    /// The alert name has characters other than letters, digits, `_`, `-` and `.`.
    #[error(
        "has an alert name with characters other than letters, digits, `_`, `-` and `.`: put a blank after the name"
    )]
    NotAName,
    /// JSON that does not parse.
    #[error("is not valid JSON at column {column}: {message}; correct it there, or choose another --format")]
    NotJson {
        /// The byte of the line at which parsing failed, from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// The document ends inside a value.
    #[error(
        "ends at byte {byte}, in the middle of a JSON value: the complete values before it were read; fetch the rest again"
    )]
    Cut {
        /// The byte of the line at which the document ends, from 1.
        byte: usize,
    },
    /// YAML that does not parse.
    #[error("is not valid YAML: {message}; the complete elements before it were read; correct it there")]
    NotYaml {
        /// The parser's message.
        message: String,
    },
    /// JSON that is not an object where an alert is expected.
    #[error("holds {found} where an alert object is expected: write {{\"alertname\": …}}")]
    NotAnObject {
        /// What is there.
        found: &'static str,
    },
    /// Nests deeper than 64 levels.
    #[error("nests deeper than 64 levels, the limit: flatten it")]
    TooDeep,
    /// A required field is absent or empty.
    #[error("has no {field}, or an empty one: set it")]
    Missing {
        /// Its name in that format.
        field: &'static str,
    },
    /// An object without an alert name.
    #[error(
        "has {fields}, but no name (labels.alertname, alertname, alert or name): add one, or map a field with a format in \
         --rules, such as `{{id: mine, detect: [$.{example}], name: $.{example}}}` under `formats:`"
    )]
    NoName {
        /// The fields that it has, some of them.
        fields: String,
        /// The field that is most likely the name.
        example: String,
    },
    /// An answer that reports an error and no alerts.
    #[error("is an error and not an alert, the source answered {answer}: fetch the alerts again")]
    ErrorAnswer {
        /// The error, quoted.
        answer: String,
    },
    /// A field of another type than its format says.
    #[error("has {field} that is {found}, not a string: write a string")]
    NotAString {
        /// Its name, for a label `label NAME`.
        field: String,
        /// What is there.
        found: &'static str,
    },
    /// A time that does not parse.
    #[error("has {field} `{value}`, which is not a time: write 2026-11-23T06:51:59Z or seconds since 1970")]
    BadTime {
        /// Its name.
        field: &'static str,
        /// The value, truncated.
        value: String,
    },
    /// A state that the format does not know.
    #[error("has the state `{value}`: known states are {known}")]
    BadState {
        /// The value, truncated.
        value: String,
        /// The values that are accepted.
        known: &'static str,
    },
    /// JSON whose fields match none of the formats.
    #[error(
        "is JSON of an unknown format: name it with --format, or write one object per alert with `alertname` or `labels`"
    )]
    NoFormat,
    /// An alert in a format that is described by data.
    #[error("is in the format {format}, but {problem}")]
    Mapped {
        /// The id of the format.
        format: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The line does not begin with a syslog priority.
    #[error("is not a syslog line: begin it with <priority>, a number from 0 to 191")]
    NotSyslog,
    /// The crate was built without the `syslog` feature.
    #[error("is syslog, and alert-triage was built without the `syslog` feature: enable the feature")]
    SyslogDisabled,
}

impl Fault {
    /// A short stable word to count by, such as `no-template`.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::TooLong => "too-long",
            Fault::NotUtf8 { .. } => "not-utf8",
            Fault::Control(_) => "control-character",
            Fault::NoTemplate { .. } | Fault::NoLiteral { .. } => "no-template",
            Fault::EmptyField { .. } => "empty-field",
            Fault::NoAlert { .. } => "no-alert",
            Fault::NotAName => "not-a-name",
            Fault::NotJson { .. } => "not-json",
            Fault::NotYaml { .. } => "not-yaml",
            Fault::Cut { .. } => "cut",
            Fault::NotAnObject { .. } => "not-an-object",
            Fault::TooDeep => "too-deep",
            Fault::Missing { .. } => "missing-field",
            Fault::NoName { .. } => "no-name",
            Fault::ErrorAnswer { .. } => "error-answer",
            Fault::NotAString { .. } => "not-a-string",
            Fault::BadTime { .. } => "bad-time",
            Fault::BadState { .. } => "bad-state",
            Fault::NoFormat => "no-format",
            Fault::Mapped { .. } => "mapped",
            Fault::NotSyslog => "not-syslog",
            Fault::SyslogDisabled => "syslog-disabled",
        }
    }
}
