//! Scopes of alerts without a label of a scope: what one source reports is one scope.

use crate::identity::Identity;
use crate::ledger::{Engine, SourceSet};
use crate::rules::Rules;

/// The scopes of sources. Two sources that report the same alert are one scope, such as the two
/// replicas of one Alertmanager.
#[derive(Debug)]
pub(super) struct SourceScopes<'e> {
    /// The name of the scope of each source; empty if all sources are one scope.
    names: Vec<&'e str>,
}

/// The name of the label that shows a source as the scope.
const SOURCE: &str = "source";

impl<'e> SourceScopes<'e> {
    pub(super) fn new(engine: &'e Engine) -> Self {
        let mut names = Vec::new();
        if engine.sources.len() > 1 {
            let parts = parts(engine);
            let is_one_scope =
                parts.iter().flatten().all(|part| Some(*part) == parts.iter().flatten().next().copied());
            if !is_one_scope {
                let name = |part: &Option<usize>| {
                    part.and_then(|part| engine.sources.get(part)).map_or("", String::as_str)
                };
                names = parts.iter().map(name).collect();
            }
        }
        Self { names }
    }

    /// The label that shows the scope of these sources; `None` if all sources are one scope.
    pub(super) fn label(&self, sources: &SourceSet) -> Option<(&'static str, &'e str)> {
        self.names.get(sources.first()?).map(|name| (SOURCE, *name))
    }
}

/// The first source of the scope of each source; `None` for a source without alerts of this kind.
fn parts(engine: &Engine) -> Vec<Option<usize>> {
    let mut parts = vec![None; engine.sources.len()];
    let rules = engine.rules();
    for entry in &engine.entries {
        let identity = entry.identity();
        if !scope_labels(identity, rules).is_empty() {
            continue;
        }
        // A watchdog is the same in all clusters.
        let is_common = rules.informational(identity.alert, |name| identity.label(name)).is_some();
        let mut joined: Option<usize> = None;
        for source in entry.sources.iter() {
            // A program may give positions of sources that it did not add.
            let Some(part) = parts.get_mut(source) else { continue };
            let part = *part.get_or_insert(source);
            let Some(other) = joined.filter(|_| !is_common) else {
                joined = Some(part);
                continue;
            };
            let (from, to) = (part.max(other), part.min(other));
            parts.iter_mut().filter(|part| **part == Some(from)).for_each(|part| *part = Some(to));
            joined = Some(to);
        }
    }
    parts
}

/// The labels of the alert itself that make up its scope.
pub(super) fn scope_labels<'i>(identity: Identity<'i>, rules: &Rules) -> Vec<(&'i str, &'i str)> {
    let table = rules.table();
    let mut found: Vec<(&str, &str)> =
        table.scope.iter().filter_map(|names| identity.label_of(names)).collect();
    if found.is_empty() {
        found.extend(identity.label_of(&table.scope_otherwise));
    }
    found
}
