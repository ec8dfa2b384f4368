//! Writes explanations in the format that was asked for.

use std::io::Write;

use crate::cli::format::ExplainFormat;
use crate::explain::report::TerminationReport;

/// Writes reports. A closed pipe is not an error: the rest is dropped.
pub(crate) struct ReportWriter<W> {
    format: ExplainFormat,
    written: usize,
    out: W,
}

impl<W: Write> ReportWriter<W> {
    pub(crate) fn new(format: ExplainFormat, out: W) -> Self {
        Self { format, written: 0, out }
    }

    fn write_text(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    pub(crate) fn write(&mut self, report: &TerminationReport) {
        let text = match self.format {
            ExplainFormat::Text => report.to_string(),
            ExplainFormat::Jsonl => report.json() + "\n",
            ExplainFormat::Json if self.written == 0 => format!("[\n  {}", report.json()),
            ExplainFormat::Json => format!(",\n  {}", report.json()),
        };
        self.written += 1;
        self.write_text(&text);
    }

    /// Writes what only people read: nothing in the JSON formats.
    pub(crate) fn write_note(&mut self, text: &str) {
        if self.format == ExplainFormat::Text {
            self.write_text(text);
        }
    }

    /// Closes the JSON array and flushes.
    pub(crate) fn finish(&mut self) {
        if self.format == ExplainFormat::Json {
            self.write_text(if self.written == 0 { "[]\n" } else { "\n]\n" });
        }
        let _ = self.out.flush();
    }
}
