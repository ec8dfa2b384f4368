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

/// A file or pipe: one case a line where the first line is a case, else last words as they are.
pub(crate) fn explain_input(
    classifier: &Classifier,
    name: &str,
    mut input: impl BufRead,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let mut line = Vec::new();
    let mut score = Score::default();
    let (mut number, mut bad) = (0, 0_usize);
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
                out.write(&TerminationReport::case(&case, &explanation));
            }
            Err(_) if score.is_empty() && bad == 0 && !Case::looks_like_one(&text) => {
                input.read_to_end(&mut line).with_context(|| format!("reading {name}"))?;
                out.write(&TerminationReport::words(&classifier.explain(&raw(&line))));
                return Ok(Exit::Done);
            }
            Err(error) => {
                bad += 1;
                eprintln!("error: {name} line {number}: {error}; a case is one JSON object a line");
            }
        }
    }
    if score.is_empty() && bad == 0 {
        return Err(UsageError(format!("{name} is empty: nothing to explain")).into());
    }
    if score.is_labelled() {
        out.write_note(&score.to_string());
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Failed })
}

/// The end of a log by itself: of a process that ended with an error, as far as one can know.
fn raw(words: &[u8]) -> Termination {
    let death = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Termination { death, log_tail: String::from_utf8_lossy(words).into_owned(), ..Termination::default() }
}
