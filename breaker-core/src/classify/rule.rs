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

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};

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
struct RuleRow {
    id: Spanned<String>,
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
    examples: Vec<Spanned<String>>,
    #[serde(default)]
    not: Vec<Spanned<String>>,
    #[serde(default)]
    disabled: bool,
}

/// The rows of `yaml` in their order, each checked on its own. The table compiles the regexes.
pub(super) fn parse(yaml: &str) -> Result<Vec<Rule>, RuleError> {
    if yaml.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let rows: Vec<RuleRow> = serde_saphyr::from_str(yaml).map_err(|e| {
        let fix = "a rules file is a list of rows with id, cause, kind, says, phrases, regex, frames, examples, not";
        let message = e.without_snippet().to_string();
        match e.location() {
            Some(at) => RuleError::new(at, format!("{message}; {fix}")),
            None => RuleError { line: None, column: 0, message: format!("{message}; {fix}") },
        }
    })?;
    let mut rules: Vec<Rule> = Vec::with_capacity(rows.len());
    let mut seen = std::collections::HashMap::new();
    for row in rows {
        if let Some(first) = seen.insert(row.id.value.clone(), row.id.referenced.line()) {
            let message = format!(
                "rule id `{}` is already used at line {first}; give this row an id of its own",
                row.id.value
            );
            return Err(RuleError::new(row.id.referenced, message));
        }
        rules.push(check(row)?);
    }
    Ok(rules)
}

fn check(row: RuleRow) -> Result<Rule, RuleError> {
    let (id, at) = (row.id.value, row.id.referenced);
    if id.trim().is_empty() {
        return Err(RuleError::new(at, "an id is missing; name the row, for example `ledger-down`"));
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
    for phrase in row.phrases.iter().chain(&row.frames) {
        if phrase.value.replace("...", "").trim().is_empty() {
            return Err(RuleError::new(phrase.referenced, "an empty phrase matches everything; remove it"));
        }
    }
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
