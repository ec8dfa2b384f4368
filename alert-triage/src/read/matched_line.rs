//! The record of a line that a template matches.

use std::borrow::Cow;

use super::status_word::status;
use crate::fault::Fault;
use crate::record::{Record, Status};
use crate::rules::{Rules, Template, TemplateMatch};
use crate::time::TimeReader;

/// The record of a line that a template matches.
pub(super) fn from_match<'l>(
    template: &Template,
    found: &TemplateMatch<'l>,
    rules: &Rules,
    times: &TimeReader,
) -> Result<Record<'l>, Fault> {
    let mut record = Record::firing(match rules.usual_spelling(found.alert) {
        Some(name) => Cow::Owned(name.to_owned()),
        None => Cow::Borrowed(found.alert),
    });
    record.status = Status::Event;
    record.text = Cow::Borrowed(found.text);
    for (part, value) in &found.captures {
        match template.name(*part) {
            "status" => record.status = status(value)?,
            "text" => record.text = Cow::Borrowed(value),
            "time" => {
                let at = times.parse(value);
                let bad = || Fault::BadTime { field: "time", value: (*value).to_owned() };
                record.time = Some(at.ok_or_else(bad)?);
            }
            "_" => {}
            name => record.labels.push((Cow::Owned(name.to_owned()), Cow::Borrowed(value))),
        }
    }
    if !record.text.is_empty() && !template.captures("status") {
        let (status, text) = without_state(&record.text);
        if let Some(status) = status {
            record.text = Cow::Owned(text.to_owned());
            record.status = status;
        }
    }
    Ok(record)
}

/// The state at the end of a text, in brackets or in capitals, and the text before it.
fn without_state(text: &str) -> (Option<Status>, &str) {
    const OPEN: [&str; 5] = ["open", "firing", "new", "active", "reopened"];
    const OVER: [&str; 8] = ["resolved", "closed", "done", "ok", "fixed", "recovered", "clear", "cleared"];
    let (before, last) = text.rsplit_once(char::is_whitespace).unwrap_or(("", text));
    let inside = |open: char, close: char| last.strip_prefix(open)?.strip_suffix(close);
    let bracketed = inside('(', ')').or_else(|| inside('[', ']'));
    let capitals = Some(last).filter(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()));
    let Some(word) = bracketed.or(capitals) else { return (None, text) };
    let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let status = match () {
        () if is(&OPEN) => Status::Firing,
        () if is(&OVER) => Status::Resolved,
        () => return (None, text),
    };
    (Some(status), before.trim_end())
}
