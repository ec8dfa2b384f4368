//! Unwraps a log: encoding, prefixes before every line, records that contain several lines.
//!
//! The result has the lines that the program wrote. A line that was split from a record, or that
//! continues the record above it, begins with [`JOINED`].

mod encoding;
mod group;
mod header;
mod prefix;
mod record;
mod stamp;

use std::borrow::Cow;

pub(super) use record::JOINED;

/// `text` as the program wrote it.
pub(super) fn unwrap(text: &str) -> Cow<'_, str> {
    let steps: [fn(&str) -> Option<String>; 7] = [
        encoding::clean,
        prefix::strip,
        group::unbox,
        header::join,
        group::unframe,
        group::unmark,
        record::split,
    ];
    let mut unwrapped = Cow::Borrowed(text);
    for step in steps {
        if let Some(changed) = step(&unwrapped) {
            unwrapped = Cow::Owned(changed);
        }
    }
    unwrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_wrapping_is_not_copied() {
        assert!(matches!(unwrap("INFO up\nERROR x: connection refused\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn wrappings_are_removed_inside_each_other() {
        let inner = "2026-06-03 11:20:44,310 - a - ERROR - Traceback (most recent call last):\n\
                     2026-06-03 11:20:44,310 - a - ERROR -   File \"b.py\", line 3, in c\n\
                     2026-06-03 11:20:44,310 - a - ERROR - ValueError: d\n";
        let outer: String = inner
            .lines()
            .map(|line| format!("\u{1b}[32m2026-06-03T11:20:44.5Z\u{1b}[0m stderr F {line}\r\n"))
            .collect();
        assert_eq!(
            unwrap(&outer),
            "2026-06-03 11:20:44,310 - a - ERROR - Traceback (most recent call last):\n\
             \u{1f}  File \"b.py\", line 3, in c\n\
             \u{1f}ValueError: d\n"
        );
    }
}
