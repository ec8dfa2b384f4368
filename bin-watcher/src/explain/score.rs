//! The score of labelled cases: confusion table, precision and recall of each cause.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use breaker_core::text::plural;
use breaker_core::{Cause, Verdict};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use crate::explain::case::Case;

/// Counts of labels against verdicts.
#[derive(Default)]
pub(crate) struct Score {
    /// Number of cases by label and verdict.
    pairs: BTreeMap<(Cause, Cause), usize>,
    /// Correct network verdicts whose case has a kind, and how many of them have the correct kind.
    kinds: (usize, usize),
}

impl Score {
    pub(crate) fn add(&mut self, case: &Case, verdict: &Verdict) {
        let Some(label) = case.label else { return };
        *self.pairs.entry((label, verdict.cause)).or_default() += 1;
        if let (Cause::Network, Cause::Network, Some(kind)) = (label, verdict.cause, case.kind) {
            self.kinds.0 += 1;
            self.kinds.1 += usize::from(verdict.kind == Some(kind));
        }
    }

    pub(crate) fn is_labelled(&self) -> bool {
        !self.pairs.is_empty()
    }

    fn count(&self, is: impl Fn(Cause, Cause) -> bool) -> usize {
        self.pairs.iter().filter(|((label, got), _)| is(*label, *got)).map(|(_, n)| n).sum()
    }
}

/// `part / whole`, or `-` when `whole` is zero.
fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "-".into() } else { format!("{:.3}", part as f64 / whole as f64) }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let causes: BTreeSet<Cause> = self.pairs.keys().flat_map(|(label, got)| [*label, *got]).collect();
        let mut table = Table::new();
        table.load_style(NOTHING);
        let head = ["label \\ verdict".to_owned()].into_iter().chain(causes.iter().map(Cause::to_string));
        table.set_header(head.chain(["precision".into(), "recall".into()]));
        for label in &causes {
            let right = self.count(|l, g| l == *label && g == *label);
            let cells = causes.iter().map(|got| match self.count(|l, g| l == *label && g == *got) {
                0 => ".".to_owned(),
                n => n.to_string(),
            });
            let ends =
                [share(right, self.count(|_, g| g == *label)), share(right, self.count(|l, _| l == *label))];
            table.add_row([label.to_string()].into_iter().chain(cells).chain(ends));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let (all, right) = (self.count(|_, _| true), self.count(|l, g| l == g));
        writeln!(f, "\n{}\n", table.trim_fmt())?;
        write!(f, "{} with a label: accuracy {}", plural(all as u64, "case"), share(right, all))?;
        let (network, kinds) = self.kinds;
        if network > 0 {
            write!(f, "; kind correct in {} of the correct network verdicts", share(kinds, network))?;
        }
        writeln!(f)
    }
}
