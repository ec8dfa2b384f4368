use std::fmt;

use serde::Serialize;
use thiserror::Error;

use crate::printable;

/// The longest line read, in bytes, without its line ending: 64 KiB.
pub const LINE_LIMIT: usize = 64 * 1024;

/// One accepted line, `Zone {zone}: {alert}`, borrowed from the input.
///
/// ```
/// use alert_triage::{Fault, Record};
///
/// let record = Record::parse(b"Zone OH-1: LLMModelStale model 7 of 9\r\n")?.expect("not blank");
/// assert_eq!((record.zone, record.alert, record.text), ("OH-1", "LLMModelStale", "model 7 of 9"));
/// assert_eq!(Record::parse(b"  \r\n"), Ok(None));
/// assert_eq!(Record::parse(b"Zone OH-1"), Err(Fault::NoColon));
/// # Ok::<(), Fault>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'line> {
    /// Where it happens; not empty, without outer blanks. Its first colon before a blank ends it.
    pub zone: &'line str,
    /// The alert's name: letters, digits, `_`, `-` and `.`, at least one of them a letter or a digit.
    pub alert: &'line str,
    /// What stood behind the name, without outer blanks; often empty, never part of the identity.
    pub text: &'line str,
}

impl<'line> Record<'line> {
    /// Reads one line; `None` is a line of white space only.
    ///
    /// A line ending, a byte order mark at the start and outer white space are stripped. Inside, a tab is a blank
    /// like any other except in the zone. Upper and lower case differ, also in `Zone`.
    ///
    /// # Errors
    /// The first [`Fault`] found. None is repaired or guessed at.
    pub fn parse(line: &'line [u8]) -> Result<Option<Self>, Fault> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_LIMIT {
            return Err(Fault::TooLong);
        }
        let line = str::from_utf8(line).map_err(|fault| Fault::NotUtf8 { byte: fault.valid_up_to() + 1 })?;
        let line = line.strip_prefix('\u{feff}').unwrap_or(line).trim();
        if line.is_empty() {
            return Ok(None);
        }
        if let Some(control) = line.chars().find(|c| c.is_control() && *c != '\t') {
            return Err(Fault::Control(control));
        }

        let rest = line
            .strip_prefix("Zone")
            .filter(|rest| rest.is_empty() || rest.starts_with(|c: char| c == ':' || c.is_whitespace()))
            .ok_or(Fault::NoZone)?;
        let (zone, alert) = split_at_colon(rest).ok_or(Fault::NoColon)?;
        if zone.is_empty() {
            return Err(Fault::EmptyZone);
        }
        if zone.contains('\t') {
            return Err(Fault::Control('\t'));
        }
        if alert.is_empty() {
            return Err(Fault::NoAlert);
        }
        let (alert, text) = alert.split_once(char::is_whitespace).unwrap_or((alert, ""));
        if !is_name(alert) {
            return Err(Fault::NotAName);
        }
        Ok(Some(Record { zone, alert, text: text.trim_start() }))
    }

    /// What makes it the same alert as another record: all but its text.
    pub fn identity(&self) -> Identity {
        Identity { alert: self.alert.to_owned(), scope: Scope { zone: self.zone.to_owned() } }
    }
}

/// Around the first colon that a blank or the end follows: `a:b: X` is the zone `a:b`.
fn split_at_colon(text: &str) -> Option<(&str, &str)> {
    text.match_indices(':')
        .map(|(at, _)| (&text[..at], &text[at + 1..]))
        .find(|(_, after)| after.is_empty() || after.starts_with(char::is_whitespace))
        .map(|(before, after)| (before.trim(), after.trim()))
}

fn is_name(word: &str) -> bool {
    word.chars().any(char::is_alphanumeric)
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Which alert it is: its name and its scope. Names that differ, also in case only, are never merged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Identity {
    /// The alert's name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Where it happens; serialised as `labels`.
    #[serde(rename = "labels")]
    pub scope: Scope,
}

/// Prints as `zone AB: LLMModelStale`, with unsafe characters escaped.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.scope, printable::printable(&self.alert))
    }
}

/// The place within which alerts have to do with each other: here, a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Scope {
    /// The zone as written, without outer blanks; never empty.
    #[serde(serialize_with = "printable::serialize")]
    pub zone: String,
}

/// Prints as `zone AB`, with unsafe characters escaped.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {}", printable::printable(&self.zone))
    }
}

/// Why a line is no record; the message goes on from "the line …" and names the fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
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
    /// A NUL or another control character; a tab only inside a zone.
    #[error("holds the control character \\u{{{:x}}}: remove it", u32::from(*.0))]
    Control(char),
    /// Fits no template from its first word on.
    #[error("does not begin with `Zone `: write `Zone {{zone}}: {{alert}}`")]
    NoZone,
    /// No colon that a blank follows.
    #[error("has no colon and blank behind the zone: write `Zone {{zone}}: {{alert}}`")]
    NoColon,
    /// `Zone : X`.
    #[error("names no zone: write `Zone {{zone}}: {{alert}}`")]
    EmptyZone,
    /// `Zone AB:`.
    #[error("names no alert: write `Zone {{zone}}: {{alert}}`")]
    NoAlert,
    /// The first word behind the zone holds something else than letters, digits, `_`, `-` and `.`.
    #[error("names the alert with other than letters, digits, `_`, `-` and `.`: put a blank behind the name")]
    NotAName,
}

impl Fault {
    /// A short stable word for counting and for machines, such as `no-colon`.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::TooLong => "too-long",
            Fault::NotUtf8 { .. } => "not-utf8",
            Fault::Control(_) => "control-character",
            Fault::NoZone => "no-zone",
            Fault::NoColon => "no-colon",
            Fault::EmptyZone => "empty-zone",
            Fault::NoAlert => "no-alert",
            Fault::NotAName => "not-a-name",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read() {
        for (case, line, want) in [
            ("plain", "Zone AB: LLMModelStale", ("AB", "LLMModelStale", "")),
            ("byte order mark and CR LF", "\u{feff}Zone AB: X1\r\n", ("AB", "X1", "")),
            ("outer blanks", " \t Zone AB: X1 \u{a0} ", ("AB", "X1", "")),
            ("many inner blanks", "Zone  AB :  X1", ("AB", "X1", "")),
            ("tabs for blanks", "Zone\tAB:\tX1\tand more", ("AB", "X1", "and more")),
            ("text behind the name", "Zone AB: X1  at 10:42: slow", ("AB", "X1", "at 10:42: slow")),
            ("blank in the zone", "Zone North East: X1", ("North East", "X1", "")),
            ("colon in the zone", "Zone a:b: X1", ("a:b", "X1", "")),
            ("any script", "Zone 東京: 5xxRate-hoch.é_1", ("東京", "5xxRate-hoch.é_1", "")),
            ("a zone named Zone", "Zone Zone: Zone", ("Zone", "Zone", "")),
        ] {
            let record = Record::parse(line.as_bytes()).expect(case).expect(case);
            assert_eq!((record.zone, record.alert, record.text), want, "{case}");
        }
    }

    #[test]
    fn blank_lines_are_white_space_only() {
        for line in ["", "\n", "\r\n", " \t ", "\u{feff}", "\u{feff}\u{3000}\r\n"] {
            assert_eq!(Record::parse(line.as_bytes()), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn faults_are_told_apart() {
        for (case, line, want) in [
            ("prose", b"something else".as_slice(), Fault::NoZone),
            ("another case", b"zone AB: X1", Fault::NoZone),
            ("a longer word", b"Zones AB: X1", Fault::NoZone),
            ("no colon", b"Zone AB X1", Fault::NoColon),
            ("only the word", b"Zone", Fault::NoColon),
            ("no blank behind the colon", b"Zone AB:X1", Fault::NoColon),
            ("no zone", b"Zone : X1", Fault::EmptyZone),
            ("no zone, no blank", b"Zone: X1", Fault::EmptyZone),
            ("no alert", b"Zone AB: ", Fault::NoAlert),
            ("punctuation", b"Zone AB: X1: slow", Fault::NotAName),
            ("dashes alone", b"Zone AB: ---", Fault::NotAName),
            ("NUL", b"Zone AB: X1\0", Fault::Control('\0')),
            ("escape", b"Zone \x1b[31m: X1", Fault::Control('\u{1b}')),
            ("C1", "Zone AB\u{9b}: X1".as_bytes(), Fault::Control('\u{9b}')),
            ("two lines of an old Mac", b"Zone AB: X1\rZone AB: X2", Fault::Control('\r')),
            ("tab in the zone", b"Zone A\tB: X1", Fault::Control('\t')),
            ("Latin-1", b"Zone Z\xfcrich: X1", Fault::NotUtf8 { byte: 7 }),
            ("UTF-16", b"\xff\xfeZ\0o\0n\0e\0", Fault::NotUtf8 { byte: 1 }),
        ] {
            assert_eq!(Record::parse(line), Err(want), "{case}");
        }
    }

    #[test]
    fn sixty_four_kib_are_read_and_not_a_byte_more() {
        let longest = format!("Zone AB: {}\r\n", "x".repeat(LINE_LIMIT - "Zone AB: ".len()));
        assert!(matches!(Record::parse(longest.as_bytes()), Ok(Some(_))));
        let longer = format!("Zone AB: x{}", &longest["Zone AB: ".len()..]);
        assert_eq!(Record::parse(longer.as_bytes()), Err(Fault::TooLong));
    }

    #[test]
    fn messages_name_the_fix() {
        assert_eq!(Fault::Control('\u{1b}').to_string(), r"holds the control character \u{1b}: remove it");
        assert_eq!(Fault::NoZone.to_string(), "does not begin with `Zone `: write `Zone {zone}: {alert}`");
    }
}
