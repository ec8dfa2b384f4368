//! The limits of a report.

use std::collections::BTreeMap;

use super::view::Report;
use super::wording::{counted, list};
use crate::judge::{AlertVerdict, Flags};
use crate::rules::SeveritySource;
use crate::verdict::Verdict;

impl Report<'_> {
    /// The limits of the report, one sentence each.
    pub fn caveats(&self) -> Vec<String> {
        let engine = self.evaluation.engine;
        let totals = self.totals();
        let mut caveats = Vec::new();
        if totals.records == 0 && self.unread().next().is_some() {
            // The report says first that nothing could be read.
        } else if totals.records == 0 {
            caveats.push("nothing to report: the input contains no alert".to_owned());
        } else if self.now().is_none() {
            caveats
                .push("no record carries a time: no alert can be sustained, obsolete or flapping".to_owned());
        }
        caveats.extend(self.unknown_severity_words());
        if engine.yearless > 0 {
            let times = counted(engine.yearless, "time");
            caveats.push(format!(
                "{times} without a year could not be resolved and {} ignored: give the current time with --now",
                if engine.yearless == 1 { "was" } else { "were" }
            ));
        }
        if engine.times.has_assumed_zone() {
            caveats.push(format!(
                "times without a zone are taken for {}: --timezone sets another one",
                engine.times.zone_name()
            ));
        }
        let stated = engine.stated;
        if stated.times > stated.lines {
            let (lines, say) =
                (counted(stated.lines, "line"), if stated.lines == 1 { "says" } else { "say" });
            caveats.push(format!(
                "{lines} {say} how often an alert came (`uniq -c`, `x3`, `(3 times)`), {} times in all: a line is \
                 counted once",
                stated.times
            ));
        }
        let is_obsolete = |alert: &&AlertVerdict| {
            alert.verdict == Verdict::Obsolete
                && alert.severity.class() < 2
                && !alert.flags.contains(Flags::GONE)
        };
        let obsolete = self.evaluation.alerts.iter().filter(is_obsolete).count() as u64;
        if let Some(now) = self.now().filter(|_| obsolete > 0) {
            let (alerts, are) = (counted(obsolete, "alert"), if obsolete == 1 { "is" } else { "are" });
            caveats.push(format!(
                "{alerts} of high severity {are} set aside as obsolete: no record reports the end or is recent at {now}; \
                 give the current time with --now, or a longer limit with `ttls` in the rules"
            ));
        }
        if self.evaluation.has_unusable_silences {
            caveats.push(
                "silences with a start or an end do not apply without a current time: give it with --now"
                    .to_owned(),
            );
        }
        if totals.truncated > 0 {
            let alerts = counted(totals.truncated, "alert");
            let were = if totals.truncated == 1 { "was" } else { "were" };
            caveats.push(format!(
                "{alerts} {were} left out by the sender (truncatedAlerts): query the source for them"
            ));
        }
        if let Some(overflow) = self.overflow() {
            caveats.push(format!(
                "overflow, {} {}: {} (critical {}, error {}, warning {}, info {}) of alerts beyond the limit of {} were counted together; a label or a name probably contains ids",
                overflow.priority,
                overflow.notify,
                counted(overflow.count, "record"),
                overflow.critical,
                overflow.error,
                overflow.warning,
                overflow.info,
                engine.rules().limits().identities,
            ));
        }
        caveats
    }

    /// Which words of severities are not known, and how many alerts have each.
    fn unknown_severity_words(&self) -> Option<String> {
        let mut words: BTreeMap<String, u64> = BTreeMap::new();
        for (at, alert) in self.evaluation.alerts.enumerate() {
            if alert.severity_by == SeveritySource::UnknownWord {
                *words.entry(self.severity_word(at)).or_default() += 1;
            }
        }
        let named: Vec<String> =
            (words.iter()).map(|(word, alerts)| format!("{word} ({})", counted(*alerts, "alert"))).collect();
        let (count, are) =
            (counted(words.len() as u64, "severity word"), if words.len() == 1 { "is" } else { "are" });
        (!words.is_empty()).then(|| {
            format!(
                "{count} {are} not known and taken for a warning: {}; say what a word means with a row of `severities` \
                 and `labels: {{severity: WORD}}` in the rules",
                list(&named)
            )
        })
    }
}
