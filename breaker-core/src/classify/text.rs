//! Text to classify: cut to size, without colors and control characters, split into lines.

use std::borrow::Cow;

/// The maximum size of a text, in bytes. Of a longer text only the end is classified.
pub(super) const MAX_BYTES: usize = 4096;

/// The last [`MAX_BYTES`] bytes of `text`.
pub(super) fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MAX_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// `text` without ANSI sequences and control characters.
///
/// A carriage return ends a line too, so that a progress bar does not hide what it overwrote. A
/// stack inside a JSON record is split into lines; each one but the first begins with [`JOINED`].
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    // Control characters beyond ASCII begin with this byte.
    let odd = |b: u8| (b < b' ' && b != b'\n' && b != b'\t') || b == 0x7f || b == 0xc2;
    let plain = match text.bytes().any(odd) {
        true => Cow::Owned(without_controls(text)),
        false => Cow::Borrowed(text),
    };
    match plain.lines().any(is_stacked_record) {
        true => Cow::Owned(unstacked(&plain)),
        false => plain,
    }
}

/// Begins a line that continues the JSON record above it. Cleaning removes it from the input.
const JOINED: char = '\u{1f}';

/// A JSON record, perhaps with its beginning cut off, that holds line feeds.
fn is_stacked_record(line: &str) -> bool {
    line.ends_with('}') && line.contains("\\n") && line.contains("\":")
}

fn unstacked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        if is_stacked_record(line) {
            let mut chars = line.chars();
            while let Some(c) = chars.next() {
                match (c, chars.clone().next()) {
                    ('\\', Some(escaped @ ('n' | 't' | 'r' | '"' | '\\' | '/'))) => {
                        chars.next();
                        match escaped {
                            'n' => out.extend(['\n', JOINED]),
                            't' => out.push('\t'),
                            'r' => {}
                            c => out.push(c),
                        }
                    }
                    _ => out.push(c),
                }
            }
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
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
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
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

/// A cleaned text by line, as written and folded.
#[derive(Debug)]
pub(super) struct Text<'t> {
    lines: Vec<Line<'t>>,
    /// Every line folded, each followed by a line feed.
    folded: String,
}

#[derive(Debug)]
struct Line<'t> {
    written: &'t str,
    /// Continues the JSON record of the line above.
    joined: bool,
    from: usize,
    to: usize,
}

impl<'t> Text<'t> {
    pub(super) fn new(cleaned: &'t str) -> Self {
        let mut folded = String::with_capacity(cleaned.len() + cleaned.len() / 8);
        let mut lines = Vec::with_capacity(cleaned.len() / 64 + 1);
        for line in cleaned.lines() {
            let from = folded.len();
            let written = line.strip_prefix(JOINED).unwrap_or(line);
            fold_into(written, &mut folded);
            lines.push(Line { written, joined: written.len() < line.len(), from, to: folded.len() });
            folded.push('\n');
        }
        Self { lines, folded }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn written(&self, line: usize) -> &'t str {
        self.lines[line].written
    }

    /// The number of `line` in the input, from 1. Lines split from a record have the number of that
    /// record.
    pub(super) fn number(&self, line: usize) -> usize {
        self.lines[..=line].iter().filter(|line| !line.joined).count().max(1)
    }

    /// Whether `line` continues the JSON record of the line above it.
    pub(super) fn is_joined(&self, line: usize) -> bool {
        self.lines[line].joined
    }

    pub(super) fn folded(&self, line: usize) -> &str {
        &self.folded[self.span(line)]
    }

    /// The range of `line` in [`Self::all_folded`], without its line feed.
    pub(super) fn span(&self, line: usize) -> std::ops::Range<usize> {
        self.lines[line].from..self.lines[line].to
    }

    pub(super) fn all_folded(&self) -> &str {
        &self.folded
    }
}

/// A line as rules match it: lower case, single spaces, straight apostrophes, JSON escapes decoded.
pub(super) fn fold(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    fold_into(line, &mut out);
    out
}

fn fold_into(line: &str, out: &mut String) {
    let text = line.trim_start();
    if text.len() < line.len() {
        out.push(' ');
    }
    let plain = |pair: &[u8]| {
        let b = pair[0];
        b.is_ascii() && b >= b' ' && b != b'\\' && b != b'`' && pair != b"  "
    };
    let last_plain = text.bytes().next_back().is_none_or(|b| plain(&[b]));
    if last_plain && text.as_bytes().windows(2).all(plain) {
        let from = out.len();
        out.push_str(text);
        out[from..].make_ascii_lowercase();
        return;
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let c = match (c, chars.peek()) {
            ('\\', Some('n' | 't' | 'r')) => {
                chars.next();
                ' '
            }
            ('\\', Some('"' | '\\' | '/' | '\'')) => chars.next().unwrap_or(' '),
            ('\u{2019}' | '\u{2018}' | '`', _) => '\'',
            (c, _) => c,
        };
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned() {
        for (case, text, want) in [
            ("colours", "\u{1b}[31mERROR\u{1b}[0m x", "ERROR x"),
            ("window title", "\u{1b}]0;title\u{7}x", "x"),
            ("windows line ends", "a\r\nb", "a\nb"),
            ("progress bar", "10%\r20%", "10%\n20%"),
            (
                "a stack in JSON",
                r#"{"level":"error","stack":"A: b\n\tat c(\"d\")\nCaused by: e"}"#,
                "{\"level\":\"error\",\"stack\":\"A: b\n\u{1f}\tat c(\"d\")\n\u{1f}Caused by: e\"}\n",
            ),
            ("control characters", "a\0b\u{8}c", "abc"),
        ] {
            assert_eq!(clean(text), want, "{case}");
        }
    }

    #[test]
    fn only_the_end_is_kept() {
        let text = format!("{}é{}", "x".repeat(10), "y".repeat(MAX_BYTES - 1));
        assert_eq!(tail(&text), "y".repeat(MAX_BYTES - 1));
    }

    #[test]
    fn folding_decodes_json_escapes() {
        assert_eq!(fold(r#"a\n\tB  \"C\""#), "a b \"c\"");
    }
}
