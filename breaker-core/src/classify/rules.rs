//! The rules: a table of phrases, compiled into one automaton.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use serde::Deserialize;

use crate::{Cause, NetworkKind};

const BUILT_IN: &str = include_str!("rules.yaml");

/// A rules file that cannot be used; the message names line, column and the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

/// What a rule's match weighs within a statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Tier {
    /// Outweighs everything else in the statement.
    Veto,
    /// The innermost one wins.
    #[default]
    Specific,
    /// Counts when nothing specific is there.
    General,
    /// Says that it ends, not why.
    Aside,
}

/// One row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) cause: Cause,
    #[serde(default)]
    pub(super) kind: Option<NetworkKind>,
    #[serde(default)]
    pub(super) tier: Tier,
    any: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    /// Last words that this row decides; the tests hold it to that.
    #[serde(default)]
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) example: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rules: Vec<serde_saphyr::Spanned<Rule>>,
    /// Ids of built-in rules that are switched off.
    #[serde(default)]
    disable: Vec<serde_saphyr::Spanned<String>>,
}

/// What a phrase is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Any,
    All,
    None,
}

/// The compiled table.
#[derive(Debug)]
pub(super) struct Rules {
    rows: Vec<Rule>,
    automaton: AhoCorasick,
    /// For each phrase: which rows it serves, and as what.
    serves: Vec<Vec<(u16, Role)>>,
}

/// A row that fits a line, and where its phrase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) row: u16,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Rules {
    pub(super) fn built_in() -> Self {
        match Self::with(None) {
            Ok(rules) => rules,
            // The tests compile this very table.
            Err(error) => unreachable!("the built-in rules: {error}"),
        }
    }

    /// The built-in rows, after the user's: theirs win, theirs of the same id replace.
    pub(super) fn with(user: Option<&str>) -> Result<Self, RuleError> {
        let mut rows: Vec<Rule> = read(BUILT_IN)?.rules.into_iter().map(|rule| rule.value).collect();
        if let Some(text) = user {
            let file = read(text)?;
            for id in &file.disable {
                if !rows.iter().any(|row| row.id == id.value) {
                    return Err(at(&id.referenced, format!("there is no rule `{}` to disable", id.value)));
                }
                rows.retain(|row| row.id != id.value);
            }
            let mut theirs: Vec<Rule> = Vec::new();
            for rule in file.rules {
                check(&rule, &theirs)?;
                rows.retain(|row| row.id != rule.value.id);
                theirs.push(rule.value);
            }
            theirs.append(&mut rows);
            rows = theirs;
        }
        Self::compile(rows)
    }

    fn compile(rows: Vec<Rule>) -> Result<Self, RuleError> {
        let mut phrases: Vec<&str> = Vec::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut serves: Vec<Vec<(u16, Role)>> = Vec::new();
        for (row, rule) in rows.iter().enumerate() {
            let row = u16::try_from(row).map_err(|_| RuleError("too many rules; at most 65,536".into()))?;
            let roles = [(&rule.any, Role::Any), (&rule.all, Role::All), (&rule.none, Role::None)];
            for (words, role) in roles {
                for phrase in words {
                    let number = *numbers.entry(phrase.to_ascii_lowercase()).or_insert_with(|| {
                        phrases.push(phrase);
                        serves.push(Vec::new());
                        phrases.len() - 1
                    });
                    serves[number].push((row, role));
                }
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&phrases)
            .map_err(|error| RuleError(format!("the phrases cannot be compiled: {error}")))?;
        Ok(Self { automaton, serves, rows })
    }

    pub(super) fn row(&self, hit: Hit) -> &Rule {
        &self.rows[usize::from(hit.row)]
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Rule] {
        &self.rows
    }

    /// The first row that fits the line, in each tier. One pass over the line; what is kept grows with the
    /// phrases found in it, not with the table.
    pub(super) fn fits(&self, line: &str) -> [Option<Hit>; 4] {
        let mut found: Vec<(u16, Role, usize, usize, usize)> = Vec::new();
        for phrase in self.automaton.find_overlapping_iter(line) {
            let number = phrase.pattern().as_usize();
            for &(row, role) in &self.serves[number] {
                found.push((row, role, number, phrase.start(), phrase.end()));
            }
        }
        found.sort_unstable_by_key(|(row, _, _, start, _)| (*row, *start));
        let mut best = [None; 4];
        for group in found.chunk_by(|a, b| a.0 == b.0) {
            let rule = &self.rows[usize::from(group[0].0)];
            let barred = group.iter().any(|(_, role, ..)| *role == Role::None);
            let missing = rule.all.iter().any(|phrase| {
                !group.iter().any(|(_, role, _, start, end)| {
                    *role == Role::All && line[*start..*end].eq_ignore_ascii_case(phrase)
                })
            });
            let any = group.iter().find(|(_, role, ..)| *role == Role::Any);
            if let (false, false, Some((row, _, _, start, end))) = (barred, missing, any) {
                best[rule.tier as usize].get_or_insert(Hit { row: *row, start: *start, end: *end });
            }
        }
        best
    }
}

fn read(text: &str) -> Result<File, RuleError> {
    serde_saphyr::from_str(text).map_err(|error| RuleError(error.to_string()))
}

fn at(location: &serde_saphyr::Location, what: String) -> RuleError {
    RuleError(format!("line {} column {}: {what}", location.line(), location.column()))
}

fn check(rule: &serde_saphyr::Spanned<Rule>, before: &[Rule]) -> Result<(), RuleError> {
    let Rule { id, cause, kind, any, .. } = &rule.value;
    let wrong = if before.iter().any(|other| other.id == *id) {
        format!("rule `{id}` is there twice; give it another id")
    } else if any.is_empty() || rule.value.phrases().any(|phrase| phrase.trim().is_empty()) {
        format!("rule `{id}` needs at least one phrase under `any`, and none may be empty")
    } else if (*cause == Cause::Network) != kind.is_some() {
        format!(
            "rule `{id}`: `kind` belongs to cause network, and network needs one, for example kind: refused"
        )
    } else {
        return Ok(());
    };
    Err(at(&rule.referenced, wrong))
}

impl Rule {
    fn phrases(&self) -> impl Iterator<Item = &String> {
        self.any.iter().chain(&self.all).chain(&self.none)
    }
}
