//! Statements: the last words cut into what was said at one time.
//!
//! A stack trace, a chain of causes and their indented lines are one statement; frames and source lines
//! in it say nothing about the cause and are left out.

use std::borrow::Cow;

/// The last words are read to this many bytes from their end.
const MOST_READ: usize = 4096;

/// How loudly a statement was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Progress, or a warning that was lived with.
    Quiet,
    /// An error, or no level at all.
    Loud,
}

/// Something said: its telling lines, outermost first.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    pub(super) lines: Vec<&'a str>,
    pub(super) level: Level,
    /// In a Python chain the first exception is the innermost.
    pub(super) innermost_first: bool,
}

/// Without escapes, carriage returns and other control characters; the last [`MOST_READ`] bytes.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    let text = &text[text.ceil_char_boundary(text.len().saturating_sub(MOST_READ))..];
    if !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => {
                if chars.next_if_eq(&'[').is_some() {
                    while chars.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
                }
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => clean.push('\n'),
            '\n' | '\t' => clean.push(c),
            c if c.is_control() => clean.push(' '),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// The statements in the order in which they were made.
pub(super) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut statements: Vec<Statement<'_>> = Vec::new();
    let mut in_trace = false;
    let mut joined = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        let indented = line.starts_with([' ', '\t']);
        if trimmed.starts_with("Traceback (most recent call last)") {
            if !joined {
                statements.push(Statement { lines: vec![], level: Level::Loud, innermost_first: false });
            }
            (in_trace, joined) = (true, true);
            continue;
        }
        if trimmed.starts_with("File \"") && indented {
            in_trace = true;
            continue;
        }
        if is_frame(trimmed, indented) || (in_trace && indented && !trimmed.starts_with("Caused by")) {
            continue;
        }
        let was_in_trace = std::mem::take(&mut in_trace);
        let python_chain = trimmed.starts_with("During handling of the above")
            || trimmed.starts_with("The above exception was the direct cause");
        let follows = joined || was_in_trace || python_chain || indented || continues(trimmed);
        joined = python_chain;
        if follows && let Some(last) = statements.last_mut() {
            last.innermost_first |= python_chain;
            if !python_chain {
                last.lines.push(trimmed);
            }
            continue;
        }
        statements.push(Statement { lines: vec![trimmed], level: level(trimmed), innermost_first: false });
    }
    statements.retain(|statement| !statement.lines.is_empty());
    statements
}

/// A line that belongs to the statement before it.
fn continues(line: &str) -> bool {
    let numbered =
        line.split_once(": ").is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    numbered
        || [
            "Caused by",
            "caused by",
            "--->",
            "}",
            "]",
            "[cause]",
            "...",
            "cause:",
            "Suppressed:",
            "code:",
            "errno:",
        ]
        .iter()
        .any(|start| line.starts_with(start))
}

/// Where in the program it was, not what happened.
fn is_frame(line: &str, indented: bool) -> bool {
    let starts = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    let only = |allowed: &str| line.chars().all(|c| allowed.contains(c));
    (indented && starts(&["at ", "from ", "in "]))
        || starts(&[
            "--- End of",
            "goroutine ",
            "Node.js v",
            "note: run with",
            "created by ",
            "stack backtrace:",
        ])
        || (line.starts_with("... ") && line.ends_with(" more"))
        || only("^~ -=#.")
        || (line.contains(".go:") && line.contains(" +0x"))
        || is_go_call(line)
        || (line.starts_with('/') && line.contains(".js:") && !line.contains(' '))
        || line.starts_with("node:internal")
        || line.starts_with("node:events")
}

/// `main.main()`, `runtime.mallocgc(0x1000000, 0x1)`.
fn is_go_call(line: &str) -> bool {
    let Some((name, arguments)) = line.split_once('(') else { return false };
    let hex = |argument: &str| argument.trim().starts_with(['{', '0', '.']) || argument.trim().is_empty();
    name.contains('.')
        && !name.contains(' ')
        && arguments.ends_with(')')
        && arguments.trim_end_matches(')').split(',').all(hex)
}

/// The level a logger gave to the line, and words that say it was lived with.
fn level(line: &str) -> Level {
    let head = &line[..line.floor_char_boundary(160)];
    let glog = line.len() > 5 && line.as_bytes()[1..5].iter().all(u8::is_ascii_digit);
    if glog && line.starts_with(['I', 'W']) {
        return Level::Quiet;
    }
    let word = |name: &str| {
        head.match_indices(name).any(|(at, _)| {
            let before = head[..at].chars().next_back();
            let after = head[at + name.len()..].chars().next();
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-');
            edge(before) && edge(after)
        })
    };
    let quiet = ["INFO", "DEBUG", "TRACE", "WARN", "WARNING", "NOTICE", "Note", "Warning"];
    let tagged = [
        "level=info",
        "level=warn",
        "level=debug",
        "\"info\"",
        "\"warn\"",
        "\"warning\"",
        "\"debug\"",
        "[info]",
        "[warn]",
        "[debug]",
        "[notice]",
        "\tinfo\t",
        "\twarn\t",
        "\tdebug\t",
        "info: ",
        "warn: ",
        "\"level\":30",
        "\"level\":40",
        "\"level\":20",
        "npm warn",
    ];
    let lower = line.to_ascii_lowercase();
    let lived_with = [
        "retrying",
        "will retry",
        "retry in",
        "reconnecting",
        "trying again",
        "scheduling reconnect",
        "continuing",
        "falling back",
        "using cache",
        "using local cache",
        "buffering",
        "attempt 1",
        "try 1",
        "try 2",
        "will try again",
        "trying another",
    ];
    let gave_up =
        lower.contains("giving up") || lower.contains("gave up") || lower.contains("max retries exceeded");
    let is_quiet = quiet.iter().any(|name| word(name))
        || tagged.iter().any(|tag| lower[..lower.floor_char_boundary(160)].contains(tag))
        || (!gave_up && lived_with.iter().any(|words| lower.contains(words)));
    if is_quiet { Level::Quiet } else { Level::Loud }
}
