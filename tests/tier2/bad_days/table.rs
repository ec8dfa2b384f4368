//! What is printed about schedules: a line for each, a table of all, a report for a broken law.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::run::Outcome;

/// One line about a schedule.
pub(crate) fn summary(outcome: &Outcome) -> String {
    let Outcome { plan, requests, faults, kills, violations, .. } = outcome;
    let verdict = if violations.is_empty() { "ok" } else { "BROKEN" };
    format!("{verdict}, {requests} requests, {} faults, {kills} kills; {plan}", faults.len())
}

/// The sums of all schedules.
pub(crate) fn totals(outcomes: &[Outcome]) -> String {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for outcome in outcomes {
        for (kind, count) in outcome.faults_by_kind() {
            *kinds.entry(kind).or_default() += count;
        }
    }
    let requests: u32 = outcomes.iter().map(|outcome| outcome.requests).sum();
    let kills: u32 = outcomes.iter().map(|outcome| outcome.kills).sum();
    let violations: usize = outcomes.iter().map(|outcome| outcome.violations.len()).sum();
    let mut table = format!("\n{:>8}  schedules\n{requests:>8}  requests\n", outcomes.len());
    let _ = writeln!(table, "{:>8}  faults, of which", kinds.values().sum::<u32>());
    for (kind, count) in kinds {
        let _ = writeln!(table, "{count:>12}  {kind}");
    }
    let _ = write!(table, "{kills:>8}  SIGKILLs\n{violations:>8}  violations");
    table
}

/// Everything about a schedule that broke a law, with the command that repeats it.
pub(crate) fn report(outcome: &Outcome) -> String {
    let seed = outcome.plan.seed;
    let mut report = format!("\nseed {seed} ({})\n", outcome.plan);
    let _ = writeln!(report, "repeat it: BRB_CHAOS_SEED={seed} just chaos");
    for violation in &outcome.violations {
        let _ = writeln!(report, "  broken: {violation}");
    }
    let _ = writeln!(report, "  output of the watcher: {}", outcome.log.display());
    for fault in &outcome.faults {
        let _ = writeln!(report, "  {fault}");
    }
    report
}
