//! `triage test`: runs test cases of rules with a fake clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use alert_triage::rule_tests::{RuleTests, TestOutcome};
use alert_triage::{Rules, printable};
use anyhow::anyhow;
use jiff::tz::TimeZone;

use crate::args::TestArgs;
use crate::output::phrases::counted;
use crate::output::print;
use crate::user_file::{self, BadUserFile};

pub(crate) fn run(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let given = args.rules.as_deref().map(|path| user_file::rules(Some(path))).transpose()?;
    // All files are parsed before anything is printed, so that an invalid file never follows half
    // of the results.
    let files: Vec<_> = args
        .cases
        .iter()
        .map(|path| run_file(path, given.as_ref(), args.timezone.as_ref()))
        .collect::<Result<_, _>>()?;
    let tests = files.iter().map(Vec::len).sum::<usize>() as u64;
    let failed = files.iter().flatten().filter(|outcome| !outcome.failures.is_empty()).count();
    print(|out| {
        for (path, outcomes) in args.cases.iter().zip(&files) {
            let file = printable(path.display().to_string());
            for outcome in outcomes {
                let word = if outcome.failures.is_empty() { "ok  " } else { "FAIL" };
                writeln!(out, "{word} {}", printable(&outcome.name))?;
                for failure in &outcome.failures {
                    let at =
                        if failure.at.is_empty() { String::new() } else { format!("at {}: ", failure.at) };
                    writeln!(
                        out,
                        "     {file}:{}: {}{}",
                        failure.line,
                        printable(&at),
                        printable_parts(&failure.message)
                    )?;
                }
            }
        }
        match failed {
            0 => writeln!(out, "{} passed", counted(tests, "test")),
            failed => writeln!(out, "{failed} of {} failed", counted(tests, "test")),
        }
    })?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Makes a message printable part by part: as a whole it may exceed the limit for one text. What it
/// quotes from the input is cut already.
fn printable_parts(message: &str) -> String {
    message.split("; ").map(printable).collect::<Vec<_>>().join("; ")
}

fn run_file(path: &Path, given: Option<&Rules>, zone: Option<&TimeZone>) -> anyhow::Result<Vec<TestOutcome>> {
    let yaml = user_file::text(path)?;
    let name = path.display().to_string();
    let tests = RuleTests::parse(&yaml).map_err(|error| BadUserFile(error.shown(&name, &yaml)))?;
    let beside = |file: &str| path.parent().unwrap_or(Path::new("")).join(file);
    let rules = match (given, tests.rules()) {
        (Some(given), _) => given.clone(),
        (None, Some(file)) => user_file::rules(Some(&beside(file)))?,
        (None, None) => Rules::builtin(),
    };
    let rules = match zone {
        Some(zone) => rules.in_time_zone(zone.clone()),
        None => rules,
    };
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (file, line) in tests.files() {
        let bytes = fs::read(beside(file)).map_err(|error| {
            let full = beside(file);
            anyhow!(
                "{name}:{line}: cannot read {}: {error}; a path is relative to the file of test cases",
                full.display()
            )
        })?;
        files.insert(file.to_owned(), bytes);
    }
    Ok(tests.run(&rules, &files))
}
