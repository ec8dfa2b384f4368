//! Text by the columns it takes on a terminal, where a letter may take none, one or two.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

/// Columns of every line.
pub(super) const WIDTH: usize = 100;

pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// At most so many columns; what was cut ends in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    // Measured as a whole each time: a mark can widen the letter before it.
    for c in text.chars() {
        cut.push(c);
        if columns(&cut) + 1 > width {
            cut.pop();
            break;
        }
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// Lines of at most [`WIDTH`] columns that begin under each other, behind `label`.
pub(super) fn wrapped(label: &str, text: &str) -> Vec<String> {
    let blank = " ".repeat(columns(label));
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(label)
        .subsequent_indent(&blank)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// One line, put together from the left; what does not fit is cut.
pub(super) struct Line {
    text: String,
    used: usize,
    limit: usize,
}

impl Line {
    /// Leaves `right` columns free at the end.
    pub(super) fn new(right: usize) -> Self {
        Self { text: String::new(), used: 0, limit: WIDTH.saturating_sub(right) }
    }

    /// So many columns more.
    pub(super) fn widened(mut self, by: usize) -> Self {
        self.limit = (self.limit + by).min(WIDTH);
        self
    }

    /// Columns that are left.
    pub(super) fn room(&self) -> usize {
        self.limit - self.used
    }

    pub(super) fn put(mut self, style: Style, text: &str) -> Self {
        let text = cut(text, self.room());
        self.used += columns(&text);
        self.text.push_str(&format!("{style}{text}{style:#}"));
        self
    }

    pub(super) fn plain(self, text: &str) -> Self {
        self.put(Style::new(), text)
    }

    /// Blanks up to that column.
    pub(super) fn up_to(self, column: usize) -> Self {
        let blanks = " ".repeat(column.saturating_sub(self.used));
        self.plain(&blanks)
    }

    /// The text at the right edge, and the end of the line.
    pub(super) fn right(mut self, style: Style, text: &str) -> String {
        self.limit = WIDTH;
        let at = WIDTH.saturating_sub(columns(text));
        self.up_to(at).put(style, text).text
    }

    pub(super) fn end(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_columns() {
        for (text, width, want) in [
            ("abc", 5, "abc"),
            ("abcdef", 4, "abc…"),
            ("東京東京", 5, "東京…"),
            ("東京東京", 4, "東…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("\u{2601}\u{fe0f}\u{2601}\u{fe0f}", 3, "\u{2601}\u{fe0f}…"),
            ("abc", 0, ""),
        ] {
            assert_eq!(cut(text, width), want, "{text} in {width}");
            assert!(columns(&cut(text, width)) <= width);
        }
    }

    #[test]
    fn lines_never_outgrow_the_width() {
        let long = "東".repeat(70);
        let line = Line::new(12).plain(&long).right(Style::new(), "lines 1–31");
        assert_eq!(columns(&line), WIDTH);
        assert!(line.ends_with("…   lines 1–31"), "{line}");
        for line in wrapped("why  ", &long) {
            assert!(columns(&line) <= WIDTH);
        }
    }
}
