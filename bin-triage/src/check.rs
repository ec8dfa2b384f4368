//! `triage check`: lints of a rules file.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use alert_triage::{Format, History, Rules, printable};
use jiff::Timestamp;

use crate::args::CheckArgs;
use crate::input::{self, Input};
use crate::output::words::counted;
use crate::stdout;

pub(crate) fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let rules = input::rules(Some(&args.rules))?;
    let now = args.now.unwrap_or_else(Timestamp::now);
    let history = match args.history.as_slice() {
        [] => None,
        files => Some(history(files, &rules, args.now)?),
    };
    let found = rules.check(Some(now), history.as_ref().map(|(history, _)| history));
    let file = printable(args.rules.display().to_string());
    stdout(|out| {
        for finding in &found {
            let (id, message) = (printable(&finding.id), printable(&finding.message));
            writeln!(out, "{file}:{}: {}: `{id}` {message}", finding.line, finding.lint)?;
        }
        if let Some((_, read)) = &history {
            writeln!(out, "{read}")?;
        }
        let rows = counted(rules.rows() as u64, "row");
        match found.len() {
            0 => writeln!(out, "no fault found, {rows}"),
            faults => writeln!(out, "{}, {rows}", counted(faults as u64, "fault")),
        }
    })?;
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The alerts of the past, and a sentence on what was read: a history of nothing would find every row at fault.
fn history(files: &[PathBuf], rules: &Rules, now: Option<Timestamp>) -> anyhow::Result<(History, String)> {
    let inputs = crate::args::inputs(files)?;
    input::only_files(&inputs, "a history is read twice")?;
    let mut engine = input::read_with(&inputs, rules.clone(), None, now, NonZeroUsize::MIN)?;
    let mut history = History::of(&engine);
    for path in files {
        let bytes = fs::read(path).map_err(|error| Input::from(path.clone()).cannot_read(&error))?;
        if Format::detect(&bytes[..bytes.len().min(input::HEAD)]) == Format::Lines {
            history.lines(rules, bytes.split(|byte| *byte == b'\n'));
        }
    }
    let totals = engine.report(now).totals();
    let read = format!(
        "history: {} of {}, {} malformed",
        counted(totals.records, "record"),
        counted(totals.distinct, "alert"),
        totals.malformed
    );
    Ok((history, read))
}
