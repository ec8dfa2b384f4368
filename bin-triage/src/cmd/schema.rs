//! `triage schema`: the JSON Schema of the report.

use std::io;
use std::process::ExitCode;

use crate::output::print;

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    print(|out| {
        serde_json::to_writer_pretty(&mut *out, &alert_triage::report::report_schema())
            .map_err(io::Error::from)?;
        writeln!(out)
    })?;
    Ok(ExitCode::SUCCESS)
}
