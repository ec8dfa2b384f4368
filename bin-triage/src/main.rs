//! `triage`: folds a noisy alert stream into rows a person can read.
//!
//! Wiring only: [`args`] says what was typed, [`input`] reads lines, `alert-triage` thinks, [`output`] prints.
//! Exit codes: 0 a report, 1 a report with malformed lines under `--strict`, 2 usage or a file that cannot be
//! read.

mod args;
mod input;
mod output;

use std::io::ErrorKind;
use std::process::ExitCode;

use alert_triage::{Ledger, printable};
use clap::Parser as _;

use crate::args::Args;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("triage: {}", printable(format!("{error:#}")));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut ledger = Ledger::new();
    for input in args.inputs()? {
        input.read_into(&mut ledger)?;
    }
    let report = ledger.report();
    let code = if args.strict && report.totals.malformed > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS };
    match output::print(&report, args.output) {
        // Whoever reads the report, `head` for one, has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(code),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write the report to standard output")),
        Ok(()) => Ok(code),
    }
}
