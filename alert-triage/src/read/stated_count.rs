//! Counts in pasted lines: `uniq -c` before a line, `x3` or `(3 times)` behind it.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use crate::record::Record;

/// A count that is the whole text behind a name, or in brackets at its end. A word such as `x86` in
/// a sentence is not a count.
static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?xi)
        ^[x×]\s?(?<alone>\d{1,9})$
        | ^(?<before>\d{1,9})[x×]$
        | (?:^|\s)[(\[](?:repeated\s|seen\s)?(?:[x×]\s?(?<behind>\d{1,9})|(?<times>\d{1,9})\s?(?:[x×]|times))[)\]]$",
    )
    .ok()
});

/// Takes the count out of the text of a line's record. `line` is the line as it was read.
pub(super) fn take(line: &[u8], record: &mut Record<'_>) -> Option<u64> {
    uniq(line).or_else(|| behind(record))
}

/// The count of `uniq -c`, which is aligned to the right: in 7 columns by GNU, in 4 by BSD.
fn uniq(line: &[u8]) -> Option<u64> {
    [7, 4].into_iter().find_map(|width| {
        let (count, rest) = line.split_at_checked(width)?;
        let digits = count.trim_ascii_start();
        let is_count = digits.len() < width && digits.iter().all(u8::is_ascii_digit);
        let is_line = rest.first() == Some(&b' ') && rest.get(1).is_some_and(u8::is_ascii_graphic);
        (is_count && is_line).then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
    })
}

fn behind(record: &mut Record<'_>) -> Option<u64> {
    // Most texts end in a word.
    if !record
        .text
        .ends_with(|last: char| last.is_ascii_digit() || matches!(last, ')' | ']' | 'x' | 'X' | '×'))
    {
        return None;
    }
    let found = BEHIND.as_ref()?.captures(&record.text)?;
    let count = ["alone", "before", "behind", "times"].into_iter().find_map(|name| found.name(name))?;
    let count = count.as_str().parse().ok()?;
    let start = found.get(0)?.start();
    record.text = Cow::Owned(record.text[..start].trim_end().to_owned());
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_uniq_are_aligned_to_the_right() {
        for (line, want) in [
            ("     12 Zone AB: X1", Some(12)),
            ("      1 Zone AB: X1", Some(1)),
            ("  12 Zone AB: X1", Some(12)),
            // Numbers of a list, `cat -n`, and text that is indented.
            ("12 Zone AB: X1", None),
            (" 12 Zone AB: X1", None),
            ("     1\tZone AB: X1", None),
            ("     12", None),
            ("     12  Zone AB: X1", None),
            ("        Zone AB: X1", None),
            ("1234567 Zone AB: X1", None),
            ("", None),
        ] {
            assert_eq!(uniq(line.as_bytes()), want, "{line}");
        }
    }

    #[test]
    fn counts_behind_a_name_are_not_text() {
        for (text, want) in [
            ("x3", (Some(3), "")),
            ("×12", (Some(12), "")),
            ("X 3", (Some(3), "")),
            ("3x", (Some(3), "")),
            ("(3 times)", (Some(3), "")),
            ("(x3)", (Some(3), "")),
            ("[3x]", (Some(3), "")),
            ("slow inflow (repeated 3 times)", (Some(3), "slow inflow")),
            ("failed 3 times", (None, "failed 3 times")),
            ("built for x86", (None, "built for x86")),
            ("(3 hosts)", (None, "(3 hosts)")),
            ("", (None, "")),
        ] {
            let mut record = Record::firing("X1");
            record.text = text.into();
            assert_eq!((behind(&mut record), record.text.as_ref()), want, "{text}");
        }
    }
}
