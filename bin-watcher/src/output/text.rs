//! Text for people.

/// A number with its noun: `1 replica`, `3 replicas`.
pub(crate) fn counted(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// `text` with a space for each control character. A line feed of a quoted log then splits no line,
/// and no escape sequence reaches the terminal.
pub(crate) fn without_control_chars(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
