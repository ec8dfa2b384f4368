use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use alert_triage::Format;
use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::input::Input;

const EXIT_CODES: &str = "Exit codes: 0 a report; 1 --strict and malformed input, or check, test or backtest found a \
                          fault; 2 wrong usage, an unreadable file or rules that cannot be used.";

const FOLLOW_EXIT_CODES: &str = "Exit codes: 0 standard input ended, or nobody reads the output any more; 2 wrong usage, \
                                 an unreadable file, a document, or rules that cannot be used; 130 and 143 ended by \
                                 SIGINT or SIGTERM.";

/// Turns a noisy alert or ticket stream into a few ranked, explained incidents, and loses nothing on the way.
///
/// Each alert gets one verdict with its reason; what belongs together becomes one incident; priorities follow from
/// severity and standing, never from the count.
#[derive(Debug, Parser)]
#[command(name = "triage", version, args_conflicts_with_subcommands = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads live input and reprints what changed
    #[command(after_help = FOLLOW_EXIT_CODES)]
    Follow(FollowArgs),
    /// Says why an incident ranks where it does, or what became of an input line, and what would change it
    Explain(ExplainArgs),
    /// Looks for rules that cannot work, or would work too well
    Check(CheckArgs),
    /// Runs rule unit tests with a fake clock
    Test(TestArgs),
    /// Compares rules with those in force, on a history: pages gained, pages lost, criticals missed
    Backtest(BacktestArgs),
    /// Lists the rules and heuristics in force, each with the id by which it can be overridden or disabled
    Rules(RulesArgs),
}

/// What to read, and by which rules.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// What the input is written in; `auto` tells by how each file begins
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// Rules of yours, over the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// The instant to judge at, as 2026-11-23T06:51:59Z or seconds since 1970; else the newest time in the input
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<Timestamp>,

    /// Threads that read; the report is the same with any number
    #[arg(long, value_name = "N", default_value_t = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))]
    pub(crate) threads: NonZeroUsize,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Files to read, in this order; `-` is standard input, as is no file at all
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// How to print the report
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,

    /// Show all incidents, and not the first 20
    #[arg(long)]
    pub(crate) all: bool,

    /// Exit with 1 when something is malformed; the report is printed all the same
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The shapes of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people, at most 100 columns wide
    #[default]
    Table,
    /// For machines, complete: one `triage/v1` document
    Json,
    /// For pipes: one `"type":"incident"` a line, then one `"type":"report"` with the totals and all the rest
    Jsonl,
    /// For tickets and chats
    Markdown,
    /// One self-contained page with a timeline
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    /// The file to follow, through rotation and truncation; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// What the input is written in: lines, jsonl or syslog; `auto` tells by how it begins
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// Rules of yours, over the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// How to print what changed: for people, or as one JSON object a line
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: FollowOutput,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FollowOutput {
    /// One line a change
    #[default]
    Text,
    /// One JSON object a change
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// An incident's id or its first digits, or a line as the report names it: 12, or night.log:12
    #[arg(value_name = "ID|LINE")]
    pub(crate) what: String,

    /// The files of the report; standard input cannot be read again
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// For people, or for machines
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ExplainOutput,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainOutput {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The rules file
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,

    /// Alerts of the past: rows that match nothing in them are found as well
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) history: Vec<PathBuf>,

    /// The instant at which silences are looked at; else the clock's
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Files of cases
    #[arg(value_name = "CASES", required = true)]
    pub(crate) cases: Vec<PathBuf>,

    /// Rules of yours, over the built-in ones; else those that the file of cases names, else the built-in ones alone
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// Alerts of the past
    #[arg(value_name = "HISTORY", required = true)]
    pub(crate) history: Vec<PathBuf>,

    /// The candidate: the rules that might be put in force; `builtin` for the built-in ones alone
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,

    /// The baseline: the rules in force now; `builtin` for the built-in ones alone
    #[arg(long, value_name = "FILE")]
    pub(crate) against: PathBuf,

    /// What the history is written in; `auto` tells by how each file begins
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// Where the history ends, if later than its newest time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<Timestamp>,

    /// For people, or for machines
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ExplainOutput,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Rules of yours, over the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Print the built-in rules file itself, which describes the format
    #[arg(long, conflicts_with = "rules")]
    pub(crate) builtin: bool,
}

/// A format by its name; `auto` is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatArg(pub(crate) Option<Format>);

fn formats() -> impl clap::builder::TypedValueParser<Value = FormatArg> {
    let names = ["auto"].into_iter().chain(Format::ALL.map(Format::name));
    PossibleValuesParser::new(names).map(|name| FormatArg(name.parse().ok()))
}

fn time(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    match seconds.or_else(|| text.parse().ok()) {
        Some(at) => Ok(at),
        None => Err("no time: write 2026-11-23T06:51:59Z or seconds since 1970".to_owned()),
    }
}

/// What to read, checked for what cannot be meant.
pub(crate) fn inputs(files: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let inputs = match files {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn flags_are_sound() {
        Cli::command().debug_assert();
    }
}
