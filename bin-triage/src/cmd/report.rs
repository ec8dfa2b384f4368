//! `triage FILE...`: the report.

use std::process::ExitCode;

use alert_triage::Report;
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use crate::args::{ReportArgs, UNREAD};
use crate::output::{phrases, print_report};
use crate::read::{inputs, read};

/// How far the input may be ahead of the clock without a warning: clocks differ by less.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

pub(crate) fn run(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let inputs = inputs(&args.files)?;
    let mut engine = read(&inputs, &args.read)?;
    let report = engine.report(args.read.now());
    warn_of_malformed(&report);
    if args.read.now().is_none() {
        warn_of_future(report.now());
    }
    let code = match () {
        () if report.unread().next().is_some() => ExitCode::from(UNREAD),
        () if args.strict && report.totals().malformed > 0 => ExitCode::from(1),
        () => ExitCode::SUCCESS,
    };
    print_report(&report, args.output, args.all, args.read.threads)
        .context("cannot write the report to standard output")?;
    // The process ends here. The system frees its memory faster than a million destructors do.
    std::mem::forget(report);
    std::mem::forget(engine);
    Ok(code)
}

/// The newest time of the input is `now`. If it is wrong, correct times look old.
fn warn_of_future(now: Option<Timestamp>) {
    if let Some(now) = now.filter(|now| *now > Timestamp::now() + MAX_CLOCK_SKEW) {
        eprintln!(
            "triage: warning: the newest time in the input, {now}, is in the future, so alerts with correct times may be \
             judged obsolete: give the time with --now"
        );
    }
}

/// A report is printed for any input. These lines make sure that unreadable input is noticed.
fn warn_of_malformed(report: &Report<'_>) {
    for unread in report.unread() {
        eprintln!("triage: {}", phrases::unread(&unread));
    }
    let groups = report.malformed_groups();
    let malformed: u64 = groups.iter().map(|group| group.count).sum();
    let Some(first) =
        groups.iter().flat_map(|group| &group.examples).min_by_key(|one| (&one.source, one.line))
    else {
        return;
    };
    let place = match &first.source {
        Some(source) => format!("{source}:{}", first.line),
        None => format!("line {}", first.line),
    };
    let others = match malformed {
        1 => String::new(),
        more => format!("; {} more", more - 1),
    };
    eprintln!(
        "triage: warning: {malformed} malformed, {place} {}{others} (the report lists them)",
        first.error
    );
}
