//! Texts of limited length.

/// `text` in at most `max_len` bytes (at least 3), with an ellipsis when it was cut.
pub(crate) fn truncate(text: &str, max_len: usize) -> String {
    if text.len() <= max_len {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(max_len - '…'.len_utf8())])
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
}
