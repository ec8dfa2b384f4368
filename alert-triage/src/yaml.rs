//! YAML files of rules and tests, parsed strictly, with line and column in every error.

use std::fmt;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde_saphyr::{Location, Spanned};

use crate::printable::printable;

/// A text and its position in the file.
pub(crate) type Text = Spanned<String>;

/// An error in a rules file or a test file, with its position and the fix.
///
/// ```
/// use alert_triage::Rules;
///
/// let yaml = "severities:\n- {id: queue, alert: QueueBacklog, severity: mauve}\n";
/// let error = Rules::parse(yaml).unwrap_err();
/// assert_eq!((error.line(), error.column()), (Some(2), Some(46)));
/// let shown = error.shown("rules.yml", yaml);
/// assert!(shown.starts_with("rules.yml:2:46: `mauve` is not a severity: write critical, "), "{shown}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    at: Option<(u64, u64)>,
    message: String,
}

impl FileError {
    pub(crate) fn at<T>(at: &Spanned<T>, message: impl fmt::Display) -> Self {
        Self::new(Some(at.referenced), message)
    }

    pub(crate) fn nowhere(message: impl fmt::Display) -> Self {
        Self::new(None, message)
    }

    fn new(at: Option<Location>, message: impl fmt::Display) -> Self {
        let at = at.filter(|at| at.line() > 0).map(|at| (at.line(), at.column()));
        Self { at, message: message.to_string() }
    }

    /// The line, from 1; `None` if the error has no position.
    pub fn line(&self) -> Option<u64> {
        self.at.map(|(line, _)| line)
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> Option<u64> {
        self.at.map(|(_, column)| column)
    }

    /// What is wrong and how to fix it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// `FILE:LINE:COLUMN: message`, then the line of `yaml` with a caret under the column. All
    /// lines are printable.
    pub fn shown(&self, file: &str, yaml: &str) -> String {
        let message = printable(&self.message);
        let file = printable(file);
        let Some((line, column)) = self.at else { return format!("{file}: {message}") };
        let mut shown = format!("{file}:{line}:{column}: {message}");
        let text = yaml.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
        // Shows the text around the column. Each character takes one column.
        let from = (column as usize).saturating_sub(60);
        let part: String =
            text.chars().skip(from).take(90).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let is_tame = printable(&part) == part;
        if is_tame && !part.trim().is_empty() {
            let (gutter, mark) = (format!("{line} | "), (column as usize).saturating_sub(1 + from));
            shown.push_str(&format!("\n{gutter}{part}\n{:>1$}", "^", gutter.len() + mark + 1));
        }
        shown
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.at {
            write!(f, "line {line} column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for FileError {}

/// A span such as `90s`, `1h30m` or `7d`; a day has 24 hours.
pub(crate) fn span(text: &str) -> Option<SignedDuration> {
    let span: Span = text.parse().ok()?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// A span longer than zero; `like` holds examples for the error message.
pub(crate) fn positive_span(text: &Text, like: &str) -> Result<SignedDuration, FileError> {
    span(&text.value).filter(SignedDuration::is_positive).ok_or_else(|| {
        // Whether the span would be valid with fewer digits.
        let short = text.value.chars().fold((String::new(), false), |(mut short, after_digit), c| {
            let is_digit = c.is_ascii_digit();
            if !is_digit || !after_digit {
                short.push(if is_digit { '1' } else { c });
            }
            (short, is_digit)
        });
        let is_long = short.0 != text.value && span(&short.0).is_some_and(|span| span.is_positive());
        let is_long = is_long && text.value.chars().any(|c| matches!(c, '1'..='9'));
        let why = if is_long { "is too long" } else { "is not a span longer than zero" };
        FileError::at(text, format!("`{}` {why}: write {like}", text.value))
    })
}

/// Parses a file. An empty file gives the default.
pub(crate) fn parse<T: DeserializeOwned + Default>(yaml: &str) -> Result<T, FileError> {
    let is_empty = |line: &str| {
        let line = line.trim_matches('\u{feff}').trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    };
    if yaml.lines().all(is_empty) {
        return Ok(T::default());
    }
    serde_saphyr::from_str(yaml).map_err(|error| {
        let message = error.without_snippet().to_string();
        FileError::new(error.location(), words(&message))
    })
}

/// The parser's message in plain words.
fn words(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let text = match message {
        "expected sequence start" => "a list belongs here: write `- …` lines, or [a, b]",
        "expected mapping start" => "fields belong here: write `name: value` lines, or {name: value}",
        "expected string scalar" => "a text belongs here",
        "invalid u64" | "invalid usize" => "a whole number belongs here, zero or more",
        _ if message.starts_with("cannot deserialize null") => "a text belongs here, and nothing is written",
        _ if message.starts_with("multiple YAML documents") => {
            "a second document begins before this line: put everything into one"
        }
        _ => "",
    };
    if !text.is_empty() {
        return text.to_owned();
    }
    if let Some(key) = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(',').next())
    {
        return format!("`{key}` is given twice: remove one");
    }
    if message.starts_with("missing field ") {
        return format!("{message}: write it");
    }
    if message.ends_with("found a tab") {
        return format!("{message}: indent with blanks");
    }
    message.to_owned()
}

/// Deserializes null as the default: the value of a section whose rows are all commented out.
pub(crate) fn or_empty<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_column() {
        let error = FileError { at: Some((2, 3)), message: "is wrong".to_owned() };
        assert_eq!(error.shown("r.yml", "a\nb\tc\n"), "r.yml:2:3: is wrong\n2 | b c\n      ^");
        assert_eq!(
            error.shown("r.yml", "a\nb \u{1b}c\n"),
            "r.yml:2:3: is wrong",
            "no line that could be obeyed"
        );
        let far = FileError { at: Some((1, 500)), message: "is wrong".to_owned() };
        let shown = far.shown("r.yml", &"é".repeat(600));
        assert!(shown.lines().all(|line| line.chars().count() < 100), "{shown}");
    }
}
