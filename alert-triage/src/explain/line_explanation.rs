//! Explains how one line was read.

use serde::Serialize;

use super::evidence_lines::EvidenceByKey;
use super::location::Location;
use super::naming::location;
use super::record_explanation::RecordExplanation;
use crate::printable::{self, printable};
use crate::record_trace::LineTrace;
use crate::report::Report;

/// How a line was read.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct LineExplanation {
    /// The name of the input.
    #[serde(serialize_with = "printable::serialize")]
    pub source: String,
    /// The line number, counted from 1.
    pub line: u64,
    /// The text of the line, made printable and truncated.
    pub text: String,
    /// The format of the input.
    pub format: Option<String>,
    /// The template that matched, for plain lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The result of reading the line.
    #[serde(flatten)]
    pub outcome: LineOutcome,
}

/// The result of reading a line.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum LineOutcome {
    /// The line contains no record: it is blank, or a line of a document before its first alert.
    Nothing {
        /// The reason.
        why: String,
    },
    /// The line could not be read.
    Malformed {
        /// The kind of the fault, a short stable word.
        kind: &'static str,
        /// What is wrong and how to fix it, as the continuation of "it …".
        error: String,
    },
    /// The line contains a record, or the start of the records of a payload.
    Records {
        /// Where the records begin, if not on this line: an alert of a document may span several
        /// lines.
        #[serde(skip_serializing_if = "Option::is_none")]
        begins: Option<Location>,
        /// The first records.
        records: Vec<RecordExplanation>,
        /// The number of records that are not listed.
        more: u64,
    },
}

pub(super) fn explain(
    report: &Report<'_>,
    (source, number): (usize, u64),
    line: Option<&LineTrace>,
    evidence: &EvidenceByKey,
    text: Option<&[u8]>,
) -> LineExplanation {
    let format = line.and_then(|line| line.format);
    let is_lines = format.is_some_and(|format| format.is_lines());
    let name = report.evaluation.engine.sources.get(source).map(String::as_str).unwrap_or_default();
    let template = text
        .filter(|_| matches!(format, Some(crate::format::Format::Lines)))
        .and_then(|text| report.evaluation.engine.rules().template(text))
        .map(str::to_owned);
    let is_blank = text.is_some_and(|text| text.trim_ascii().is_empty());
    let nothing = |why: &str| LineOutcome::Nothing { why: why.to_owned() };
    let outcome = match line {
        // In a document, the last record that begins at or before the line. Otherwise only the line
        // itself.
        Some(line) if line.at.is_some_and(|at| at == line.wanted || !is_lines) => {
            let begins = line.at.filter(|at| *at != line.wanted).map(|at| location(report, at));
            match (&line.fault, line.records.is_empty()) {
                (Some(fault), true) => {
                    LineOutcome::Malformed { kind: fault.kind(), error: fault.to_string() }
                }
                _ => LineOutcome::Records {
                    begins,
                    records: line
                        .records
                        .iter()
                        .map(|taken| RecordExplanation::new(report, line.at, taken, evidence))
                        .collect(),
                    more: line.more,
                },
            }
        }
        _ if !is_lines && !is_blank => nothing("it precedes the first alert of the document"),
        _ => nothing("it is blank"),
    };
    LineExplanation {
        source: name.to_owned(),
        line: number,
        text: text.map(printable).unwrap_or_default(),
        format: format.map(|format| report.evaluation.engine.rules().format_name(format).to_owned()),
        template: template.filter(|_| matches!(outcome, LineOutcome::Records { .. })),
        outcome,
    }
}
