//! Explains a file or a pipe: cases, a capture of pods, or the end of a log.
//!
//! ```text
//! bytes --head--> format --+-- cases ----------------------------- Case
//!                          +-- JSON, YAML, description, events --- Capture
//!                          '-- log ------------------------------- LogStreams
//! ```
//!
//! Every input but YAML is read as a stream: logs and cases in constant memory, and of a capture
//! one line or one object at a time, of which the ended containers and the events of pods are kept.
//! YAML is decoded as a whole, and its length is limited.

use std::io::{BufRead, BufReader, Read, Write};
use std::slice;

use anyhow::Context;
use breaker_core::classify::{EvidenceSource, Explanation};
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};
use serde_json::Value;

use super::capture::Capture;
use super::case::Case;
use super::head::{self, InputFormat};
use super::log_streams::LogStreams;
use super::report::TerminationReport;
use super::score::Score;
use super::writer::ReportWriter;
use super::{describe, event_table, json, objects, pod_table};
use crate::cli::exit::{Exit, UsageError};

/// The longest line that is kept, in bytes; more of it is dropped.
const MAX_LINE_LEN: usize = 1024 * 1024;

/// The longest YAML, which is decoded as a whole, in bytes.
const MAX_YAML_LEN: u64 = 16 * 1024 * 1024;

/// Explains `input`, called `name` in errors.
///
/// # Errors
/// An input that is empty, that cannot be read, or that holds no pod.
pub(crate) fn explain_input(
    classifier: &Classifier,
    name: &str,
    mut input: impl BufRead,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let reading = || format!("reading {name}");
    let head = head::read(&mut input).with_context(reading)?;
    let mut input = head.as_slice().chain(input);
    let mut capture = Capture::default();
    match InputFormat::detect(&head) {
        InputFormat::Empty => return Err(empty(name)),
        InputFormat::Cases => return explain_cases(classifier, name, input, out),
        InputFormat::Log => {
            let mut streams = LogStreams::default();
            copy(&mut input, &mut streams).with_context(reading)?;
            return explain_log(classifier, name, streams, out);
        }
        InputFormat::Json => {
            // What turns out to be something else, or not to be JSON, is a log.
            let mut both = BufReader::new(Recorder { input, streams: LogStreams::default() });
            let mut known = false;
            let read = json::for_each_object(&mut both, |object| {
                known |= objects::add(&mut capture, object) || objects::is_known(object);
            });
            known |= read.broken.as_ref().is_some_and(objects::is_known);
            match read.error {
                Some(error) if error.is_io() => return Err(error).with_context(reading),
                None if known || read.has_list => {}
                Some(error) if known || read.has_list && error.is_eof() => {
                    eprintln!("warning: {name} is not valid JSON to its end: {error}");
                }
                None | Some(_) => {
                    std::io::copy(&mut both, &mut std::io::sink()).with_context(reading)?;
                    return explain_log(classifier, name, both.into_inner().streams, out);
                }
            }
        }
        InputFormat::Yaml => {
            let mut text = String::new();
            input.take(MAX_YAML_LEN + 1).read_to_string(&mut text).with_context(reading)?;
            if text.len() as u64 > MAX_YAML_LEN {
                let why =
                    format!("{name} is longer than 16 MiB; write it as JSON, which is read as a stream");
                return Err(UsageError(why).into());
            }
            let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(&text, yaml_options())
                .map_err(|error| UsageError(format!("{name} is not valid YAML: {error}")))?;
            for document in &documents {
                let objects = document.as_array().map_or(slice::from_ref(document), Vec::as_slice);
                for object in objects {
                    objects::add(&mut capture, object);
                }
            }
        }
        InputFormat::Description => {
            let mut reader = describe::Reader::default();
            for_each_line(&mut input, |line| reader.line(line, &mut capture)).with_context(reading)?;
            reader.finish(&mut capture);
        }
        InputFormat::EventTable => {
            let mut rows = event_table::Rows::Bare;
            for_each_line(&mut input, |line| {
                // Of several namespaces or times, each table has a header of its own.
                match event_table::Rows::begin(line) {
                    Some(header @ event_table::Rows::Aligned(_)) => rows = header,
                    _ => rows.add(line, &mut capture),
                }
            })
            .with_context(reading)?;
        }
        InputFormat::PodTable => {
            let mut columns = None;
            for_each_line(&mut input, |line| match &columns {
                Some(columns) if !line.trim().is_empty() => pod_table::row(columns, line, &mut capture),
                Some(_) => {}
                None => columns = pod_table::header(line),
            })
            .with_context(reading)?;
        }
    }
    if capture.is_empty() {
        let why = format!("{name} holds no pod, no event of a pod and no container");
        return Err(UsageError(why).into());
    }
    let reports = capture.explain(classifier);
    if reports.is_empty() {
        out.write_note(&format!("no container in {name} has terminated\n"));
    }
    reports.iter().for_each(|report| out.write(report));
    Ok(Exit::Done)
}

/// What [`MAX_YAML_LEN`] of pods can hold. kubectl writes no anchors, so that a few of them
/// suffice.
fn yaml_options() -> serde_saphyr::Options {
    let most = MAX_YAML_LEN as usize;
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: most,
            max_nodes: most,
            max_total_scalar_bytes: most,
            max_documents: most,
            max_aliases: 100,
            max_anchors: 100,
        },
    }
}

fn empty(name: &str) -> anyhow::Error {
    UsageError(format!("{name} is empty; give a log, a pod, or cases")).into()
}

/// Keeps the end of what is read through it.
struct Recorder<R> {
    input: R,
    streams: LogStreams,
}

impl<R: Read> Read for Recorder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.streams.push(&buffer[..read]);
        Ok(read)
    }
}

fn copy(input: &mut impl BufRead, streams: &mut LogStreams) -> std::io::Result<()> {
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let read = chunk.len();
        streams.push(chunk);
        input.consume(read);
    }
}

/// Calls `each` with each line, without its line feed.
fn for_each_line(input: &mut impl BufRead, mut each: impl FnMut(&str)) -> std::io::Result<()> {
    let mut line = Vec::new();
    while read_line(input, &mut line)? {
        each(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
    }
    Ok(())
}

/// Reads one line with its line feed, at most [`MAX_LINE_LEN`] bytes of it; false at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let read = end.map_or(chunk.len(), |at| at + 1);
        let room = MAX_LINE_LEN.saturating_sub(line.len()).min(read);
        line.extend_from_slice(&chunk[..room]);
        input.consume(read);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn explain_cases(
    classifier: &Classifier,
    name: &str,
    mut input: impl BufRead,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let mut score = Score::default();
    let (mut number, mut bad_lines) = (0, 0_usize);
    for_each_line(&mut input, |line| {
        number += 1;
        if line.trim().is_empty() {
            return;
        }
        match Case::read(line.trim_end()) {
            Ok(case) => {
                let explanation = classifier.explain(&case.termination);
                score.add(&case, &explanation.verdict);
                out.write(&TerminationReport::of_case(&case, &explanation));
            }
            Err(error) => {
                bad_lines += 1;
                eprintln!(
                    "error: {name} line {number}: {error}; write each case as one JSON object on one line"
                );
            }
        }
    })
    .with_context(|| format!("reading {name}"))?;
    if score.is_labelled() {
        out.write_note(&score.to_string());
    }
    Ok(if bad_lines == 0 { Exit::Done } else { Exit::Failed })
}

/// One explanation for each container.
fn explain_log(
    classifier: &Classifier,
    name: &str,
    streams: LogStreams,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let (streams, dropped) = streams.finish();
    let mut is_empty = true;
    for stream in streams {
        let (text, lines_before) = stream.tail.into_text();
        if text.trim().is_empty() {
            continue;
        }
        is_empty = false;
        let mut explanation = classifier.explain(&failed_with_log(text));
        number_from(&mut explanation, lines_before);
        out.write(&TerminationReport::new(stream.name.as_deref().unwrap_or("log"), &explanation));
    }
    if dropped > 0 {
        eprintln!("warning: {name} holds too many containers; {dropped} of them are left out");
    }
    if is_empty { Err(empty(name)) } else { Ok(Exit::Done) }
}

/// The place of the quote in the whole log.
fn number_from(explanation: &mut Explanation, lines_before: usize) {
    if let Some(EvidenceSource::Log(line)) = &mut explanation.place {
        *line += lines_before;
    }
}

/// A termination with this log and nothing else known; assumes that the process failed.
fn failed_with_log(log: String) -> Termination {
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Termination::new(terminated, log)
}
