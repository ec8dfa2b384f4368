//! One report in five shapes.

use std::io::{self, BufWriter, ErrorKind, Write};

use alert_triage::Report;

use crate::args::Output;

/// Prints the report to standard output.
pub(crate) fn print(report: &Report<'_>, output: Output, all: bool) -> io::Result<()> {
    let mut stdout = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let done = match output {
        Output::Table => todo!("{all}"),
        Output::Json => json(report, &mut stdout),
        Output::Jsonl => jsonl(report, &mut stdout),
        Output::Markdown => todo!(),
        Output::Html => todo!(),
    };
    match done.and_then(|()| stdout.flush()) {
        // Whoever reads the report, `head` for one, has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

fn json(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, report)?;
    writeln!(to)
}

fn jsonl(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    for incident in report.incidents() {
        serde_json::to_writer(&mut *to, &incident)?;
        writeln!(to)?;
    }
    writeln!(to)
}
