//! The state of a followed input: takes bytes and the time, returns notices and warnings, never
//! waits.

use std::collections::BTreeMap;

use alert_triage::incident_tracker::{Change, Notification};
use alert_triage::report::{Totals, Unread};
use alert_triage::{Engine, Format, IncidentTracker, Report, Rules, printable};
use anyhow::bail;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::held_changes::HeldChanges;
use super::line_buffer::LineBuffer;
use super::warnings::Warnings;
use crate::output::phrases;

/// How long an alert that is over is kept after its last record.
const RETENTION: SignedDuration = SignedDuration::from_hours(48);

/// How often alerts past their retention are removed.
const RETIRE_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// If the clock is set back by at most this much, the time does not change, so that no episode ends
/// twice.
const MAX_CLOCK_CORRECTION: SignedDuration = SignedDuration::from_mins(1);

/// One followed input.
pub(super) struct Stream {
    /// The name of the input, printable.
    name: String,
    engine: Engine,
    source: usize,
    tracker: IncidentTracker,
    held_changes: HeldChanges,
    /// Known after the first line that is not blank.
    format: Option<Format>,
    buffer: LineBuffer,
    /// Lines read from the input.
    lines: u64,
    /// Lines read before the current file; more than 0 after a rotation.
    lines_before: u64,
    /// The content that existed at the start has been read.
    is_live: bool,
    now: Timestamp,
    /// The last time that alerts past their retention were removed.
    retired: Timestamp,
    /// Malformed lines that were reported.
    malformed: u64,
    /// Alerts left out by the sender that were reported.
    truncated: u64,
    malformed_warnings: Warnings,
    /// Warnings that the caller has not taken yet.
    pending_warnings: Vec<String>,
    emitted: BTreeMap<Change, u64>,
}

/// The incidents and totals at the start or at the end.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) at: Timestamp,
    pub(super) source: String,
    /// The name of the format.
    pub(super) format: Option<String>,
    /// The totals in one sentence.
    pub(super) sentence: String,
    pub(super) totals: Totals,
    /// The input, if nothing in it could be read so far.
    pub(super) unread: Vec<Unread>,
    /// Incidents that page or ask for a ticket.
    pub(super) open: Vec<Notification>,
    /// Number of notices since the start, by change.
    pub(super) emitted: BTreeMap<Change, u64>,
}

impl Stream {
    /// # Errors
    /// The format is one document and cannot be followed.
    pub(super) fn new(
        name: &str,
        rules: Rules,
        format: Option<Format>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut engine = Engine::new(rules);
        let source = engine.add_source(name);
        let name = if name == "-" { "standard input".to_owned() } else { printable(name) };
        let stream = Self {
            malformed_warnings: Warnings::new(name.clone()),
            name,
            engine,
            source,
            tracker: IncidentTracker::default(),
            held_changes: HeldChanges::default(),
            format,
            buffer: LineBuffer::default(),
            lines: 0,
            lines_before: 0,
            is_live: false,
            now,
            retired: now,
            malformed: 0,
            truncated: 0,
            pending_warnings: Vec::new(),
            emitted: BTreeMap::new(),
        };
        stream.refuse_documents(format)?;
        Ok(stream)
    }

    /// Sets the zone of times without one.
    pub(super) fn set_time_zone(&mut self, zone: TimeZone) {
        self.engine.set_time_zone(zone);
    }

    /// Reads the lines that are complete with these bytes.
    pub(super) fn read(&mut self, bytes: Vec<u8>, now: Timestamp) -> anyhow::Result<()> {
        self.set_clock(now);
        let lines = self.buffer.push(bytes, self.format);
        self.read_lines(&lines)
    }

    /// Ends the reading of content that existed at the start, and returns its summary. Changes
    /// after this are emitted.
    pub(super) fn caught_up(&mut self, now: Timestamp) -> anyhow::Result<Summary> {
        self.set_clock(now);
        if self.format.is_none() && !self.buffer.pending().is_empty() {
            self.refuse_documents(Some(self.detect(self.buffer.pending())))?;
        }
        self.is_live = true;
        let malformed = self.new_malformed();
        let count = self.engine.malformed() - std::mem::replace(&mut self.malformed, self.engine.malformed());
        self.pending_warnings.extend(self.malformed_warnings.at_start(&malformed, count));
        self.engine.set_arrival(self.now);
        self.update();
        Ok(self.summary())
    }

    /// Judges all alerts at `now` and returns the notices. Time alone can cause some.
    pub(super) fn judge(&mut self, now: Timestamp) -> Vec<Notification> {
        self.set_clock(now);
        self.pending_warnings.extend(self.malformed_warnings.tick(self.now));
        let notices = self.update();
        let notices = self.held_changes.pass(notices, self.now);
        // After the notices: an alert must be reported as closed before it is removed.
        if self.now.duration_since(self.retired).abs() >= RETIRE_INTERVAL {
            self.retired = self.now;
            self.engine.retire(self.now, RETENTION);
        }
        self.count(&notices);
        notices
    }

    fn count(&mut self, notices: &[Notification]) {
        for notice in notices {
            *self.emitted.entry(notice.change).or_default() += 1;
        }
    }

    /// Continues with the start of another file. A last line without a line end is complete.
    pub(super) fn rotated(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.set_clock(now);
        let last = self.buffer.take();
        self.read_lines(&last)?;
        self.pending_warnings
            .push(format!("{} was replaced: reading the new file from its start", self.name));
        self.lines_before = self.lines;
        Ok(())
    }

    /// Continues with the start of a file that was emptied. A line that this cut is dropped: it
    /// could name another alert.
    pub(super) fn truncated(&mut self, now: Timestamp) {
        self.set_clock(now);
        let cut = self.buffer.take();
        let lost = match cut.trim_ascii().is_empty() {
            true => String::new(),
            false => format!("; dropped a line whose end is lost: {}", printable(&cut)),
        };
        self.pending_warnings.push(format!("{} was truncated: reading it from its start{lost}", self.name));
        self.lines_before = self.lines;
    }

    /// Ends the input, and returns the notices of its last line, with or without a line end.
    pub(super) fn end(&mut self, now: Timestamp) -> anyhow::Result<Vec<Notification>> {
        self.set_clock(now);
        let last = self.buffer.take();
        if !last.is_empty() && self.format.is_none() {
            self.refuse_documents(Some(self.detect(&last)))?;
        }
        self.read_lines(&last)?;
        let mut notices = self.judge(now);
        notices.extend(self.held());
        Ok(notices)
    }

    /// Takes the changes that were held back.
    pub(super) fn held(&mut self) -> Vec<Notification> {
        let held = self.held_changes.flush();
        self.count(&held);
        held
    }

    /// The summary as of the last judgement.
    pub(super) fn summary(&mut self) -> Summary {
        self.pending_warnings.extend(self.malformed_warnings.flush());
        let format = self.format.map(|format| self.engine.rules().format_name(format).to_owned());
        let report = self.engine.report(Some(self.now));
        Summary {
            at: self.now,
            source: self.name.clone(),
            format,
            sentence: phrases::totals_sentence(&report),
            totals: report.totals(),
            unread: report.unread().collect(),
            open: self.tracker.open_notifications(&report),
            emitted: self.emitted.clone(),
        }
    }

    /// The time of the last judgement or read.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes the warnings since the last call.
    pub(super) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.pending_warnings)
    }

    fn set_clock(&mut self, now: Timestamp) {
        let back = self.now.duration_since(now);
        if back <= SignedDuration::ZERO || back > MAX_CLOCK_CORRECTION {
            self.now = now;
        }
    }

    fn read_lines(&mut self, lines: &[u8]) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.format.is_none() && !without_mark(lines).trim_ascii().is_empty() {
            let format = self.detect(lines);
            self.refuse_documents(Some(format))?;
            self.format = Some(format);
        }
        self.engine.set_reference(self.now);
        if self.is_live {
            self.engine.set_arrival(self.now);
        }
        // Blank lines are the same in all formats.
        self.engine.read_on(self.source, self.format.unwrap_or(Format::Lines), lines);
        self.lines += memchr::memchr_iter(b'\n', lines).count() as u64 + u64::from(!lines.ends_with(b"\n"));
        if self.is_live && self.engine.malformed() > self.malformed {
            let malformed = self.new_malformed();
            let count =
                self.engine.malformed() - std::mem::replace(&mut self.malformed, self.engine.malformed());
            self.pending_warnings.extend(self.malformed_warnings.malformed(&malformed, count, self.now));
        }
        Ok(())
    }

    /// New malformed lines, numbered in the current file.
    fn new_malformed(&mut self) -> Vec<(u64, String)> {
        let before = self.lines_before;
        let malformed = self.engine.take_malformed().into_iter();
        malformed.map(|one| (one.line.saturating_sub(before), one.error)).collect()
    }

    fn update(&mut self) -> Vec<Notification> {
        let report = self.engine.report(Some(self.now));
        self.pending_warnings.extend(left_out_by_sender(&report, &mut self.truncated));
        self.tracker.notifications(&report)
    }

    /// Like [`Rules::detect`] for a stream: a payload on the first line is one of many.
    fn detect(&self, head: &[u8]) -> Format {
        let first = without_mark(head).trim_ascii_start();
        let end = memchr::memchr(b'\n', first).unwrap_or(first.len());
        let mut head = first[..end].to_vec();
        if head.starts_with(b"{") {
            head.extend_from_slice(b"\n{}\n");
        }
        self.engine.rules().detect(&head)
    }

    fn refuse_documents(&self, format: Option<Format>) -> anyhow::Result<()> {
        let Some(format) = format.filter(|format| !format.is_lines()) else { return Ok(()) };
        bail!(
            "{} cannot be followed as {}, which is one document and not a stream of lines: read it once with `triage FILE`, \
             or give --format lines, jsonl or syslog",
            self.name,
            self.engine.rules().format_name(format)
        );
    }
}

/// The text without a byte order mark.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// The warning that a sender left alerts out (`truncatedAlerts`), if it left out more since the
/// last one.
fn left_out_by_sender(report: &Report<'_>, before: &mut u64) -> Option<String> {
    let truncated = report.totals().truncated;
    let more = truncated - std::mem::replace(before, truncated);
    let what = phrases::counted(more, "alert");
    (more > 0).then(|| format!("the sender left out {what} (truncatedAlerts): see the source for them"))
}
