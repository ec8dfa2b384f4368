//! Text to classify: cut to size, split into lines.

use super::unwrap::JOINED;

/// The maximum size of a text that is searched, in bytes. A longer one is folded, and then only its
/// end is searched.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// The maximum size of a text before it is folded, in bytes.
pub(super) const MAX_INPUT: usize = 256 * 1024;

/// The last [`MAX_INPUT`] bytes of `text`.
pub(super) fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(MAX_INPUT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
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
    fn only_the_end_is_kept() {
        let text = format!("{}é{}", "x".repeat(10), "y".repeat(MAX_INPUT - 1));
        assert_eq!(tail(&text), "y".repeat(MAX_INPUT - 1));
    }

    #[test]
    fn folding_decodes_json_escapes() {
        assert_eq!(fold(r#"a\n\tB  \"C\""#), "a b \"c\"");
    }
}
