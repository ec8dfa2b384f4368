//! Text of unknown origin, made safe to print.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use serde::Serializer;

/// The longest text an output shows, in characters. A longer text ends in `…` and its length in
/// bytes.
pub const MAX_PRINTABLE_CHARS: usize = 256;

/// Makes input safe to show on a terminal, in a ticket or in a log line.
///
/// Controls (C0, DEL, C1), line separators, invisible and bidirectional marks become `\u{1b}`;
/// bytes that are not UTF-8 become `\xff`. A text longer than [`MAX_PRINTABLE_CHARS`] is truncated,
/// never inside an escape. A backslash is not escaped, so the result cannot be parsed back.
///
/// ```
/// assert_eq!(alert_triage::printable("Zone \u{1b}[31m"), r"Zone \u{1b}[31m");
/// assert_eq!(alert_triage::printable(b"caf\xe9"), r"caf\xe9");
/// ```
pub fn printable(text: impl AsRef<[u8]>) -> String {
    shown(text.as_ref()).into_owned()
}

/// As [`printable`], without a copy for short plain ASCII, which nearly every text is.
pub(crate) fn shown(bytes: &[u8]) -> Cow<'_, str> {
    if bytes.len() <= MAX_PRINTABLE_CHARS && bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return String::from_utf8_lossy(bytes);
    }
    let mut shown = Shown::default();
    let whole = bytes.utf8_chunks().all(|chunk| {
        chunk.valid().chars().all(|c| {
            if is_unsafe(c) { shown.escape(format_args!("\\u{{{:x}}}", u32::from(c))) } else { shown.char(c) }
        }) && chunk.invalid().iter().all(|byte| shown.escape(format_args!("\\x{byte:02x}")))
    });
    if !whole && is_cut(bytes) {
        return String::from_utf8_lossy(bytes);
    }
    if !whole {
        let _ = write!(shown.text, "… ({} bytes)", bytes.len());
    }
    Cow::Owned(shown.text)
}

/// Whether the text was truncated before. It then stays as it is, so that a report that is read and
/// written again has the same bytes.
fn is_cut(text: &[u8]) -> bool {
    let is_number =
        |digits: &str| (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let Ok(text) = str::from_utf8(text) else { return false };
    // Labels with equal shown names get a number.
    let numbered = text.rsplit_once(" #").filter(|(_, number)| is_number(number));
    let text = numbered.map_or(text, |(text, _)| text);
    let Some((start, length)) = text.strip_suffix(" bytes)").and_then(|text| text.rsplit_once("… ("))
    else {
        return false;
    };
    is_number(length) && start.chars().count() <= MAX_PRINTABLE_CHARS && !start.contains(is_unsafe)
}

/// For `#[serde(serialize_with)]`: serializes the text in printable form.
pub(crate) fn serialize<S: Serializer>(text: impl AsRef<[u8]>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&shown(text.as_ref()))
}

/// As [`serialize`], for several texts.
pub(crate) fn serialize_all<S: Serializer>(texts: &[String], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(texts.iter().map(|text| shown(text.as_bytes())))
}

/// Whether the text is a complete link that can be shown as it is: an `http` or `https` URL of
/// printable ASCII, as RFC 3986 has them, without a password.
pub fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty()
            && !host.contains('@')
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`'))
    })
}

/// Whether a terminal could interpret the character, or a reader be misled by it.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Text up to the limit. Every method returns whether there was room.
#[derive(Default)]
struct Shown {
    text: String,
    chars: usize,
}

impl Shown {
    fn char(&mut self, c: char) -> bool {
        let fits = self.chars < MAX_PRINTABLE_CHARS;
        if fits {
            self.text.push(c);
            self.chars += 1;
        }
        fits
    }

    fn escape(&mut self, escape: impl Display) -> bool {
        let escape = escape.to_string();
        let fits = self.chars + escape.len() <= MAX_PRINTABLE_CHARS;
        if fits {
            self.text.push_str(&escape);
            self.chars += escape.len();
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_shown_safely() {
        for (case, text, want) in [
            ("plain", "Zone AB".as_bytes(), "Zone AB"),
            ("letters of the world", "Zürich 東京".as_bytes(), "Zürich 東京"),
            ("escape", b"\x1b[2J", r"\u{1b}[2J"),
            ("C1", "\u{9b}2J".as_bytes(), r"\u{9b}2J"),
            ("right to left override", "A\u{202e}B".as_bytes(), r"A\u{202e}B"),
            ("not UTF-8", b"\xff\xfe!", r"\xff\xfe!"),
        ] {
            assert_eq!(printable(text), want, "{case}");
        }
    }

    #[test]
    fn long_texts_say_how_long_they_are() {
        assert_eq!(printable("é".repeat(256)), "é".repeat(256));
        assert_eq!(printable("é".repeat(257)), format!("{}… (514 bytes)", "é".repeat(256)));
        assert_eq!(printable(format!("{}\0", "x".repeat(252))), format!("{}… (253 bytes)", "x".repeat(252)));
    }

    proptest! {
        /// Law: the output has no control characters and a bounded length.
        #[test]
        fn output_is_tame(bytes: Vec<u8>, text: String) {
            for shown in [printable(bytes), printable(text)] {
                prop_assert!(!shown.chars().any(is_unsafe));
                prop_assert!(shown.chars().count() <= MAX_PRINTABLE_CHARS + 30);
            }
        }
    }
}
