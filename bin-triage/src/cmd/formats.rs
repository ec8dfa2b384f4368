//! `triage formats`: the formats that are described by data, and how a file is read.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use alert_triage::record::{Ends, Status};
use alert_triage::trial::Reading;
use alert_triage::{Format, Record, Rules, printable};

use crate::args::{FormatsArgs, UNREAD};
use crate::output::phrases::{self, counted};
use crate::output::print;
use crate::read::{Input, whole};
use crate::user_file;

/// Records and malformed lines that are shown of a file.
const MAX_SHOWN: usize = 20;

pub(crate) fn run(args: &FormatsArgs) -> anyhow::Result<ExitCode> {
    if args.builtin {
        print(|out| out.write_all(Rules::builtin_formats_yaml().as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules = user_file::rules_in_zone(args.rules.as_deref(), args.timezone.as_ref())?;
    match &args.trial {
        Some(path) => trial(&rules, path),
        None => {
            print(|out| list(out, &rules))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(out: &mut dyn Write, rules: &Rules) -> io::Result<()> {
    writeln!(out, "core formats, with readers of their own")?;
    writeln!(out, "  {}", Format::ALL.map(Format::name).join(", "))?;
    let listed = rules.listed_formats();
    let width = listed.iter().map(|format| printable(&format.id).chars().count()).max().unwrap_or(0);
    for (is_builtin, title) in [(false, "formats of the rules file"), (true, "built-in described formats")] {
        let mut of_kind = listed.iter().filter(|format| format.is_builtin == is_builtin).peekable();
        if of_kind.peek().is_some() {
            writeln!(out, "\n{title}")?;
        }
        for format in of_kind {
            writeln!(
                out,
                "  {:width$}  {:6}  {}",
                printable(&format.id),
                format.reads,
                printable(&format.what)
            )?;
        }
    }
    Ok(())
}

fn trial(rules: &Rules, path: &Path) -> anyhow::Result<ExitCode> {
    let bytes = whole(path).map_err(|error| Input::from(path.to_owned()).read_error(&error))?;
    let reading = Reading::new(rules, &bytes);
    print(|out| {
        if let Some(unread) = &reading.unread {
            writeln!(out, "{}", phrases::unread(unread))?;
        }
        let (records, malformed) = (reading.records.len() as u64, reading.malformed.len());
        writeln!(
            out,
            "format {}: {}, {malformed} malformed",
            printable(&reading.format),
            counted(records, "record")
        )?;
        for (line, record) in reading.records.iter().take(MAX_SHOWN) {
            writeln!(out, "\nline {line}")?;
            for (field, value) in fields(record) {
                writeln!(out, "  {field:<12} {}", printable(value))?;
            }
        }
        if records > MAX_SHOWN as u64 {
            writeln!(out, "\n{}", counted(records - MAX_SHOWN as u64, "more record"))?;
        }
        for malformed in reading.malformed.iter().take(MAX_SHOWN) {
            writeln!(out, "\nline {} {}", malformed.line, malformed.error)?;
        }
        io::Result::Ok(())
    })?;
    Ok(if reading.unread.is_some() { ExitCode::from(UNREAD) } else { ExitCode::SUCCESS })
}

/// What was understood of a record.
fn fields(record: &Record<'_>) -> Vec<(&'static str, String)> {
    let state = match record.status {
        Status::Pending => "pending",
        Status::Event => "event, without a state",
        Status::Firing => "firing",
        Status::Resolved => "resolved",
    };
    let pairs = |pairs: &[(std::borrow::Cow<'_, str>, std::borrow::Cow<'_, str>)]| {
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    let label = record.labels.iter().find(|(name, _)| name == "severity");
    let severity = record.severity.as_ref().or(label.map(|(_, value)| value));
    let ends = match record.ends {
        Ends::Open => None,
        Ends::At(at) => Some(("ends_at", at.to_string())),
        Ends::TimesOut(at) => Some(("times_out_at", at.to_string())),
    };
    [
        Some(("name", record.alert.to_string())),
        Some(("labels", pairs(&record.labels))).filter(|(_, text)| !text.is_empty()),
        Some(("text", record.text.to_string())).filter(|(_, text)| !text.is_empty()),
        severity.map(|word| ("severity", word.to_string())),
        Some(("state", state.to_owned())),
        record.starts.map(|at| ("starts_at", at.to_string())),
        ends,
        record.time.map(|at| ("updated_at", at.to_string())),
        record.key.as_ref().map(|key| ("key", key.to_string())),
        record.acknowledged.then(|| ("acknowledged", "yes".to_owned())),
        Some(("annotations", pairs(&record.annotations))).filter(|(_, text)| !text.is_empty()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
