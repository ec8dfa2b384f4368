//! The rules in force, as they are looked up.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::SignedDuration;

use super::limits::Limits;
use super::rows::{Edge, Row, Silence};
use super::template::Template;
use crate::severity::Severity;

#[derive(Debug, Default, Clone)]
pub(crate) struct Table {
    pub(crate) templates: Vec<(String, Template)>,
    pub(crate) volatile: HashSet<String>,
    /// Labels that the file keeps, whatever would drop them.
    pub(crate) kept: HashSet<String>,
    pub(crate) scope: Vec<Vec<String>>,
    pub(crate) scope_otherwise: Vec<String>,
    pub(crate) severities: Vec<Row<Severity>>,
    pub(crate) ladders: Vec<(String, Vec<String>)>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) transients: Vec<Row<String>>,
    pub(crate) informational: Vec<Row<String>>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) ttls: Vec<Row<SignedDuration>>,
    pub(crate) runbooks: Vec<Row<String>>,
    pub(crate) limits: Limits,
    pub(crate) disabled: HashSet<String>,
    /// Exact names, so that thousands of rows cost no more than one.
    pub(crate) ladder_of: HashMap<String, (usize, u8)>,
    pub(crate) severity_of: HashMap<String, Vec<usize>>,
    pub(crate) severity_patterns: Vec<usize>,
    /// Row id to the line of its file; built-in rows have none.
    pub(crate) lines: BTreeMap<String, u64>,
    pub(crate) written: Written,
}

/// What the file says beside its rows, each with its line; for the lints.
#[derive(Debug, Default, Clone)]
pub(crate) struct Written {
    pub(crate) drop: Vec<(String, u64)>,
    pub(crate) keep: Vec<(String, u64)>,
    pub(crate) dropped_by_us: HashSet<String>,
    pub(crate) scope: Vec<(String, u64)>,
    pub(crate) scope_at: Option<u64>,
    pub(crate) limits: Vec<(&'static str, u64)>,
    /// Ids that do not do what they seem to do, and why.
    pub(crate) ids: Vec<(String, u64, String)>,
}
