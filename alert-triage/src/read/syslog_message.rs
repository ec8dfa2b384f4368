//! One syslog message: header and text, by RFC 5424 or RFC 3164.

use std::borrow::Cow;
use std::cell::Cell;

use jiff::tz::Offset;
use syslog_loose::{Message, SyslogSeverity, Variant};

use super::line_record;
use crate::fault::Fault;
use crate::ledger::Engine;
use crate::record::{Record, Status};
use crate::rules::Rules;

pub(super) fn record<'l>(line: &'l str, rules: &Rules, engine: &mut Engine) -> Result<Record<'l>, Fault> {
    let digits = line.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(digits, _)| digits);
    let is_priority = |digits: &str| digits.parse::<u8>().is_ok_and(|priority| priority < 192);
    if !digits.is_some_and(is_priority) {
        return Err(Fault::NotSyslog);
    }
    let times = &engine.times;
    let reference = times.reference;
    let yearless = Cell::new(false);
    // Only the old header has neither a year nor a zone.
    let zoneless = Cell::new(false);
    let year = |date: syslog_loose::IncompleteDate| {
        zoneless.set(true);
        yearless.set(reference.is_none());
        // Without a reference a leap year, in which every date exists.
        reference.and_then(|reference| times.year(date, reference)).map_or(1972, i32::from)
    };
    let Message { severity, timestamp, hostname, appname, msgid, msg, .. } =
        syslog_loose::parse_message_with_year_tz(line, year, Some(chrono::Utc), Variant::Either);
    // RFC 5424 lets a message that is UTF-8 begin with a BOM.
    let msg = msg.trim().trim_start_matches('\u{feff}').trim_start();
    // Without a header the message begins after the priority, and what looks like a header is part
    // of the message.
    let bare = || line_record::strict(line.split_once('>').unwrap_or_default().1.trim(), rules, times);
    let found = line_record::strict(msg, rules, times);
    let mut record =
        match if timestamp.is_none() { found.or_else(|fault| bare().map_err(|_| fault)) } else { found } {
            Ok(record) => record,
            Err(_) => {
                let name = msgid.or(appname).filter(|name| !name.trim().is_empty());
                let mut record =
                    Record::firing(name.ok_or(Fault::Missing {
                        field: "message of a template's shape, MSGID or app name",
                    })?);
                record.status = Status::Event;
                record.text = Cow::Borrowed(msg);
                record
            }
        };
    if yearless.get() {
        engine.yearless += 1;
    } else {
        let stamp = timestamp
            .and_then(|at| jiff::Timestamp::new(at.timestamp(), at.timestamp_subsec_nanos() as i32).ok());
        let stamp = match stamp {
            Some(utc) if zoneless.get() => times.in_zone(Offset::UTC.to_datetime(utc)),
            stamp => stamp,
        };
        record.time = record.time.or(stamp);
    }
    for (name, value) in [("host", hostname), ("app", appname)] {
        if let Some(value) = value.filter(|_| !record.labels.iter().any(|(known, _)| known == name)) {
            record.labels.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
    if let Some(severity) = severity.filter(|_| !record.labels.iter().any(|(name, _)| name == "severity")) {
        record.labels.push((Cow::Borrowed("severity"), Cow::Borrowed(word(severity))));
    }
    Ok(record)
}

/// The alert severity of a syslog severity (RFC 5424 section 6.2.1).
fn word(severity: SyslogSeverity) -> &'static str {
    match severity {
        SyslogSeverity::SEV_EMERG | SyslogSeverity::SEV_ALERT | SyslogSeverity::SEV_CRIT => "critical",
        SyslogSeverity::SEV_ERR => "error",
        SyslogSeverity::SEV_WARNING => "warning",
        SyslogSeverity::SEV_NOTICE | SyslogSeverity::SEV_INFO | SyslogSeverity::SEV_DEBUG => "info",
    }
}
