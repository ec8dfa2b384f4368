//! The rules in force, as they are looked up.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;
use wildmatch::WildMatch;

use super::limits::Limits;
use super::rows::{Edge, RuleRow, ScopeConstant, Silence};
use super::template::Template;
use crate::formats::MappedFormat;
use crate::severity::Severity;

#[derive(Debug, Default, Clone)]
pub(crate) struct RuleTable {
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
    /// The line of each row of the file, by id; built-in rows have none.
    pub(crate) lines: BTreeMap<String, u64>,
    pub(crate) written: WrittenSettings,
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
