//! One report in five shapes.

mod columns;
mod family;
mod html;
mod json;
mod markdown;
mod table;
pub(crate) mod words;

#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::num::NonZeroUsize;

use alert_triage::Report;

use crate::args::Output;

/// Incidents shown unless all are asked for.
const INCIDENTS: usize = 20;

/// Prints the report to standard output.
pub(crate) fn print(report: &Report<'_>, output: Output, all: bool, threads: NonZeroUsize) -> io::Result<()> {
    let stdout = io::stdout().lock();
    let done = match output {
        Output::Table => buffered(anstream::AutoStream::auto(stdout), |to| table::print(report, all, to)),
        Output::Json => buffered(stdout, |to| json::document(report, threads, to)),
        Output::Jsonl => buffered(stdout, |to| json::lines(report, to)),
        Output::Markdown => buffered(stdout, |to| markdown::print(report, all, to)),
        Output::Html => buffered(stdout, |to| html::print(report, all, to)),
    };
    match done {
        // Whoever reads the report, `head` for one, has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn buffered<W: Write>(to: W, print: impl FnOnce(&mut BufWriter<W>) -> io::Result<()>) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 16, to);
    print(&mut to)?;
    to.flush()
}
