//! Lines as people paste them: in lists, tables, quotes and mails, with ticket numbers and in other
//! letters.
//!
//! A line that fits no template is freed of what surrounds it, from the outside in, until a
//! template matches, with its words in any case and its punctuation in the forms that people use. A
//! line that no one can read stays malformed.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::matched_line::from_match;
use crate::record::Record;
use crate::rules::{Rules, TemplateMatch};
use crate::time::TimeReader;

/// The longest line that is searched for an alert, in bytes. People paste lines that they can read.
const MAX_LEN: usize = 1_024;

/// Marks before a line that are taken off at most.
const MAX_MARKS: usize = 8;

/// What stands before the text of a line.
static BEFORE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r##"(?x)^(?:
          \[[\ xX]?\]                                               # a checkbox
          | (?:[-+*>|•·‣▪●○◦–—\#~_`"'“”„‘’«»‹›,;]|[\s\u{a0}])+      # list marks, quotes, bars and blanks
          | </?[A-Za-z][^<>]{0,60}>                                 # a tag
          | :[a-z0-9_+-]+:                                          # an emoji by its name
          | [\p{So}\p{Sk}\u{fe0f}\u{200d}]+
          | @[\w.-]+[:,]?\s                                         # whom it is for
          | [(\[]?\#?\d{1,9}["']?(?:[)\].:,;]+|\s)                       # a number
          | [(\[]?[A-Z][A-Z0-9]{1,9}-?\d{1,9}[)\]]?(?:\s*[:,;|–—-]+)?\s  # a ticket
          | \[(?:[\w.:\#\ -]{1,24})\]                                # [ALERT], [P3], [06:51]
          | \(\#?[\w.-]{1,12}\)\s
          | (?i:new|ticket|tickets|alert|alerts|incident|issue|case|title|summary|subject|fw|fwd|re|alarm|warning|
               notification|page)(?:\s+\#?\d+)?\s*(?:[:|–—-]+\s*|\s)
          | \d{1,2}:\d\d(?::\d\d)?\s*(?i:am|pm)?\s                  # a time of day
          | \p{L}[\w.-]{1,30}:\s                                    # who wrote it
          | \[                                                      # the text of a link
        )"##,
    )
    .ok()
});

/// What stands behind the text of a line.
static BEHIND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r##"(?:[\s\u{a0}|*_`"'“”„‘’«»‹›.,;!]|</?[A-Za-z][^<>]{0,60}>|\]\(https?://[^\s()]*\))+$"##)
        .ok()
});

/// The record of a line that a person pasted, if a template matches a part of it.
pub(super) fn record(line: &str, rules: &Rules, times: &TimeReader) -> Option<Record<'static>> {
    if line.len() > MAX_LEN {
        return None;
    }
    let (before, behind) = (BEFORE.as_ref()?, BEHIND.as_ref()?);
    let line: Cow<'_, str> = match line.contains('\u{a0}') {
        true => Cow::Owned(line.replace('\u{a0}', " ")),
        false => Cow::Borrowed(line),
    };
    let mut rest = line.as_ref();
    if let Some(found) = behind.find(rest) {
        rest = &rest[..found.start()];
    }
    let mut record = None;
    for _ in 0..=MAX_MARKS {
        record = relaxed(rest, rules, times);
        if record.is_some() {
            break;
        }
        rest = &rest[before.find(rest)?.end()..];
    }
    // Several alerts on one line are not one alert with a long text.
    record.filter(|record| !has_alert(&record.text, before, rules, times))
}

/// Whether a text is an alert itself.
fn has_alert(text: &str, before: &Regex, rules: &Rules, times: &TimeReader) -> bool {
    let mut rest = text;
    for _ in 0..=MAX_MARKS {
        if relaxed(rest, rules, times).is_some() {
            return true;
        }
        match before.find(rest) {
            Some(mark) => rest = &rest[mark.end()..],
            None => return false,
        }
    }
    false
}

/// The record by the first template that matches with tolerance.
fn relaxed(line: &str, rules: &Rules, times: &TimeReader) -> Option<Record<'static>> {
    let mut found = TemplateMatch::default();
    rules.table().templates.iter().find_map(|(_, template)| {
        template.match_relaxed(line, &mut found)?;
        // A word of prose is not a name: `zone AB: fine`.
        let is_name =
            found.alert.bytes().any(|byte| !byte.is_ascii_lowercase() && byte != b'-' && byte != b'.');
        if !is_name && rules.usual_spelling(found.alert).is_none() {
            return None;
        }
        from_match(template, &found, rules, times).ok().map(Record::into_owned)
    })
}
