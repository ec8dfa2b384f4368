//! Prints a report in one of five formats.

use std::io;
use std::num::NonZeroUsize;

use alert_triage::Report;

use super::columns::{set_width, terminal_width};
use super::stdout::{buffered, ignore_closed};
use super::{html, json, markdown, table};
use crate::args::Output;

/// Prints the report to standard output. `threads` write JSON; the bytes do not depend on it.
pub(crate) fn print_report(
    report: &Report<'_>,
    output: Output,
    all: bool,
    threads: NonZeroUsize,
) -> io::Result<()> {
    let stdout = io::stdout().lock();
    ignore_closed(match output {
        Output::Table => {
            set_width(terminal_width());
            buffered(anstream::AutoStream::auto(stdout), |to| table::write(report, all, to))
        }
        Output::Json => buffered(stdout, |to| json::write_document(report, threads, to)),
        Output::Jsonl => buffered(stdout, |to| json::write_lines(report, to)),
        Output::Markdown => buffered(stdout, |to| markdown::write(report, all, to)),
        Output::Html => buffered(stdout, |to| html::write(report, all, to)),
    })
}
