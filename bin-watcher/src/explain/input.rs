//! Explains a file or a pipe: cases, or the end of a log.

use std::io::{BufRead, Write};

use anyhow::Context;
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};

use crate::cli::exit::{Exit, UsageError};
use crate::explain::case::Case;
use crate::explain::report::TerminationReport;
use crate::explain::score::Score;
use crate::explain::writer::ReportWriter;

/// Explains `input`, called `name` in errors. When its first line is a case, each line is one; else
/// the whole input is the end of a log.
///
/// # Errors
/// An input that is empty or cannot be read.
pub(crate) fn explain_input(
    classifier: &Classifier,
    name: &str,
    mut input: impl BufRead,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let mut line = Vec::new();
    let mut score = Score::default();
    let (mut number, mut bad_lines) = (0, 0_usize);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).with_context(|| format!("reading {name}"))? == 0 {
            break;
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match Case::read(text.trim_end()) {
            Ok(case) => {
                let explanation = classifier.explain(&case.termination);
                score.add(&case, &explanation.verdict);
                out.write(&TerminationReport::of_case(&case, &explanation));
            }
            Err(_) if score.is_empty() && bad_lines == 0 && !Case::looks_like_one(&text) => {
                input.read_to_end(&mut line).with_context(|| format!("reading {name}"))?;
                out.write(&TerminationReport::of_log(&classifier.explain(&failed_with_log(&line))));
                return Ok(Exit::Done);
            }
            Err(error) => {
                bad_lines += 1;
                eprintln!(
                    "error: {name} line {number}: {error}; write each case as one JSON object on one line"
                );
            }
        }
    }
    if score.is_empty() && bad_lines == 0 {
        return Err(UsageError(format!("{name} is empty; give the end of a log, or cases")).into());
    }
    if score.is_labelled() {
        out.write_note(&score.to_string());
    }
    Ok(if bad_lines == 0 { Exit::Done } else { Exit::Failed })
}

/// A termination with this log and nothing else known; assumes that the process failed.
fn failed_with_log(log: &[u8]) -> Termination {
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Termination::new(terminated, String::from_utf8_lossy(log))
}
