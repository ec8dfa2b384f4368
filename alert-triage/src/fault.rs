//! Why a line or a record is malformed.

use thiserror::Error;

/// The longest plain line that is read, in bytes, line ending aside.
pub const LINE_LIMIT: usize = 64 * 1024;

/// Why a line or a record is malformed; the message goes on from "it …" and names the fix.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Longer than [`LINE_LIMIT`].
    #[error("is longer than {LINE_LIMIT} bytes: split the line, or check that the file has line ends")]
    TooLong,
    /// `byte` counts from 1, in the line.
    #[error("is no valid UTF-8 at byte {byte}: save the file as UTF-8")]
    NotUtf8 {
        /// Where the line stops being UTF-8, from 1.
        byte: usize,
    },
    /// A NUL or another control character; a tab only inside a captured field.
    #[error("holds the control character \\u{{{:x}}}: remove it", u32::from(*.0))]
    Control(char),
    /// Fits no template from its first word on.
    #[error(
        "does not begin with `{literal}`: write `{template}`, or give the shape of your lines in --rules"
    )]
    NoTemplate {
        /// How it should begin.
        literal: String,
        /// The template that came nearest.
        template: String,
    },
    /// A later literal of the template is missing.
    #[error("has no `{literal}` with a blank behind it where `{template}` has one: write it so")]
    NoLiteral {
        /// What is missing.
        literal: String,
        /// The template that came nearest.
        template: String,
    },
    /// A capture found nothing.
    #[error("names no {field}: write `{template}`")]
    EmptyField {
        /// The capture's name.
        field: String,
        /// The template that came nearest.
        template: String,
    },
    /// No name where the template wants `{alert}`.
    #[error("names no alert: write `{template}`")]
    NoAlert {
        /// The template that came nearest.
        template: String,
    },
    /// The alert's name holds something else than letters, digits, `_`, `-` and `.`.
    #[error("names the alert with other than letters, digits, `_`, `-` and `.`: put a blank behind the name")]
    NotAName,
    /// JSON that does not parse.
    #[error("is no JSON at column {column}: {message}; correct it there, or name another --format")]
    NotJson {
        /// In bytes from 1, in the line named.
        column: usize,
        /// The parser's words.
        message: String,
    },
    /// The document ends inside a value.
    #[error(
        "is cut off at byte {byte}, in the middle of a JSON value: what stood whole before was read, fetch the rest again"
    )]
    Cut {
        /// Where it ends, in the line named, from 1.
        byte: usize,
    },
    /// JSON, but no object where an alert should be.
    #[error("holds {found} where an alert's object should be: write {{\"alertname\": …}}")]
    NotAnObject {
        /// What is there.
        found: &'static str,
    },
    /// Deeper than 64 levels.
    #[error("nests deeper than 64 levels: no alert does")]
    TooDeep,
    /// A needed field is absent or empty.
    #[error("has no {field}, or an empty one: give it")]
    Missing {
        /// Its name in that format.
        field: &'static str,
    },
    /// A field of another type than its format says.
    #[error("has {field} that is {found} and no string: write a string")]
    NotAString {
        /// Its name, for a label `label NAME`.
        field: String,
        /// What is there.
        found: &'static str,
    },
    /// A time that is none.
    #[error("has {field} `{value}`, which is no time: write 2026-11-23T06:51:59Z or seconds since 1970")]
    BadTime {
        /// Its name.
        field: &'static str,
        /// What is there, cut.
        value: String,
    },
    /// A state that the format does not know.
    #[error("has the state `{value}`: known are {known}")]
    BadState {
        /// What is there, cut.
        value: String,
        /// What would do.
        known: &'static str,
    },
    /// JSON of a shape that is none of the formats.
    #[error("is JSON of no format known: give --format, or one alert an object with `alertname` or `labels`")]
    NoFormat,
    /// The syslog header does not parse.
    #[error("is no syslog line: it should begin with <priority>")]
    NotSyslog,
}

impl Fault {
    /// A short stable word for counting and for machines, such as `no-template`.
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
            Fault::Cut { .. } => "cut",
            Fault::NotAnObject { .. } => "not-an-object",
            Fault::TooDeep => "too-deep",
            Fault::Missing { .. } => "missing-field",
            Fault::NotAString { .. } => "not-a-string",
            Fault::BadTime { .. } => "bad-time",
            Fault::BadState { .. } => "bad-state",
            Fault::NoFormat => "no-format",
            Fault::NotSyslog => "not-syslog",
        }
    }
}
