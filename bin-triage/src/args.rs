//! The command line: subcommands, flags and their values.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use alert_triage::Format;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::time_arg::{TimeArg, time, zone};

const EXIT_CODES: &str = "\
Exit codes:
  0  the command succeeded
  1  --strict and malformed input; or check, test or backtest found a fault
  2  wrong usage, an unreadable file, or invalid rules
  3  an input is not empty and nothing in it could be read";

/// The exit code if an input is not empty and nothing in it could be read.
pub(crate) const UNREAD: u8 = 3;

const FOLLOW_EXIT_CODES: &str = "\
Exit codes:
  0    standard input ended, or the reader of the output closed it
  2    wrong usage, an unreadable file, a format that is one document, or
       invalid rules
  3    standard input ended, and nothing in it could be read
  130  stopped by SIGINT
  143  stopped by SIGTERM";

/// Group a noisy alert or ticket stream into a few ranked, explained incidents
///
/// Every alert gets one verdict with its reason. Related alerts become one
/// incident. The priority of an incident comes from the severity of its active
/// alerts, never from their count. No input line is dropped silently.
#[derive(Debug, Parser)]
#[command(
    name = "triage",
    version,
    args_conflicts_with_subcommands = true,
    after_help = EXIT_CODES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read live input and print what changed
    #[command(after_help = FOLLOW_EXIT_CODES)]
    Follow(FollowArgs),
    /// Explain the rank of an incident, or what became of an input line
    Explain(ExplainArgs),
    /// Find rules that have no effect or match too much
    Check(CheckArgs),
    /// Run rule tests with a fake clock
    Test(TestArgs),
    /// Compare two rules files on past alerts
    Backtest(BacktestArgs),
    /// List all rules and heuristics in effect, with their ids
    Rules(RulesArgs),
    /// List the input formats, or show how a file is read
    #[command(after_help = EXIT_CODES)]
    Formats(FormatsArgs),
    /// Print the JSON Schema of the report (`triage -o json`)
    Schema,
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the man page, or write one page for each command
    Man(ManArgs),
}

/// What to read, and with which rules.
#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// Input format; `auto` detects it from the start of each file
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// Rules file (YAML) that extends the built-in rules
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Time at which to judge the alerts: 2026-11-23T06:51:59Z, 2026-11-23,
    /// seconds since 1970, yesterday, or how long ago, such as -2h [default:
    /// the newest time in the input]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = TimeArg::parse)]
    now: Option<TimeArg>,

    /// Zone of times without one, in the input and in --now: Europe/Berlin,
    /// or an offset such as +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,

    /// Number of threads that read the input; it does not change the report
    #[arg(long, value_name = "N", default_value_t = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))]
    pub(crate) threads: NonZeroUsize,
}

impl ReadArgs {
    /// The time at which to judge the alerts, if it is given.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.now.as_ref()?.in_zone(self.timezone.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Files to read, in this order; `-` is standard input, which is also
    /// the default
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,

    /// Show all incidents and members; table and markdown show 20 incidents
    /// by default, html 200
    #[arg(long)]
    pub(crate) all: bool,

    /// Exit with 1 if any input is malformed; the report is printed anyway
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The output formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text that fits the terminal, 100 columns wide without one
    #[default]
    Table,
    /// One complete `triage/v1` document
    Json,
    /// One incident per line, then one line with the totals and the rest
    Jsonl,
    /// Text for tickets and chats
    Markdown,
    /// One self-contained page with a timeline
    Html,
}

#[derive(Debug, Args)]
pub(crate) struct FollowArgs {
    /// File to follow through rotation and truncation; `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Input format: lines, jsonl or syslog; `auto` detects it from the first
    /// line
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// Rules file (YAML) that extends the built-in rules
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Zone of times without one: Europe/Berlin, or an offset such as +02:00
    /// [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,

    /// Output format of each change
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: FollowOutput,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FollowOutput {
    /// One line of text per change
    #[default]
    Text,
    /// One JSON object per change
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of an incident or its first digits, or an input line: 12, or
    /// night.log:12
    #[arg(value_name = "ID|LINE")]
    pub(crate) subject: String,

    /// Files that the report was made from; standard input is not accepted,
    /// because explain reads its input more than once
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) read: ReadArgs,

    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: TextOrJson,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// Text for a terminal
    #[default]
    Text,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Rules file (YAML) to check
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,

    /// Files of past alerts; also report rules that match none of them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) history: Vec<PathBuf>,

    /// Time at which to check whether silences have ended:
    /// 2026-11-23T06:51:59Z, 2026-11-23, yesterday, -2h and the like
    /// [default: the current time]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = time)]
    pub(crate) now: Option<Timestamp>,

    /// Zone of times without one: Europe/Berlin, or an offset such as +02:00
    /// [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Files of test cases (YAML)
    #[arg(value_name = "CASES", required = true)]
    pub(crate) cases: Vec<PathBuf>,

    /// Rules file (YAML) that extends the built-in rules [default: the file
    /// that the test cases name, else the built-in rules alone]
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Zone of times without one: Europe/Berlin, or an offset such as +02:00
    /// [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,
}

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// Files of past alerts
    #[arg(value_name = "HISTORY", required = true)]
    pub(crate) history: Vec<PathBuf>,

    /// Candidate rules file; `builtin` is the built-in rules alone
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: PathBuf,

    /// Baseline rules file to compare with; `builtin` is the built-in rules
    /// alone
    #[arg(long, value_name = "FILE")]
    pub(crate) against: PathBuf,

    /// Input format; `auto` detects it from the start of each file
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = formats())]
    pub(crate) format: FormatArg,

    /// End of the history, if later than its newest time:
    /// 2026-11-23T06:51:59Z, 2026-11-23, yesterday, -2h and the like
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = TimeArg::parse)]
    now: Option<TimeArg>,

    /// Zone of times without one, in the input and in --now: Europe/Berlin,
    /// or an offset such as +02:00 [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,

    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: TextOrJson,
}

impl BacktestArgs {
    /// The end of the history, if it is given.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.now.as_ref()?.in_zone(self.timezone.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Rules file (YAML) that extends the built-in rules
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Print the built-in rules file, whose comments describe the format
    #[arg(long, conflicts_with = "rules")]
    pub(crate) builtin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FormatsArgs {
    /// Read this file, and show which format it has and what became of each
    /// record
    #[arg(long = "try", value_name = "FILE")]
    pub(crate) trial: Option<PathBuf>,

    /// Rules file (YAML) whose formats are tried first
    #[arg(long, value_name = "FILE")]
    pub(crate) rules: Option<PathBuf>,

    /// Print the built-in formats as YAML
    #[arg(long, conflicts_with_all = ["rules", "trial"])]
    pub(crate) builtin: bool,

    /// Zone of times without one: Europe/Berlin, or an offset such as +02:00
    /// [default: UTC]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true, value_parser = zone)]
    pub(crate) timezone: Option<TimeZone>,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell to write the script for
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Directory for one page for each command, such as triage-follow.1; it
    /// is created if necessary
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// An input format by its name; `auto` is `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatArg(pub(crate) Option<Format>);

fn formats() -> impl clap::builder::TypedValueParser<Value = FormatArg> {
    let names = ["auto"].into_iter().chain(Format::ALL.map(Format::name));
    PossibleValuesParser::new(names).map(|name| FormatArg(name.parse().ok()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn flags_are_sound() {
        Cli::command().debug_assert();
    }

    /// Help of every command fits a terminal of 80 columns.
    #[test]
    fn help_is_at_most_80_columns_wide() {
        let mut cli = Cli::command().term_width(80);
        cli.build();
        let mut helps = vec![("triage".to_owned(), cli.render_long_help(), cli.render_help())];
        for command in cli.get_subcommands_mut() {
            let name = format!("triage {}", command.get_name());
            let mut command = command.clone().term_width(80);
            helps.push((name, command.render_long_help(), command.render_help()));
        }
        assert!(helps.len() > 7, "subcommands are found");
        for (name, long, short) in helps {
            for line in long.to_string().lines().chain(short.to_string().lines()) {
                assert!(line.chars().count() <= 80, "{name} --help: {line}");
            }
        }
    }
}
