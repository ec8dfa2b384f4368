//! One field of a described format: where its value comes from, and what is done to it.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use regex::Regex;
use serde_json::Value;

use super::field_path::FieldPath;
use super::format_row::{ConvertedRow, FieldRow};
use super::located::Located;
use crate::time::{self, TimeReader};

/// A compiled field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    pub(super) sources: Vec<Source>,
    join: Option<String>,
    capture: Option<Regex>,
    map: Vec<(String, String)>,
    times: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Alert(FieldPath),
    Around(FieldPath),
    /// The name of a member on the way to the alert, counted from 1 at the alert.
    Member(usize),
    Document(FieldPath),
    Constant(Value),
}

impl Source {
    fn value<'v>(&'v self, at: &'v Located<'v>) -> Option<&'v Value> {
        match self {
            Source::Alert(path) => path.first(at.alert),
            Source::Around(path) => at.around().find_map(|value| path.first(value)),
            Source::Document(path) => path.first(at.document),
            Source::Constant(text) => Some(text),
            Source::Member(_) => None,
        }
    }
}

impl Field {
    pub(super) fn compile(row: &FieldRow) -> Result<Self, String> {
        let (mut sources, converted) = match row {
            FieldRow::Sources(sources) => {
                let sources = sources.as_slice().iter().map(|text| source(text, Source::Alert));
                (sources.collect::<Result<Vec<_>, _>>()?, ConvertedRow::default())
            }
            FieldRow::Converted(converted) => (Vec::new(), converted.clone()),
        };
        for (texts, wrap) in [
            (&converted.from, Source::Alert as fn(FieldPath) -> Source),
            (&converted.around, Source::Around),
            (&converted.document, Source::Document),
        ] {
            for text in texts.iter().flat_map(|texts| texts.as_slice()) {
                sources.push(source(text, wrap)?);
            }
        }
        for level in converted.member.iter().flat_map(|levels| levels.as_slice()) {
            if *level == 0 {
                return Err("`member` counts from 1, the name of the alert itself".to_owned());
            }
            sources.push(Source::Member(*level));
        }
        if sources.is_empty() {
            return Err("a field has no source: write a path such as $.title, or a constant".to_owned());
        }
        let capture = converted.capture.as_deref().map(Regex::new).transpose();
        let capture = capture.map_err(|error| format!("`capture` is not a regular expression: {error}"))?;
        if capture.as_ref().is_some_and(|regex| regex.captures_len() < 2) {
            return Err("`capture` has no group: put the value in parentheses".to_owned());
        }
        Ok(Self {
            sources,
            join: converted.join,
            capture,
            map: converted.map.into_iter().collect(),
            times: converted.time.iter().flat_map(|times| times.as_slice()).cloned().collect(),
        })
    }

    /// Whether the field needs what is around the alert.
    pub(super) fn is_located(&self) -> bool {
        self.sources.iter().any(|source| matches!(source, Source::Around(_) | Source::Member(_)))
    }

    /// The values that exist, the first source first. The name of a member is not a value.
    pub(super) fn values<'v>(&'v self, at: &'v Located<'v>) -> impl Iterator<Item = &'v Value> {
        self.sources.iter().filter_map(|source| source.value(at))
    }

    /// The texts that exist, the first source first.
    fn texts<'v>(&'v self, at: &'v Located<'v>) -> impl Iterator<Item = Cow<'v, str>> {
        self.sources.iter().filter_map(|source| match source {
            Source::Member(level) => at.member(*level).map(Cow::Borrowed),
            source => scalar(source.value(at)?),
        })
    }

    /// The first text that is not empty, or all of them joined, captured and mapped. `None` also if
    /// no word of the map is the value's.
    pub(super) fn text<'v>(&'v self, at: &'v Located<'v>) -> Option<Cow<'v, str>> {
        if let Some(join) = &self.join {
            let texts = self.texts(at).filter(|text| !text.trim().is_empty());
            return self.converted(Cow::Owned(texts.collect::<Vec<_>>().join(join.as_str())));
        }
        self.texts(at).find_map(|text| self.converted(text))
    }

    fn converted<'v>(&'v self, text: Cow<'v, str>) -> Option<Cow<'v, str>> {
        let text = match &self.capture {
            Some(regex) => Cow::Owned(regex.captures(&text)?.get(1)?.as_str().to_owned()),
            None => text,
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return None;
        }
        if self.map.is_empty() {
            return Some(if trimmed.len() == text.len() { text } else { Cow::Owned(trimmed.to_owned()) });
        }
        let find = |wanted: &str| self.map.iter().find(|(word, _)| word.eq_ignore_ascii_case(wanted));
        find(trimmed).or_else(|| find("*")).map(|(_, meaning)| Cow::Borrowed(meaning.as_str()))
    }

    /// Whether words are mapped.
    pub(super) fn has_map(&self) -> bool {
        !self.map.is_empty()
    }

    /// The first time; the text of the first value that is none.
    pub(super) fn time(&self, at: &Located<'_>, times: &TimeReader) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.text(at) else { return Ok(None) };
        let parsed =
            self.times.iter().find_map(|format| by_format(&text, format, times)).or_else(
                || match without_utc(&text) {
                    Some(utc) => TimeReader::default().parse(utc),
                    None => times.parse(&text),
                },
            );
        match parsed.or_else(|| TIMES.iter().find_map(|format| by_format(&text, format, times))) {
            Some(at) => Ok(time::unless_zero(at)),
            None => Err(text.into_owned()),
        }
    }
}

/// Formats of times that exports have beside RFC 3339.
const TIMES: [&str; 14] = [
    "%Y-%m-%d %H:%M:%S%.f %z %Z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a %b %d %H:%M:%S %Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y.%m.%d %H:%M:%S",
    "%d/%b/%y %I:%M %p",
    "%Y-%m-%d %H:%M",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d, %Y, %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%a, %d %b %Y %H:%M:%S",
    "%Y-%m-%d %I:%M:%S %p",
];

/// A time without the name of its zone, if that is UTC.
fn without_utc(text: &str) -> Option<&str> {
    text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"))
}

/// Whether the text begins as times of the format do and has as many commas. Most formats do not
/// fit, and finding that out by reading costs more.
fn may_fit(text: &str, format: &str) -> bool {
    let is_word = || text.trim_start().starts_with(char::is_alphabetic);
    let begins = match format.get(..2) {
        Some("%a" | "%b") => is_word(),
        Some("%Y" | "%d" | "%m") => !is_word(),
        _ => true,
    };
    let commas = |text: &str| text.bytes().filter(|byte| *byte == b',').count();
    begins && commas(text) == commas(format)
}

/// A time by a format. Without an offset in the format it is in the zone of `times`, or in UTC if
/// the text says so.
fn by_format(text: &str, format: &str, times: &TimeReader) -> Option<Timestamp> {
    if !may_fit(text, format) {
        return None;
    }
    let utc = without_utc(text);
    let parsed = strtime::parse(format, utc.unwrap_or(text)).ok()?;
    parsed.to_timestamp().ok().or_else(|| {
        let civil: DateTime = parsed.to_datetime().ok()?;
        if utc.is_some() { Offset::UTC.to_timestamp(civil).ok() } else { times.in_zone(civil) }
    })
}

fn source(text: &str, path: fn(FieldPath) -> Source) -> Result<Source, String> {
    Ok(match text.starts_with('$') {
        true => path(FieldPath::parse(text)?),
        false => Source::Constant(Value::String(text.to_owned())),
    })
}

/// A value as text: strings, numbers and booleans.
pub(super) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}
