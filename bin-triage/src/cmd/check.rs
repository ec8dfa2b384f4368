//! `triage check`: finds rules that have no effect or match too much.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use alert_triage::lint::LintHistory;
use alert_triage::{Format, Rules, printable};
use jiff::Timestamp;

use crate::args::CheckArgs;
use crate::output::phrases::counted;
use crate::output::print;
use crate::read::{self, DETECT_BYTES, Input, whole};
use crate::user_file;

pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let rules = user_file::rules_in_zone(Some(&args.rules), args.timezone.as_ref())?;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let history = match args.history.as_slice() {
        [] => None,
        files => Some(history(files, &rules, args.now)?),
    };
    let found = rules.check(Some(now), history.as_ref().map(|(history, _)| history));
    let file = printable(args.rules.display().to_string());
    let (examples, failed) = rules.run_examples();
    print(|out| {
        for failure in &failed {
            let (id, message) = (printable(&failure.id), printable(&failure.message));
            writeln!(out, "{file}:{}: example: `{id}` {message}", failure.line)?;
        }
        for finding in &found {
            let (id, message) = (printable(&finding.id), printable(&finding.message));
            writeln!(out, "{file}:{}: {}: `{id}` {message}", finding.line, finding.lint)?;
        }
        if let Some((_, summary)) = &history {
            writeln!(out, "{summary}")?;
        }
        let rows = counted(rules.rows() as u64, "row");
        let rows = match examples {
            0 => rows,
            examples => format!("{rows} and {}", counted(examples as u64, "example")),
        };
        match found.len() + failed.len() {
            0 => writeln!(out, "no fault found in {rows}"),
            faults => writeln!(out, "{} found in {rows}", counted(faults as u64, "fault")),
        }
    })?;
    Ok(if found.is_empty() && failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Reads the past alerts. The line of text says how much was read: if it was nothing, every row of
/// the rules is reported.
fn history(
    files: &[PathBuf],
    rules: &Rules,
    now: Option<Timestamp>,
) -> anyhow::Result<(LintHistory, String)> {
    let inputs = read::inputs(files)?;
    read::require_files(&inputs, "check reads a history twice")?;
    let mut engine = read::read_with(&inputs, rules.clone(), None, now, NonZeroUsize::MIN)?;
    let mut history = LintHistory::from_engine(&engine);
    for path in files {
        let bytes = whole(path).map_err(|error| Input::from(path.clone()).read_error(&error))?;
        if rules.detect(&bytes[..bytes.len().min(DETECT_BYTES)]) == Format::Lines {
            history.lines(rules, bytes.split(|byte| *byte == b'\n'));
        }
    }
    let totals = engine.report(now).totals();
    let summary = format!(
        "history: {} of {}, {} malformed",
        counted(totals.records, "record"),
        counted(totals.distinct, "alert"),
        totals.malformed
    );
    Ok((history, summary))
}
