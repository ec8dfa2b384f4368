//! What a stream means as it comes. Bytes and the time come in, notices and warnings go out; nothing here waits.

use std::collections::BTreeMap;

use alert_triage::{Change, Continuity, Engine, Format, Notice, Report, Rules, Totals, printable};
use anyhow::bail;
use jiff::{SignedDuration, Timestamp};

use super::warnings::Warnings;
use super::whole::Whole;
use crate::output::words;

/// What is over and was not heard of for so long is forgotten; looked for once an hour.
const KEEP: SignedDuration = SignedDuration::from_hours(48);
const FORGET_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// A clock that is set back by less than this stands still instead: nothing must end twice.
const CORRECTION: SignedDuration = SignedDuration::from_mins(1);

pub(super) struct Live {
    /// Printable.
    name: String,
    engine: Engine,
    source: usize,
    continuity: Continuity,
    /// Known once a line has come.
    format: Option<Format>,
    whole: Whole,
    /// Lines of the source, and those before the file that is read now.
    lines: u64,
    before: u64,
    /// What was there at the start has been read.
    is_live: bool,
    now: Timestamp,
    forgot: Timestamp,
    malformed: u64,
    truncated: u64,
    warnings: Warnings,
    /// To be said.
    said: Vec<String>,
    told: BTreeMap<Change, u64>,
}

/// How things stand, at the start or at the end.
#[derive(Debug)]
pub(super) struct Sum {
    pub(super) at: Timestamp,
    pub(super) source: String,
    pub(super) format: Option<Format>,
    /// What became of every line.
    pub(super) ledger: String,
    pub(super) totals: Totals,
    /// What asks for somebody.
    pub(super) open: Vec<Notice>,
    /// Notices since the start, by what was new.
    pub(super) told: BTreeMap<Change, u64>,
}

impl Live {
    pub(super) fn new(
        name: &str,
        rules: Rules,
        format: Option<Format>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let mut engine = Engine::new(rules);
        let source = engine.source(name);
        let name = if name == "-" { "standard input".to_owned() } else { printable(name) };
        let live = Self {
            warnings: Warnings::new(name.clone()),
            name,
            engine,
            source,
            continuity: Continuity::default(),
            format,
            whole: Whole::default(),
            lines: 0,
            before: 0,
            is_live: false,
            now,
            forgot: now,
            malformed: 0,
            truncated: 0,
            said: Vec::new(),
            told: BTreeMap::new(),
        };
        live.refuse_documents(format)?;
        Ok(live)
    }

    /// Takes what came.
    pub(super) fn read(&mut self, bytes: Vec<u8>, now: Timestamp) -> anyhow::Result<()> {
        self.set_clock(now);
        let whole = self.whole.push(bytes, self.format);
        self.take(&whole)
    }

    /// What was there at the start has been read: how it stands, and from now on what comes is news.
    pub(super) fn caught_up(&mut self, now: Timestamp) -> anyhow::Result<Sum> {
        self.set_clock(now);
        if self.format.is_none() && !self.whole.pending().is_empty() {
            self.refuse_documents(Some(detect(self.whole.pending())))?;
        }
        self.is_live = true;
        let malformed = self.new_malformed();
        let count = self.engine.malformed() - std::mem::replace(&mut self.malformed, self.engine.malformed());
        self.said.extend(self.warnings.of_before(&malformed, count));
        self.engine.set_arrival(self.now);
        self.update();
        Ok(self.sum())
    }

    /// What is new; as of now, so that time alone may be the news.
    pub(super) fn judge(&mut self, now: Timestamp) -> Vec<Notice> {
        self.set_clock(now);
        self.said.extend(self.warnings.tick(self.now));
        let notices = self.update();
        // Behind the notice that it closed.
        if self.now.duration_since(self.forgot).abs() >= FORGET_EVERY {
            self.forgot = self.now;
            self.engine.retire(self.now, KEEP);
        }
        for notice in &notices {
            *self.told.entry(notice.change).or_default() += 1;
        }
        notices
    }

    /// Another file took the place: a last line without end is a line all the same.
    pub(super) fn rotated(&mut self, now: Timestamp) -> anyhow::Result<()> {
        self.set_clock(now);
        let last = self.whole.take();
        self.take(&last)?;
        self.said.push(format!("{} was replaced: reading the new file from its start", self.name));
        self.before = self.lines;
        Ok(())
    }

    /// The file was emptied. A line that was cut by that would be another alert than was meant.
    pub(super) fn truncated(&mut self, now: Timestamp) {
        self.set_clock(now);
        let cut = self.whole.take();
        let lost = match cut.trim_ascii().is_empty() {
            true => String::new(),
            false => format!("; left out, for its end is lost: {}", printable(&cut)),
        };
        self.said.push(format!("{} was truncated: reading it from its start{lost}", self.name));
        self.before = self.lines;
    }

    /// The stream ended: what is new by its last line, whether it has an end or not.
    pub(super) fn end(&mut self, now: Timestamp) -> anyhow::Result<Vec<Notice>> {
        self.set_clock(now);
        let last = self.whole.take();
        if !last.is_empty() && self.format.is_none() {
            self.refuse_documents(Some(detect(&last)))?;
        }
        self.take(&last)?;
        Ok(self.judge(now))
    }

    /// How things stand after the last judgement.
    pub(super) fn sum(&mut self) -> Sum {
        self.said.extend(self.warnings.sum());
        let report = self.engine.report(Some(self.now));
        Sum {
            at: self.now,
            source: self.name.clone(),
            format: self.format,
            ledger: words::ledger(&report),
            totals: report.totals(),
            open: self.continuity.standing(&report),
            told: self.told.clone(),
        }
    }

    /// By the clock it judges by.
    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// What there is to say beside the notices, once.
    pub(super) fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    fn set_clock(&mut self, now: Timestamp) {
        let back = self.now.duration_since(now);
        if back <= SignedDuration::ZERO || back > CORRECTION {
            self.now = now;
        }
    }

    fn take(&mut self, lines: &[u8]) -> anyhow::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.format.is_none() && !without_mark(lines).trim_ascii().is_empty() {
            let format = detect(lines);
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
            self.said.extend(self.warnings.malformed(&malformed, count, self.now));
        }
        Ok(())
    }

    /// By the lines of the file that is read now.
    fn new_malformed(&mut self) -> Vec<(u64, String)> {
        let before = self.before;
        let malformed = self.engine.take_malformed().into_iter();
        malformed.map(|one| (one.line.saturating_sub(before), one.error)).collect()
    }

    fn update(&mut self) -> Vec<Notice> {
        let report = self.engine.report(Some(self.now));
        self.said.extend(left_out(&report, &mut self.truncated));
        self.continuity.notices(&report)
    }

    fn refuse_documents(&self, format: Option<Format>) -> anyhow::Result<()> {
        let Some(format) = format.filter(|format| !format.is_lines()) else { return Ok(()) };
        bail!(
            "{} cannot be followed as {format}, which is one document and no stream of lines: read it once with `triage FILE`, \
             or give --format lines, jsonl or syslog",
            self.name
        );
    }
}

/// As [`Format::detect`], but more will follow the first line: a payload on one line is one of many.
fn detect(head: &[u8]) -> Format {
    let first = without_mark(head).trim_ascii_start();
    let end = memchr::memchr(b'\n', first).unwrap_or(first.len());
    let mut head = first[..end].to_vec();
    head.extend_from_slice(b"\n{}\n");
    Format::detect(&head)
}

/// Without a byte order mark.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Alerts that a sender says it left out are nowhere in what it sent.
fn left_out(report: &Report<'_>, before: &mut u64) -> Option<String> {
    let truncated = report.totals().truncated;
    let more = truncated - std::mem::replace(before, truncated);
    let what = words::counted(more, "alert");
    (more > 0).then(|| format!("{what} left out by the sender (truncatedAlerts): ask the source for them"))
}

#[cfg(test)]
mod tests;
