//! The words a verdict quotes: one line, masked, at most 200 characters.

use super::mask::mask;
use super::words;
use crate::Cause;
use crate::verdict::{Confidence, NetworkKind, Verdict};

/// Longest quote, in characters.
pub(super) const LONGEST: usize = 200;

/// `line` as a quote. When it is too long, the part around `at` (a position in the folded line) is
/// kept.
///
/// Masked before it is cut: half a secret would not be recognised.
pub(super) fn quote(line: &str, at: usize) -> String {
    let one_line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let masked = mask(one_line.trim());
    let length = masked.chars().count();
    if length <= LONGEST {
        return masked;
    }
    // Masking and folding move things a little; a third of the room before the words allows for it.
    let shown = LONGEST - 2;
    let start = at.min(length).saturating_sub(LONGEST / 3).min(length - shown);
    let middle: String = masked.chars().skip(start).take(shown).collect();
    let before = if start > 0 { "…" } else { "" };
    let after = if start + shown < length { "…" } else { "" };
    format!("{before}{middle}{after}")
}

/// A verdict of high confidence that quotes `words`.
pub(super) fn verdict(cause: Cause, kind: Option<NetworkKind>, rule: &str, words: &str) -> Verdict {
    let quote = quote(&words::clean(words::last(words)), 0);
    Verdict { cause, kind, confidence: Confidence::High, rule: rule.into(), quote }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_its_words() {
        let line = format!("{} connection refused {}", "a".repeat(500), "b".repeat(500));
        let quoted = quote(&line, 501);
        assert!(quoted.contains("connection refused"));
        assert_eq!(quoted.chars().count(), LONGEST);
    }

    #[test]
    fn a_quote_is_one_line() {
        assert_eq!(quote("  a\nb\tc ", 0), "a b c");
    }
}
