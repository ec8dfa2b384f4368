//! Phrases: words that a line must contain, in this order.

use super::text::fold;

/// `first ... second ... third`, folded. The table searches `first`; the rest is checked here.
#[derive(Debug)]
pub(super) struct Phrase {
    word_start: bool,
    word_end: bool,
    rest: Box<[Box<str>]>,
}

/// Whether a phrase matches where its first part was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MatchResult {
    /// It matches up to this position.
    Yes(usize),
    NotHere,
    /// Neither here nor later in this line.
    NoMore,
}

impl Phrase {
    /// The phrase, and its first part.
    pub(super) fn new(written: &str) -> (Self, String) {
        let (word_start, word_end) = (!written.starts_with("..."), !written.ends_with("..."));
        let folded = fold(written);
        let mut parts = folded.split("...").map(str::trim).filter(|part| !part.is_empty());
        let start = parts.next().unwrap_or_default().to_owned();
        (Self { word_start, word_end, rest: parts.map(Box::from).collect() }, start)
    }

    /// Whether the parts follow each other, and the outer ends are at word boundaries.
    pub(super) fn matches(&self, line: &str, start: usize, end: usize) -> MatchResult {
        if self.word_start && joined(line, start) {
            return MatchResult::NotHere;
        }
        let Some((last, between)) = self.rest.split_last() else {
            return match self.word_end && joined(line, end) {
                true => MatchResult::NotHere,
                false => MatchResult::Yes(end),
            };
        };
        let mut from = end;
        for part in between {
            let Some(at) = line[from..].find(&**part) else { return MatchResult::NoMore };
            from += at + part.len();
        }
        let mut ends = line[from..].match_indices(&**last).map(|(at, part)| from + at + part.len());
        match ends.find(|end| !(self.word_end && joined(line, *end))) {
            Some(end) => MatchResult::Yes(end),
            None => MatchResult::NoMore,
        }
    }
}

/// Whether a word continues at `at`: both sides are ASCII letters, digits or underscores.
fn joined(text: &str, at: usize) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    at > 0 && word(bytes.get(at - 1)) && word(bytes.get(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(written: &str, line: &str) -> bool {
        let (phrase, first) = Phrase::new(written);
        line.match_indices(&first)
            .any(|(at, part)| matches!(phrase.matches(line, at, at + part.len()), MatchResult::Yes(_)))
    }

    #[test]
    fn a_phrase_matches_whole_words() {
        for (written, line, want) in [
            ("Connection refused", "x: connection refused", true),
            ("refused", "unrefused", false),
            ("refused", "refused_", false),
            ("...refused", "unrefused", true),
            ("time...", "timeout", true),
            ("failed to ... spans", "failed to export 3 spans", true),
            ("failed to ... spans", "failed to export lifespans", true),
            ("failed to ... span", "failed to export spans", false),
            ("a ... b ... c", "a b c", true),
            ("a ... b ... c", "a c b", false),
        ] {
            assert_eq!(matches(written, line), want, "{written} in {line}");
        }
    }
}
