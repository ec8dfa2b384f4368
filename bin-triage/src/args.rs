use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::{Parser, ValueEnum};

use crate::input::Input;

/// Folds a noisy alert stream into rows a person can read, and loses nothing on the way.
///
/// Reads lines `Zone {zone}: {alert}`. Equal alerts of one zone become one row with their count, first and last
/// line. Rows are ordered by the severity of the few names known, then by first appearance, never by count; joining
/// them into ranked incidents is not built yet.
#[derive(Debug, Parser)]
#[command(
    name = "triage",
    version,
    after_help = "Exit codes: 0 a report; 1 --strict and malformed lines; 2 wrong usage or an unreadable file."
)]
pub(crate) struct Args {
    /// Files to read, in this order; `-` is standard input, as is no file at all
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,

    /// Exit with 1 when a line is malformed; the report is printed all the same
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The shapes of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people, at most 100 columns wide
    #[default]
    Table,
    /// For machines, complete
    Json,
}

impl Args {
    /// What to read, checked for what cannot be meant.
    pub(crate) fn inputs(&self) -> anyhow::Result<Vec<Input>> {
        let inputs = match self.files.as_slice() {
            [] if std::io::stdin().is_terminal() => {
                bail!("nothing to read: name a FILE, or pipe alerts in; `triage --help` tells more")
            }
            [] => vec![Input::Stdin],
            files => files.iter().cloned().map(Input::from).collect(),
        };
        if inputs.iter().filter(|input| matches!(input, Input::Stdin)).count() > 1 {
            bail!("`-` is given twice, but standard input can be read once: name it once");
        }
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn flags_are_sound() {
        Args::command().debug_assert();
    }
}
