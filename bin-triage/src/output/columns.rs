//! Layout of text in terminal columns. A character takes zero, one or two columns.

use std::cell::Cell;
use std::io::{self, Write};

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

/// Columns of the longest line if the output is not a terminal.
const DEFAULT_WIDTH: usize = 100;

/// The narrowest and the widest layout. A longer line is hard to read, and a narrower terminal
/// wraps.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=160;

thread_local! {
    static WIDTH: Cell<usize> = const { Cell::new(DEFAULT_WIDTH) };
}

/// Columns of the longest line that this thread prints.
pub(super) fn width() -> usize {
    WIDTH.get()
}

/// Sets the width of the lines of this thread: that of the terminal, else the default.
pub(crate) fn set_width(terminal: Option<usize>) {
    WIDTH.set(terminal.map_or(DEFAULT_WIDTH, |columns| columns.clamp(*WIDTHS.start(), *WIDTHS.end())));
}

/// Columns of the terminal that standard output is, if it is one.
pub(crate) fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout())
        .map(|(terminal_size::Width(columns), _)| usize::from(columns))
}

/// Columns that the text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// The text in at most `width` columns; a cut text ends in `…`.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    // The whole text is measured each time: a combining mark can widen the character before it.
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

/// The text after `label`, in lines of at most [`width`] columns that are indented by its width.
pub(super) fn wrapped(label: &str, text: &str) -> Vec<String> {
    let blank = " ".repeat(columns(label));
    wrap(text, label, &blank)
}

/// Writes a sentence in lines of at most [`width`] columns: the first with `indent`, the others
/// with two columns more.
pub(crate) fn write_sentence(out: &mut dyn Write, indent: &str, text: &str) -> io::Result<()> {
    wrap(text, indent, &format!("{indent}  ")).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn wrap(text: &str, first: &str, others: &str) -> Vec<String> {
    // A time or an id that is split at its hyphens cannot be copied.
    let options = textwrap::Options::new(width())
        .initial_indent(first)
        .subsequent_indent(others)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
}

/// Builds one line from the left; text that does not fit is cut.
pub(super) struct LineBuilder {
    text: String,
    used: usize,
    limit: usize,
}

impl LineBuilder {
    /// An empty line that leaves `right` columns free at its end.
    pub(super) fn new(right: usize) -> Self {
        Self { text: String::new(), used: 0, limit: width().saturating_sub(right) }
    }

    /// Frees `by` of those columns.
    pub(super) fn widened(mut self, by: usize) -> Self {
        self.limit = (self.limit + by).min(width());
        self
    }

    /// Columns that are left before the limit.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.used)
    }

    /// Appends styled text.
    pub(super) fn put(mut self, style: Style, text: &str) -> Self {
        let text = cut(text, self.room());
        self.used += columns(&text);
        self.text.push_str(&format!("{style}{text}{style:#}"));
        self
    }

    /// Appends text without style.
    pub(super) fn plain(self, text: &str) -> Self {
        self.put(Style::new(), text)
    }

    /// Appends blanks up to a column.
    pub(super) fn up_to(self, column: usize) -> Self {
        let blanks = " ".repeat(column.saturating_sub(self.used));
        self.plain(&blanks)
    }

    /// Puts the text at the right edge and returns the line.
    pub(super) fn right(mut self, style: Style, text: &str) -> String {
        self.limit = width();
        let at = width().saturating_sub(columns(text));
        self.up_to(at).put(style, text).text
    }

    /// Returns the line.
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
    fn lines_fit_the_width() {
        let long = "東".repeat(70);
        let line = LineBuilder::new(12).plain(&long).right(Style::new(), "lines 1–31");
        assert_eq!(columns(&line), width());
        assert!(line.ends_with("…   lines 1–31"), "{line}");
        for line in wrapped("why  ", &long) {
            assert!(columns(&line) <= width());
        }
    }
}
