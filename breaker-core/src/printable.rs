//! Text of unknown origin, made safe for a terminal, an Event, a status or JSON.

/// Whether a terminal or a browser could obey the character instead of showing it, or show nothing:
/// controls, line separators, controls of the text direction, and characters without width. The
/// joiners that some scripts need (U+200C, U+200D) are none of these.
pub fn is_unprintable(c: char) -> bool {
    c.is_control() || is_separator(c) || is_invisible(c)
}

/// The text on one line: a space for each control and line separator, and nothing for what is
/// invisible. A line feed of a quoted log then splits no line, no escape sequence reaches a
/// terminal, and no text is shown in another order than it has.
///
/// ```
/// use breaker_core::printable::one_line;
/// assert_eq!(one_line("a\nb\u{202e}c"), "a bc");
/// ```
pub fn one_line(text: &str) -> String {
    let visible = text.chars().filter(|c| !is_invisible(*c));
    visible.map(|c| if c.is_control() || is_separator(c) { ' ' } else { c }).collect()
}

fn is_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// Byte-order marks, characters without width, and controls of the text direction.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
