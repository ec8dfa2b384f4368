//! Removes ANSI sequences, control characters and marks of text direction.

use crate::printable::is_invisible;
use std::iter::Peekable;
use std::str::Chars;

/// `text` without ANSI sequences and control characters; `None` if it has none.
///
/// A carriage return ends a line too, so that a progress bar does not hide what it overwrote. The
/// NULs of a UTF-16 text that was read as bytes disappear with the other control characters.
pub(super) fn clean(text: &str) -> Option<String> {
    // Control characters and invisible characters beyond ASCII begin with these bytes.
    let odd = |b: u8| (b < b' ' && b != b'\n' && b != b'\t') || matches!(b, 0x7f | 0xc2 | 0xe2 | 0xef);
    text.bytes().any(odd).then(|| without_controls(text))
}

fn without_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\n' | '\t' => out.push(c),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            c if c.is_control() || is_invisible(c) => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        // CSI: parameters until a final byte.
        Some('[') => {
            chars.next();
            while let Some(c) = chars.peek() {
                if *c == '\n' {
                    break;
                }
                let last = ('\u{40}'..='\u{7e}').contains(c);
                chars.next();
                if last {
                    break;
                }
            }
        }
        // OSC: until BEL or the end of the line.
        Some(']') => {
            while let Some(c) = chars.peek() {
                if *c == '\n' {
                    break;
                }
                if chars.next() == Some('\u{7}') {
                    break;
                }
            }
        }
        Some('(' | ')') => {
            chars.next();
            chars.next();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned() {
        for (case, text, want) in [
            ("colors", "\u{1b}[31mERROR\u{1b}[0m x", "ERROR x"),
            ("window title", "\u{1b}]0;title\u{7}x", "x"),
            ("windows line ends", "a\r\nb", "a\nb"),
            ("progress bar", "10%\r20%", "10%\n20%"),
            ("control characters", "a\0b\u{8}c", "abc"),
            ("UTF-16 read as bytes", "\u{feff}a\0b\0\n\0", "ab\n"),
            ("text direction", "a\u{202e}b\u{2066}c", "abc"),
        ] {
            assert_eq!(clean(text).as_deref(), Some(want), "{case}");
        }
        assert_eq!(clean("plain\ttext\n"), None);
    }
}
