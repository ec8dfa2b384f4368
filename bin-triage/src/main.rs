//! `triage`: groups a noisy alert stream into a few ranked, explained incidents.
//!
//! [`args`] parses the command line, [`read`] reads the inputs into an engine of `alert-triage`,
//! [`cmd`] has one file for each subcommand, and [`output`] prints.
//!
//! Exit codes: 0 success; 1 `--strict` with malformed input, or `check`, `test` or `backtest`
//! found a fault; 2 wrong usage, an unreadable file or invalid rules; 3 an input is not empty and
//! nothing in it could be read.

mod args;
mod cmd;
mod output;
mod read;
mod time_arg;
mod typo;
mod user_file;

use std::process::ExitCode;

use alert_triage::printable;
use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::cmd::{backtest, check, completions, explain, follow, formats, man, report, rules, schema, test};
use crate::user_file::BadUserFile;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.command.is_none()
        && let Some(message) = cli.report.files.first().and_then(|file| typo::mistyped_subcommand(file))
    {
        eprintln!("triage: {message}");
        return ExitCode::from(2);
    }
    let result = match &cli.command {
        None => report::run(&cli.report),
        Some(Command::Follow(args)) => follow::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Test(args)) => test::run(args),
        Some(Command::Backtest(args)) => backtest::run(args),
        Some(Command::Rules(args)) => rules::run(args),
        Some(Command::Formats(args)) => formats::run(args),
        Some(Command::Schema) => schema::run(),
        Some(Command::Completions(args)) => completions::run(args.shell),
        Some(Command::Man(args)) => man::run(args.directory.as_deref()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            match error.downcast_ref::<BadUserFile>() {
                Some(error) => eprintln!("triage: {error}"),
                None => eprintln!("triage: {}", printable(format!("{error:#}"))),
            }
            ExitCode::from(2)
        }
    }
}
