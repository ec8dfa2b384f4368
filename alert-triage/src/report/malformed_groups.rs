//! Malformed lines and records, grouped by what is wrong with them.

use super::malformed::Malformed;
use super::view::Report;

/// Examples of one kind of error.
const MAX_EXAMPLES: usize = 3;

/// Malformed lines and records with one kind of error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedGroup {
    /// A short stable word for the error.
    pub kind: &'static str,
    /// The number of them.
    pub count: u64,
    /// The first ones, at most three.
    pub examples: Vec<Malformed>,
}

impl Report<'_> {
    /// The malformed lines and records by kind of error, the most frequent kind first. Those of
    /// inputs that are [unread](Report::unread) as a whole are left out.
    pub fn malformed_groups(&self) -> Vec<MalformedGroup> {
        let engine = self.evaluation.engine;
        let is_read = |source: usize| !engine.source_log.is_unread(source);
        let counts = engine.source_log.faults_by_kind(is_read).into_iter();
        let mut groups: Vec<_> =
            counts.map(|(kind, count)| MalformedGroup { kind, count, examples: Vec::new() }).collect();
        for ((position, _), malformed) in engine.faults.iter().filter(|((at, _), _)| is_read(at.source())) {
            let kind = malformed.fault.kind();
            let Some(group) = groups.iter_mut().find(|group| group.kind == kind) else { continue };
            if group.examples.len() < MAX_EXAMPLES {
                group.examples.push(Malformed::new(engine, &self.offsets, *position, malformed));
            }
        }
        let first = |group: &MalformedGroup| group.examples.first().map(|one| (one.source.clone(), one.line));
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), first(group), group.kind));
        groups
    }
}
