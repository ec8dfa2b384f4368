//! Changes on standard output: a line each for people, or an object each for machines.
//!
//! JSON lines are one of three, told apart by their first field:
//!
//! ```text
//! {"snapshot":{"time","source","format","totals","open":[change...],"told":{}}}   once, first
//! {"time","change","id","aliases","priority","notify","headline","labels","text","scope","scopes","because","key"}   each change
//! {"summary":{"time","source","format","totals","open":[change...],"told":{"opened":1...},"ended"}}  once, last
//! ```
//!
//! `change` is opened, rose, reopened, unsilenced, changed or closed; `text` is left out where there is none. `scope` is an object of labels, or null for what is in
//! several `scopes`; one of the two is null. `key` is the same for the same news. In `open` each stands by what was told
//! of it last, as it is now and without a time. `ended` is `input` or the signal's name.

use std::io::{self, Write};

use alert_triage::{Format, Labels, Notice, Totals, printable};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::live::Sum;
use crate::args::FollowOutput;
use crate::output::words;

/// Rows of what asks for somebody, for people.
const ROWS: usize = 20;

/// Scopes named of one incident.
const SCOPES: usize = 3;

/// Characters of reasons behind the first, for people; JSON has all of them.
const BECAUSE: usize = 160;

pub(super) struct Printer<W> {
    to: W,
    output: FollowOutput,
    /// Of the last line; people see the time alone until it changes.
    day: Option<Date>,
}

#[derive(Serialize)]
struct Changed<'n> {
    time: Timestamp,
    #[serde(flatten)]
    notice: &'n Notice,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Stand<'s> {
    Snapshot(Summed<'s>),
    Summary(Summed<'s>),
}

#[derive(Serialize)]
struct Summed<'s> {
    time: Timestamp,
    source: &'s str,
    format: Option<&'static str>,
    totals: Totals,
    open: &'s [Notice],
    told: std::collections::BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<&'s str>,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(output: FollowOutput, to: W) -> Self {
        Self { to, output, day: None }
    }

    /// How things stand before the first change.
    pub(super) fn snapshot(&mut self, sum: &Sum) -> io::Result<()> {
        match self.output {
            FollowOutput::Jsonl => self.json(&Stand::Snapshot(summed(sum, None))),
            FollowOutput::Text => {
                self.day = Some(day(sum.at));
                let at = sum.at.strftime("%F %T");
                writeln!(self.to, "{at} UTC following {}: {}", sum.source, sum.ledger)?;
                self.rows(&sum.open)
            }
        }?;
        self.to.flush()
    }

    pub(super) fn changes(&mut self, notices: &[Notice], time: Timestamp) -> io::Result<()> {
        if notices.is_empty() {
            return Ok(());
        }
        for notice in notices {
            match self.output {
                FollowOutput::Jsonl => self.json(&Changed { time, notice })?,
                FollowOutput::Text => {
                    self.date(time)?;
                    let (at, change) = (time.strftime("%T"), notice.change);
                    let Notice { priority, notify, .. } = notice;
                    writeln!(self.to, "{at} {priority} {notify:<6} {change:<10} {}", what(notice))?;
                }
            }
        }
        self.to.flush()
    }

    /// How things stand when nothing more is read.
    pub(super) fn summary(&mut self, sum: &Sum, ended: &str) -> io::Result<()> {
        match self.output {
            FollowOutput::Jsonl => self.json(&Stand::Summary(summed(sum, Some(ended))))?,
            FollowOutput::Text => {
                self.date(sum.at)?;
                let told: Vec<String> =
                    sum.told.iter().map(|(change, count)| format!("{count} {change}")).collect();
                let told = if told.is_empty() { "nothing changed".to_owned() } else { told.join(", ") };
                let by =
                    if ended == "input" { "the input ended".to_owned() } else { format!("ended by {ended}") };
                writeln!(self.to, "{} {by}, {told}: {}", sum.at.strftime("%T"), sum.ledger)?;
                self.rows(&sum.open)?;
            }
        }
        self.to.flush()
    }

    fn rows(&mut self, open: &[Notice]) -> io::Result<()> {
        for notice in open.iter().take(ROWS) {
            writeln!(self.to, "  {} {:<6} {}", notice.priority, notice.notify, what(notice))?;
        }
        match open.len() {
            0 => writeln!(self.to, "  nothing asks for anybody"),
            1..=ROWS => Ok(()),
            more => writeln!(self.to, "  and {} more", more - ROWS),
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

fn summed<'s>(sum: &'s Sum, ended: Option<&'s str>) -> Summed<'s> {
    let told = sum.told.iter().map(|(change, count)| (change.to_string(), *count)).collect();
    let format = sum.format.map(Format::name);
    Summed { time: sum.at, source: &sum.source, format, totals: sum.totals, open: &sum.open, told, ended }
}

/// Which, where and why.
fn what(notice: &Notice) -> String {
    let mut text = notice.headline.clone();
    match (&notice.scope, &notice.scopes) {
        (Some(scope), _) if !scope.is_empty() => text.push_str(&format!(" {}", words::scope(scope))),
        (_, Some(scopes)) => {
            text.push_str(&format!(" in {}", words::scopes(scopes, scopes.len() as u64, SCOPES)));
        }
        _ => {}
    }
    let beside = |(name, _): &(&String, &String)| {
        name.as_str() != "severity" && notice.scope.iter().all(|scope| !scope.contains_key(*name))
    };
    let own: Labels = notice.labels.iter().filter(beside).map(|(n, v)| (n.clone(), v.clone())).collect();
    if !own.is_empty() {
        text.push_str(&format!(" {}", words::scope(&own)));
    }
    if !notice.text.is_empty() {
        text.push_str(&format!(" `{}`", printable(&notice.text)));
    }
    // A group and the overflow go by their names.
    if notice.id != notice.headline {
        text.push_str(&format!(" id={}", notice.id));
    }
    let mut because = notice.because.iter();
    if let Some(first) = because.next() {
        // The line says the priority already.
        let said = format!("{}, notify {}: ", notice.priority, notice.priority.notify());
        text.push_str(&format!(": {}", printable(first.strip_prefix(&said).unwrap_or(first))));
    }
    let mut room = BECAUSE;
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
