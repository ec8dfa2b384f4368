//! What a text that no rule explains says at its end, and a row of a rules file for it.

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

/// A row that gives `quote` a cause, by the words of the line without numbers and identifiers;
/// `None` if it has none. Whether the row decides on the line is not checked here.
pub(super) fn row(quote: &str, cause: Cause) -> Option<String> {
    let phrase = phrase(quote)?;
    let words = phrase.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let id = words.take(4).collect::<Vec<_>>().join("-").to_lowercase();
    let kind = if cause == Cause::Network { ", kind: unreachable" } else { "" };
    let (phrase, example) = (yaml(&phrase), yaml(quote));
    Some(format!("- {{id: own-{id}, cause: {cause}{kind}, phrases: [{phrase}], examples: [{example}]}}"))
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
            ("panic: card *** is gone for good", Some("is gone for good")),
            ("exit 17", None),
            ("0xdeadbeef1 a b", None),
            ("", None),
        ] {
            assert_eq!(phrase(quote).as_deref(), want, "{quote}");
        }
    }
}
