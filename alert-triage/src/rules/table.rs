//! The rules in force, as they are looked up.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use wildmatch::WildMatch;

use super::limits::Limits;
use super::rows::{Edge, RuleRow, ScopeConstant, Silence};
use super::template::Template;
use crate::formats::MappedFormat;
use crate::severity::Severity;

#[derive(Debug, Default, Clone)]
pub(crate) struct RuleTable {
    /// The zone of times without one; UTC if absent.
    pub(crate) time_zone: Option<TimeZone>,
    pub(crate) templates: Vec<(String, Template)>,
    pub(crate) volatile: HashSet<String>,
    /// Labels that the file keeps in the identity.
    pub(crate) kept: HashSet<String>,
    pub(crate) scope: Vec<Vec<String>>,
    pub(crate) scope_otherwise: Vec<String>,
    pub(crate) scope_constants: Vec<ScopeConstant>,
    pub(crate) severities: Vec<RuleRow<Severity>>,
    pub(crate) ladders: Vec<(String, Vec<String>)>,
    pub(crate) edges: Vec<Edge>,
    /// Names whose instances are incidents of their own.
    pub(crate) separate: Vec<WildMatch>,
    pub(crate) transients: Vec<RuleRow<String>>,
    pub(crate) informational: Vec<RuleRow<String>>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) ttls: Vec<RuleRow<SignedDuration>>,
    pub(crate) runbooks: Vec<RuleRow<String>>,
    /// Formats of the file. The built-in ones are compiled when they are needed.
    pub(crate) formats: Vec<MappedFormat>,
    pub(crate) limits: Limits,
    pub(crate) disabled: HashSet<String>,
    /// By exact name, so that thousands of rows cost as much as one.
    pub(crate) ladder_of: HashMap<String, (usize, u8)>,
    pub(crate) severity_of: HashMap<String, Vec<usize>>,
    pub(crate) severity_patterns: Vec<usize>,
    /// Names of the built-in rules by their small letters, made when a name is in one case only. A
    /// name that the rules spell in two ways is left out.
    pub(super) spellings: OnceLock<HashMap<String, String>>,
    /// The line of each row of the file, by id; built-in rows have none.
    pub(crate) lines: BTreeMap<String, u64>,
    pub(crate) written: WrittenSettings,
}

impl RuleTable {
    /// The names in the built-in severities, ladders and edges, with the transient form of each
    /// failure. Names of the file stay apart from names that differ in case: a lint names them.
    pub(super) fn spellings(&self) -> HashMap<String, String> {
        let is_builtin = |id: &String| !self.lines.contains_key(id);
        let severities = self
            .severity_of
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| is_builtin(&self.severities[*row].id)));
        let ladders = self.ladders.iter().filter(|(id, _)| is_builtin(id)).flat_map(|(_, rungs)| rungs);
        let edges = self.edges.iter().filter(|edge| is_builtin(&edge.id));
        let edges = edges.flat_map(|edge| edge.symptoms.iter().chain([&edge.cause]));
        let names = severities.map(|(name, _)| name).chain(ladders).chain(edges).cloned();
        let transient = |name: &String| {
            let stem = name.strip_suffix("Failure")?;
            Some(format!("{stem}TransientFailure"))
        };
        let mut spellings: HashMap<String, Option<String>> = HashMap::new();
        for name in names {
            for name in transient(&name).into_iter().chain([name]) {
                let small = name.to_ascii_lowercase();
                let known = spellings.entry(small).or_insert_with(|| Some(name.clone()));
                if known.as_ref().is_some_and(|known| *known != name) {
                    *known = None;
                }
            }
        }
        spellings.into_iter().filter_map(|(small, name)| Some((small, name?))).collect()
    }
}

/// Settings of the file beside its rows, each with its line; for the lints.
#[derive(Debug, Default, Clone)]
pub(crate) struct WrittenSettings {
    pub(crate) drop: Vec<(String, u64)>,
    pub(crate) keep: Vec<(String, u64)>,
    pub(crate) dropped_by_us: HashSet<String>,
    pub(crate) scope: Vec<(String, u64)>,
    pub(crate) scope_at: Option<u64>,
    pub(crate) limits: Vec<(&'static str, u64)>,
    /// Ids that have no effect, and why.
    pub(crate) ids: Vec<(String, u64, String)>,
}
