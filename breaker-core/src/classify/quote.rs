//! Quotes of verdicts: one line, masked, at most 200 characters.

use super::mask::Masks;
use super::text;
use super::unwrap::unwrap;
use crate::Cause;
use crate::printable::one_line;
use crate::verdict::{NetworkKind, Verdict};

/// The maximum length of a quote, in characters.
pub(super) const MAX_CHARS: usize = 200;

/// `line` as a quote. When it is too long, the part around `at` (a position in the folded line) is
/// kept.
///
/// The line is masked before it is cut, because half a secret would not be recognized.
pub(super) fn quote(line: &str, at: usize, masks: &Masks) -> String {
    let masked = masks.mask(one_line(line).trim());
    let length = masked.chars().count();
    if length <= MAX_CHARS {
        return masked;
    }
    // Masking and folding shift positions a little, so a third of the quote is before `at`.
    let shown = MAX_CHARS - 2;
    let start = at.min(length).saturating_sub(MAX_CHARS / 3).min(length - shown);
    let middle: String = masked.chars().skip(start).take(shown).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + shown < length { "…" } else { "" };
    format!("{before}{middle}{after}")
}

/// A verdict of high confidence that quotes `words`.
pub(super) fn verdict(cause: Cause, kind: Option<NetworkKind>, rule: &str, words: &str) -> Verdict {
    let quote = quote(&unwrap(text::tail(words)), 0, &Masks::default());
    Verdict { quote, ..Verdict::new(cause, kind, rule) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_its_words() {
        let line = format!("{} connection refused {}", "a".repeat(500), "b".repeat(500));
        let quoted = quote(&line, 501, &Masks::default());
        assert!(quoted.contains("connection refused"));
        assert_eq!(quoted.chars().count(), MAX_CHARS);
    }

    #[test]
    fn a_quote_is_one_line() {
        assert_eq!(quote("  a\nb\u{202e}\tc ", 0, &Masks::default()), "a b c");
    }
}
