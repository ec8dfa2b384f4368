//! `triage explain`: why an incident has its rank, or what became of an input line.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::ExitCode;

use alert_triage::explain::{Explanation, Query};

use crate::args::{ExplainArgs, TextOrJson};
use crate::output::{explanation, print};
use crate::read::{self, Input};

/// Bytes of a line that are read again to be shown, which is the longest plain line.
const MAX_LINE_LEN: u64 = 64 * 1024;

pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let inputs = read::inputs(&args.files)?;
    read::require_files(&inputs, "explain reads its input twice")?;
    let engine = read::read(&inputs, &args.read)?;
    let mut query = Query::new(engine, args.read.now(), &args.subject)?;
    while let Some(engine) = query.rerun() {
        let (format, threads) = (args.read.format.0, args.read.threads);
        query.take(read::read_into(&inputs, engine, format, threads)?);
    }
    let text = match query.line() {
        Some((source, line)) => match &inputs[source] {
            Input::File(path) => {
                Some(read_line(path, line).map_err(|error| Input::from(path.clone()).read_error(&error))?)
            }
            Input::Stdin => None,
        },
        None => None,
    };
    let explanation = query.answer(text.as_deref());
    print(|out| match (args.output, &explanation) {
        (TextOrJson::Json, explanation) => {
            let document = serde_json::json!({"schema": "triage/explain/v1", "explains": explanation});
            serde_json::to_writer_pretty(&mut *out, &document)?;
            writeln!(out)
        }
        (TextOrJson::Text, Explanation::Incident(incident)) => explanation::write_incident(incident, out),
        (TextOrJson::Text, Explanation::Line(line)) => explanation::write_line(line, out),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// One line of a file, counted from 1, without its line end.
fn read_line(path: &Path, line: u64) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(File::open(path)?);
    for _ in 1..line {
        reader.skip_until(b'\n')?;
    }
    let mut text = Vec::new();
    reader.take(MAX_LINE_LEN + 2).read_until(b'\n', &mut text)?;
    while text.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        text.pop();
    }
    Ok(text)
}
