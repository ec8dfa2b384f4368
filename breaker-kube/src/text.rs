//! Texts of limited length.

use breaker_core::printable;

/// `text` in at most `max_len` bytes (at least 3), with an ellipsis when it was cut.
pub(crate) fn truncate(text: &str, max_len: usize) -> String {
    if text.len() <= max_len {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(max_len - '…'.len_utf8())])
}

/// The printable characters of `text` on one line, in at most `max_len` bytes.
pub(crate) fn one_line(text: &str, max_len: usize) -> String {
    truncate(&printable::one_line(text).split_whitespace().collect::<Vec<_>>().join(" "), max_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_shows_that_it_was_cut() {
        assert_eq!(truncate("short", 5), "short");
        assert_eq!(truncate("longer", 5), "lo…");
        assert_eq!(truncate("ééé", 5), "é…");
    }

    #[test]
    fn a_page_becomes_one_line_of_printable_characters() {
        assert_eq!(one_line("<html>\r\n  <h1>502\u{1b}[31m</h1>\n", 99), "<html> <h1>502 [31m</h1>");
        assert_eq!(one_line("a\u{202e}b\u{2028}c", 99), "ab c");
        assert_eq!(one_line(" \n", 99), "");
        assert_eq!(one_line("a  b c", 5), "a b c");
    }
}
