//! What a text that no rule explains says at its end, and a row of a rules file for it.

use super::Classifier;
use super::block::blocks;
use super::level::Level;
use super::mask::Masks;
use super::quote::quote;
use super::table::Table;
use crate::Cause;

/// Marks of cuts and masked secrets, which a phrase cannot have.
const MARKS: [char; 2] = ['…', '*'];

/// The longest token that a phrase takes over; a longer one is an identifier.
const MAX_TOKEN_LEN: usize = 40;

/// The fewest letters of a phrase: a shorter one matches too much.
const MIN_LETTERS: usize = 8;

/// The quote of the last statement that claims to be an error, else of the last one, and its line.
pub(super) fn last_words(table: &Table, cleaned: &str, masks: &Masks) -> Option<(String, usize)> {
    let read = table.read(cleaned);
    let blocks = blocks(&read);
    let error = blocks.iter().rev().find(|block| block.level >= Level::Error);
    let line = error.or(blocks.last())?.head;
    let quoted = quote(read.text.written(line), 0, masks);
    (!quoted.is_empty()).then(|| (quoted, read.text.number(line)))
}

impl Classifier {
    /// A row for a file of rules that gives `quote` a cause: the words of the line without numbers and
    /// identifiers. `None` if the line has no such words, or if the row would not decide on it.
    ///
    /// ```
    /// use breaker_core::{Cause, Classifier};
    ///
    /// let row = Classifier::suggest_row("fatal: ledger 4711 lost its quorum", Cause::Application).unwrap();
    /// assert!(row.contains("lost its quorum"), "{row}");
    /// let own = Classifier::with_rules(&row).unwrap();
    /// assert_eq!(own.read("fatal: ledger 9 lost its quorum").cause, Cause::Application);
    /// ```
    pub fn suggest_row(quote: &str, cause: Cause) -> Option<String> {
        let phrase = phrase(quote)?;
        let id: String = phrase
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(4)
            .collect::<Vec<_>>()
            .join("-")
            .to_lowercase();
        let kind = if cause == Cause::Network { ", kind: unreachable" } else { "" };
        let (phrase, example) = (yaml(&phrase), yaml(quote));
        let row =
            format!("- {{id: own-{id}, cause: {cause}{kind}, phrases: [{phrase}], examples: [{example}]}}");
        Self::with_rules(&row).is_ok().then_some(row)
    }
}

/// A JSON string, which YAML reads as the same text.
fn yaml(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The longest run of words that are the same in another restart.
fn phrase(quote: &str) -> Option<String> {
    let varies = |token: &&str| {
        token.len() > MAX_TOKEN_LEN || token.contains(|c: char| c.is_ascii_digit() || MARKS.contains(&c))
    };
    let tokens: Vec<&str> = quote.split_whitespace().collect();
    let run = tokens.split(varies).max_by_key(|run| run.iter().map(|token| token.len()).sum::<usize>())?;
    let outer = |c: char| !c.is_alphanumeric();
    let text = run.join(" ");
    let text = text.trim_matches(outer);
    (text.chars().filter(|c| c.is_alphabetic()).count() >= MIN_LETTERS).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_made_of_the_words_that_do_not_vary() {
        for (quote, want) in [
            (
                "2026-01-02T03:04:05Z FATAL ledger quorum lost at term 17",
                Some("FATAL ledger quorum lost at term"),
            ),
            ("panic: rate card *** is gone for good", Some("is gone for good")),
            ("exit 17", None),
            ("0xdeadbeef1 a b", None),
            ("", None),
        ] {
            assert_eq!(phrase(quote).as_deref(), want, "{quote}");
        }
    }

    #[test]
    fn every_row_that_is_suggested_can_be_used_as_it_is() {
        for quote in [
            "FATAL ledger quorum lost at term 17",
            "he said \"no\" and left: the clerk's desk \\ is empty",
            "fehler: die Wechselstube hat geschlossen #4",
            "Traceback: KeyError('rates') in module pricing.cards",
        ] {
            for cause in [Cause::Network, Cause::Application] {
                let row = Classifier::suggest_row(quote, cause).unwrap_or_else(|| panic!("{quote}"));
                let verdict = Classifier::with_rules(&row).unwrap().read(quote);
                assert_eq!(verdict.cause, cause, "{row}");
            }
        }
    }
}
