//! Trigger literals of a regex. A regex runs only on lines that contain one of its triggers, which
//! are searched together with the phrases.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

/// Literals of which every match of `pattern` in folded text contains one; `None` if there is no
/// useful set.
pub(super) fn triggers(pattern: &str) -> Option<Vec<String>> {
    let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).ok()?;
    let extract = |kind| Extractor::new().kind(kind).extract(&hir);
    let sets = [extract(ExtractKind::Prefix), extract(ExtractKind::Suffix)];
    sets.iter().filter_map(literals).max_by_key(|set| set.iter().map(String::len).min())
}

fn literals(seq: &Seq) -> Option<Vec<String>> {
    let mut set = Vec::new();
    for literal in seq.literals()? {
        let text = std::str::from_utf8(literal.as_bytes()).ok()?;
        // Folded text has no capitals and no runs of white space.
        if text.len() < MIN_LEN || text.contains(char::is_whitespace) && text.trim().len() < MIN_LEN {
            return None;
        }
        set.push(text.to_ascii_lowercase());
    }
    set.sort();
    set.dedup();
    (!set.is_empty()).then_some(set)
}

/// The minimum length of a trigger, in bytes. Shorter literals occur in too many lines.
const MIN_LEN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_of_a_regex_contains_a_trigger() {
        for (pattern, matches) in [
            (r"(?:errno|os error)[ =:]*-?111\b", "os error 111"),
            (r"->[^ ]+: eof\b", "10.0.0.7:4711->10.0.0.1:5432: eof"),
            (r"(?:status|returned) 50[234]", "returned 503"),
            ("(?i)Timed Out$", "timed out"),
        ] {
            let set = triggers(pattern).expect(pattern);
            assert!(set.iter().any(|literal| matches.contains(literal)), "{pattern}: {set:?}");
        }
        assert_eq!(triggers("[a-z]+"), None);
        assert_eq!(triggers("x|[0-9]*"), None);
    }
}
