//! Prints changes: one line of text or one JSON object each.
//!
//! A JSON line has one of three shapes, which differ in their first field:
//!
//! ```text
//! {"snapshot":{"time","source","format","totals","unread","open":[change...],"emitted":{}}}   once, first
//! {"time","change","id","aliases","priority","notify","headline","labels","text","scope","scopes","instances","because","key"}   each change
//! {"summary":{"time","source","format","totals","unread","open":[change...],"emitted":{"opened":1...},"ended"}}  once, last
//! ```
//!
//! `change` is opened, escalated, reopened, unsilenced, grew, changed or closed. `text` is omitted
//! if it is empty, and `instances` below 2. One of `scope` (an object of labels) and `scopes` is
//! null. Equal changes have equal `key`s. `open` lists incidents with their current values and the
//! `change` emitted last, without a time. `ended` is `input` or the name of a signal.

use std::io::{self, Write};

use alert_triage::incident_tracker::Notification;
use alert_triage::printable;
use alert_triage::report::{Labels, Totals, Unread};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::stream::Summary;
use crate::args::FollowOutput;
use crate::output::{labels, phrases};

/// Open incidents that are listed in text.
const MAX_ROWS: usize = 20;

/// Scopes that are named of one incident.
const MAX_SCOPES: usize = 3;

/// Characters of the reasons after the first one, in text; JSON has all of them.
const MAX_REASONS_LEN: usize = 160;

/// Prints in the format of `--output`.
pub(super) struct Printer<W> {
    to: W,
    output: FollowOutput,
    /// The day of the last line. Text shows the date only when it changes.
    day: Option<Date>,
}

#[derive(Serialize)]
struct ChangeLine<'n> {
    time: Timestamp,
    #[serde(flatten)]
    notice: &'n Notification,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum SummaryLine<'s> {
    Snapshot(SummaryBody<'s>),
    Summary(SummaryBody<'s>),
}

#[derive(Serialize)]
struct SummaryBody<'s> {
    time: Timestamp,
    source: &'s str,
    format: Option<&'s str>,
    totals: Totals,
    unread: &'s [Unread],
    open: &'s [Notification],
    emitted: std::collections::BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'s str>,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(output: FollowOutput, to: W) -> Self {
        Self { to, output, day: None }
    }

    /// Prints the state at the start.
    pub(super) fn snapshot(&mut self, summary: &Summary) -> io::Result<()> {
        match self.output {
            FollowOutput::Jsonl => self.json(&SummaryLine::Snapshot(summary_body(summary, None))),
            FollowOutput::Text => {
                self.day = Some(day(summary.at));
                self.unread(&summary.unread)?;
                let at = summary.at.strftime("%F %T");
                writeln!(self.to, "{at} UTC following {}: {}", summary.source, summary.sentence)?;
                self.rows(&summary.open)
            }
        }?;
        self.to.flush()
    }

    /// Prints the notices of one judgement.
    pub(super) fn changes(&mut self, notices: &[Notification], time: Timestamp) -> io::Result<()> {
        if notices.is_empty() {
            return Ok(());
        }
        for notice in notices {
            match self.output {
                FollowOutput::Jsonl => self.json(&ChangeLine { time, notice })?,
                FollowOutput::Text => {
                    self.date(time)?;
                    let (at, change) = (time.strftime("%T"), notice.change);
                    let Notification { priority, notify, .. } = notice;
                    writeln!(self.to, "{at} {priority} {notify:<6} {change:<10} {}", describe(notice))?;
                }
            }
        }
        self.to.flush()
    }

    /// Prints the state at the end.
    pub(super) fn summary(&mut self, summary: &Summary, ended: &str) -> io::Result<()> {
        match self.output {
            FollowOutput::Jsonl => self.json(&SummaryLine::Summary(summary_body(summary, Some(ended))))?,
            FollowOutput::Text => {
                self.date(summary.at)?;
                self.unread(&summary.unread)?;
                let counts: Vec<String> =
                    summary.emitted.iter().map(|(change, count)| format!("{count} {change}")).collect();
                let counts = if counts.is_empty() { "no changes".to_owned() } else { counts.join(", ") };
                let by =
                    if ended == "input" { "input ended".to_owned() } else { format!("stopped by {ended}") };
                writeln!(self.to, "{} {by}, {counts}: {}", summary.at.strftime("%T"), summary.sentence)?;
                self.rows(&summary.open)?;
            }
        }
        self.to.flush()
    }

    fn unread(&mut self, unread: &[Unread]) -> io::Result<()> {
        unread.iter().try_for_each(|unread| writeln!(self.to, "{}", phrases::unread(unread)))
    }

    fn rows(&mut self, open: &[Notification]) -> io::Result<()> {
        for notice in open.iter().take(MAX_ROWS) {
            writeln!(self.to, "  {} {:<6} {}", notice.priority, notice.notify, describe(notice))?;
        }
        match open.len() {
            0 => writeln!(self.to, "  no open incidents"),
            1..=MAX_ROWS => Ok(()),
            more => writeln!(self.to, "  and {} more", more - MAX_ROWS),
        }
    }

    fn date(&mut self, time: Timestamp) -> io::Result<()> {
        if self.day.replace(day(time)).is_some_and(|before| before != day(time)) {
            writeln!(self.to, "{} UTC", time.strftime("%F"))?;
        }
        Ok(())
    }

    fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.to, value)?;
        writeln!(self.to)
    }
}

fn day(time: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(time).date()
}

fn summary_body<'s>(summary: &'s Summary, ended: Option<&'s str>) -> SummaryBody<'s> {
    let emitted = summary.emitted.iter().map(|(change, count)| (change.to_string(), *count)).collect();
    let format = summary.format.as_deref();
    SummaryBody {
        time: summary.at,
        source: &summary.source,
        format,
        totals: summary.totals,
        unread: &summary.unread,
        open: &summary.open,
        emitted,
        ended,
    }
}

/// The headline, scope, id and reasons of a notice.
fn describe(notice: &Notification) -> String {
    let mut text = notice.headline.clone();
    if notice.instances > 1 {
        text.push_str(&format!(" x{}", notice.instances));
    }
    match (&notice.scope, &notice.scopes) {
        (Some(scope), _) if !scope.is_empty() => text.push_str(&format!(" {}", labels::scope(scope))),
        (_, Some(scopes)) => {
            text.push_str(&format!(" in {}", labels::scopes(scopes, scopes.len() as u64, MAX_SCOPES)));
        }
        _ => {}
    }
    let beside = |(name, _): &(&String, &String)| {
        name.as_str() != "severity" && notice.scope.iter().all(|scope| !scope.contains_key(*name))
    };
    let own: Labels = notice.labels.iter().filter(beside).map(|(n, v)| (n.clone(), v.clone())).collect();
    if !own.is_empty() {
        text.push_str(&format!(" {}", labels::scope(&own)));
    }
    if !notice.text.is_empty() {
        text.push_str(&format!(" `{}`", printable(&notice.text)));
    }
    // The id of a group or of the overflow is its headline.
    if notice.id != notice.headline {
        text.push_str(&format!(" id={}", notice.id));
    }
    let mut because = notice.because.iter();
    if let Some(first) = because.next() {
        // The line shows the priority already.
        let prefix = format!("{}, notify {}: ", notice.priority, notice.priority.notify());
        text.push_str(&format!(": {}", printable(first.strip_prefix(&prefix).unwrap_or(first))));
    }
    let mut room = MAX_REASONS_LEN;
    for more in because {
        room = room.saturating_sub(more.chars().count());
        text.push_str("; ");
        if room == 0 {
            text.push('…');
            break;
        }
        text.push_str(&printable(more));
    }
    text
}
