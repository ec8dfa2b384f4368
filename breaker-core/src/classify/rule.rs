//! Rules: the rows of the table, as written in YAML and as checked.
//!
//! ```yaml
//! - id: refused                      # unique; a user's row of the same id replaces the built-in one
//!   cause: network                   # any cause; `kind` is required with network only
//!   kind: refused
//!   says: cause                      # cause (default) | hint | symptom | whole | framed
//!   phrases: ["connection refused"]  # whole words, any case; ` ... ` stands for anything between
//!   regex: ['errno[ =:]+-?111\b']    # only where words vary
//!   frames: ["/aiohttp/"]            # only with `says: framed`: parts of stack frames in the same block
//!   examples: ["dial tcp 10.0.0.1:80: connect: connection refused"]
//!   not: ["listen tcp :80: bind: address already in use"]
//! ```
//! `{id: refused, disabled: true}` removes a built-in row.
//!
//! A row with `mask` adds patterns of secrets, which quotes show as `***`:
//!
//! ```yaml
//! - mask: ['acme-[0-9a-f]{20}']
//!   examples: ["token acme-0123456789abcdef0123 was refused"]   # must contain a secret
//! ```
//!
//! A row with `class` instead of `id` adds words to a word class:
//!
//! ```yaml
//! - class: failure                   # operation, remote, failing, failure, local, side-task, ..
//!   kind: reset                      # how the network failed; required with the classes of failures
//!   cause: config                    # with `subject`, and with a `fault` that names its cause
//!   words: ["cut off"]               # in the form of `phrases`
//!   examples: ["broker cut off the subscription"]   # must be read as the class says
//!   not: ["worker cut off"]
//! ```

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

use super::words::WordClass;
use crate::Cause;
use crate::verdict::NetworkKind;

/// How strongly a match of a row points to its cause; `says` in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Strength {
    /// The match names the cause.
    #[default]
    Cause,
    /// The match suggests a cause, unless another link of the chain names one.
    Hint,
    /// The match reports that the process gave up. Earlier lines are searched for the reason first.
    Symptom,
    /// The match decides wherever in the text it is.
    Whole,
    /// The match names the cause if the block contains one of the row's `frames`.
    Framed,
}

impl Strength {
    /// Whether no other text needs to be searched.
    pub(super) fn names_the_cause(self) -> bool {
        matches!(self, Self::Cause | Self::Framed | Self::Whole)
    }
}

/// A checked row.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) cause: Cause,
    pub(super) kind: Option<NetworkKind>,
    pub(super) strength: Strength,
    pub(super) phrases: Vec<Spanned<String>>,
    pub(super) regex: Vec<Spanned<String>>,
    pub(super) frames: Vec<Spanned<String>>,
    pub(super) examples: Vec<Spanned<String>>,
    pub(super) not: Vec<Spanned<String>>,
    pub(super) disabled: bool,
    pub(super) at: Location,
}

/// A checked row of words.
#[derive(Debug)]
pub(super) struct WordRow {
    pub(super) class: WordClass,
    pub(super) kind: Option<NetworkKind>,
    pub(super) cause: Option<Cause>,
    pub(super) words: Vec<Spanned<String>>,
    pub(super) examples: Vec<Spanned<String>>,
    pub(super) not: Vec<Spanned<String>>,
}

/// A row of patterns of secrets.
#[derive(Debug)]
pub(super) struct MaskRow {
    pub(super) patterns: Vec<Spanned<String>>,
    pub(super) examples: Vec<Spanned<String>>,
}

/// The rows of a rules file.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    pub(super) rules: Vec<Rule>,
    pub(super) words: Vec<WordRow>,
    pub(super) masks: Vec<MaskRow>,
}

/// The error for an invalid rules file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", .line.map(|line| format!("line {line} column {column}: ")).unwrap_or_default())]
#[non_exhaustive]
pub struct RuleError {
    /// Line of the file, from 1; `None` when the fault has no position.
    pub line: Option<u64>,
    /// Column of the line, from 1; 0 when the fault has no position.
    pub column: u64,
    /// The fault, followed by the fix.
    pub message: String,
}

impl RuleError {
    pub(super) fn new(at: Location, message: impl std::fmt::Display) -> Self {
        Self { line: Some(at.line()), column: at.column(), message: message.to_string() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRow {
    id: Option<Spanned<String>>,
    class: Option<Spanned<String>>,
    #[serde(default)]
    mask: Vec<Spanned<String>>,
    cause: Option<Spanned<String>>,
    kind: Option<Spanned<String>>,
    #[serde(default, rename = "says")]
    strength: Strength,
    #[serde(default)]
    phrases: Vec<Spanned<String>>,
    #[serde(default)]
    regex: Vec<Spanned<String>>,
    #[serde(default)]
    frames: Vec<Spanned<String>>,
    #[serde(default)]
    words: Vec<Spanned<String>>,
    #[serde(default)]
    examples: Vec<Spanned<String>>,
    #[serde(default)]
    not: Vec<Spanned<String>>,
    #[serde(default)]
    disabled: bool,
}

/// The rows of `yaml` in their order, each checked on its own. The table compiles the regexes.
pub(super) fn parse(yaml: &str) -> Result<RuleSet, RuleError> {
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(RuleSet::default());
    }
    let rows: Vec<Spanned<FileRow>> = serde_saphyr::from_str(yaml).map_err(|e| {
        let fix = "a rules file is a list of rows with id, cause, kind, says, phrases, regex, frames, examples, not, or with class, kind, words, or with mask";
        let message = e.without_snippet().to_string();
        match e.location() {
            Some(at) => RuleError::new(at, format!("{message}; {fix}")),
            None => RuleError { line: None, column: 0, message: format!("{message}; {fix}") },
        }
    })?;
    let mut set = RuleSet::default();
    let mut seen = std::collections::HashMap::new();
    for Spanned { value: mut row, referenced: at, .. } in rows {
        let patterns = std::mem::take(&mut row.mask);
        match (row.id.take(), row.class.take(), patterns.is_empty()) {
            (Some(id), None, true) => {
                if let Some(first) = seen.insert(id.value.clone(), id.referenced.line()) {
                    let message = format!(
                        "rule id `{}` is already used at line {first}; give this row an id of its own",
                        id.value
                    );
                    return Err(RuleError::new(id.referenced, message));
                }
                set.rules.push(check(row, id)?);
            }
            (None, Some(class), true) => set.words.push(check_words(row, &class)?),
            (None, None, false) => set.masks.push(MaskRow { patterns, examples: row.examples }),
            _ => {
                let message =
                    "a row has one of `id`, `class` and `mask`; name the row, for example `id: ledger-down`";
                return Err(RuleError::new(at, message));
            }
        }
    }
    Ok(set)
}

fn check_words(row: FileRow, class: &Spanned<String>) -> Result<WordRow, RuleError> {
    let at = class.referenced;
    let class = named(&WordClass::ALL, WordClass::as_str, class, "class")?;
    let kind = row
        .kind
        .as_ref()
        .map(|name| named(&NetworkKind::ALL, NetworkKind::as_str, name, "kind"))
        .transpose()?;
    let cause =
        row.cause.as_ref().map(|name| named(&Cause::ALL, Cause::as_str, name, "cause")).transpose()?;
    match (class, cause) {
        (WordClass::Subject, None) => {
            return Err(RuleError::new(at, "a subject needs a cause; add `cause: config` or another"));
        }
        (WordClass::Subject | WordClass::Fault, Some(Cause::Network)) => {
            let message = "network is composed of operations and failures; use `class: failure` and a kind";
            return Err(RuleError::new(at, message));
        }
        (WordClass::Subject | WordClass::Fault, _) | (_, None) => {}
        _ => return Err(RuleError::new(at, "only subjects and faults have a cause; remove it")),
    }
    match (class, kind) {
        (WordClass::Failure | WordClass::NamedFailure | WordClass::FailureOfOperation, None) => {
            return Err(RuleError::new(at, "a failure needs a kind; add `kind: refused` or another"));
        }
        (
            WordClass::Failure
            | WordClass::NamedFailure
            | WordClass::FailureOfOperation
            | WordClass::Operation,
            _,
        )
        | (_, None) => {}
        _ => {
            let message = "only operations and failures have a kind; remove it";
            return Err(RuleError::new(at, message));
        }
    }
    let rule_only = !row.phrases.is_empty() || !row.regex.is_empty();
    if rule_only || !row.frames.is_empty() || row.disabled || row.strength != Strength::Cause {
        let message =
            "a row with `class` has only kind, cause, words, examples and not; give other rows an `id`";
        return Err(RuleError::new(at, message));
    }
    if row.words.is_empty() {
        return Err(RuleError::new(at, "the row has no words; add `words: [..]`"));
    }
    refuse_empty(&row.words)?;
    Ok(WordRow { class, kind, cause, words: row.words, examples: row.examples, not: row.not })
}

fn check(row: FileRow, id: Spanned<String>) -> Result<Rule, RuleError> {
    let (id, at) = (id.value, id.referenced);
    if id.trim().is_empty() {
        return Err(RuleError::new(at, "an id is missing; name the row, for example `ledger-down`"));
    }
    if let Some(word) = row.words.first() {
        let message = format!("rule `{id}` has words, which only a row with `class` has; use `phrases`");
        return Err(RuleError::new(word.referenced, message));
    }
    let cause = match &row.cause {
        Some(name) => named(&Cause::ALL, Cause::as_str, name, "cause")?,
        None if row.disabled => Cause::Unknown,
        None => {
            return Err(RuleError::new(
                at,
                format!("rule `{id}` has no cause; add `cause: network` or another"),
            ));
        }
    };
    let kind = row
        .kind
        .as_ref()
        .map(|name| named(&NetworkKind::ALL, NetworkKind::as_str, name, "kind"))
        .transpose()?;
    match (cause, kind) {
        (Cause::Network, None) if !row.disabled => {
            let message = format!("rule `{id}` is network without a kind; add `kind: refused` or another");
            return Err(RuleError::new(at, message));
        }
        (cause, Some(_)) if cause != Cause::Network => {
            let message = format!("rule `{id}` has a kind, which only cause network has; remove it");
            return Err(RuleError::new(at, message));
        }
        _ => {}
    }
    if !row.disabled && row.phrases.is_empty() && row.regex.is_empty() {
        return Err(RuleError::new(at, format!("rule `{id}` matches nothing; add `phrases` or `regex`")));
    }
    if (row.strength == Strength::Framed) == row.frames.is_empty() {
        let message = format!("rule `{id}`: `says: framed` and `frames` need each other; add or remove one");
        return Err(RuleError::new(at, message));
    }
    refuse_empty(&row.phrases)?;
    refuse_empty(&row.frames)?;
    Ok(Rule {
        id,
        cause,
        kind,
        strength: row.strength,
        phrases: row.phrases,
        regex: row.regex,
        frames: row.frames,
        examples: row.examples,
        not: row.not,
        disabled: row.disabled,
        at,
    })
}

fn refuse_empty(phrases: &[Spanned<String>]) -> Result<(), RuleError> {
    match phrases.iter().find(|phrase| phrase.value.replace("...", "").trim().is_empty()) {
        Some(empty) => Err(RuleError::new(empty.referenced, "an empty phrase matches everything; remove it")),
        None => Ok(()),
    }
}

fn named<T: Copy>(
    all: &[T],
    name_of: fn(T) -> &'static str,
    given: &Spanned<String>,
    what: &str,
) -> Result<T, RuleError> {
    all.iter().copied().find(|t| name_of(*t).eq_ignore_ascii_case(&given.value)).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|t| name_of(*t)).collect();
        let message = format!("unknown {what} `{}`; use one of {}", given.value, names.join(", "));
        RuleError::new(given.referenced, message)
    })
}
