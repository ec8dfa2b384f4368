//! Records: single alert events, the input of an engine.

use std::borrow::Cow;

use jiff::Timestamp;

/// One alert event of a source, in the terms that all sources share.
///
/// A field that the source does not send is absent. The readers of the [formats](crate::Format)
/// make records, and so can a program of its own:
///
/// ```
/// use alert_triage::{Engine, Record, Rules, SourcePosition};
///
/// let mut engine = Engine::new(Rules::builtin());
/// let record = Record::firing("SwypeGatewayDown").label("zone", "AB");
/// engine.ingest(SourcePosition::new(0, 0, 1), &record);
/// assert_eq!(engine.report(None).totals().pages, 1);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Record<'a> {
    /// The alert's name. Empty only in an end that names its alert by `key`.
    pub alert: Cow<'a, str>,
    /// The labels, without the alert's name. Of two labels with one name the later wins.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Free text after the name. It is part of the identity, with ids and times masked.
    pub text: Cow<'a, str>,
    /// The record's own state, never its group's.
    pub status: Status,
    /// When the source sent the record.
    pub time: Option<Timestamp>,
    /// The start of the episode, in formats that carry it. A repeat with the same start is a
    /// duplicate.
    pub starts: Option<Timestamp>,
    /// The end of the episode.
    pub ends: Ends,
    /// A key by which the source joins its events, such as PagerDuty's `dedup_key`.
    pub key: Option<Cow<'a, str>>,
    /// Whether the source sends each event once, so that a repeat with equal labels, time and state
    /// is the same record delivered again. Always the case with [`starts`](Record::starts).
    pub keyed: bool,
    /// Whether a resolve ends the alerts that carry its [`key`](Record::key), whatever their names
    /// and labels. For a source whose resolves lack a part of the identity, such as the severity.
    /// Without a key it has no effect.
    pub ends_by_key: bool,
    /// Whether the record is part of a snapshot of the present. Such an alert counts as seen at any
    /// later `now`.
    pub snapshot: bool,
    /// Whether the source suppresses the alert.
    pub suppression: Suppression<'a>,
    /// Whether somebody acknowledged the alert.
    pub acknowledged: bool,
    /// When somebody acknowledged it; otherwise the record's time counts.
    pub acknowledged_at: Option<Timestamp>,
    /// The severity, for a source in which it changes while the alert stays the same, such as a
    /// check that warns first. That of the newest record counts, and takes precedence over the
    /// label `severity`. It is not part of the identity.
    pub severity: Option<Cow<'a, str>>,
    /// Texts for people, such as a summary, a link and a runbook. They are not part of the
    /// identity; the report shows those of the newest record that has any.
    pub annotations: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The state in one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The alert will fire unless its condition ends.
    Pending,
    /// An occurrence without a resolve, such as a line of a log.
    Event,
    /// The alert fires until it is resolved.
    Firing,
    /// The alert is over.
    Resolved,
}

/// The end of an episode, as in one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// No end. Prometheus sends the year 1.
    #[default]
    Open,
    /// Resolved once this instant has passed, unless a later record moves it.
    At(Timestamp),
    /// The source gives the alert up at this instant: it becomes obsolete, not resolved.
    TimesOut(Timestamp),
}

/// Whether the source itself suppresses the alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Suppression<'a> {
    /// Not suppressed.
    #[default]
    None,
    /// By a silence of the source, with its id.
    Silenced(Cow<'a, str>),
    /// By another alert of the source, with its fingerprint.
    Inhibited(Cow<'a, str>),
}

impl<'a> Record<'a> {
    /// A firing alert with only a name.
    pub fn firing(alert: impl Into<Cow<'a, str>>) -> Self {
        Self {
            alert: alert.into(),
            labels: Vec::new(),
            text: Cow::Borrowed(""),
            status: Status::Firing,
            time: None,
            starts: None,
            ends: Ends::Open,
            key: None,
            keyed: false,
            ends_by_key: false,
            snapshot: false,
            suppression: Suppression::None,
            acknowledged: false,
            acknowledged_at: None,
            severity: None,
            annotations: Vec::new(),
        }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Sets the state.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Sets the time at which the source sent the record.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets the start of the episode.
    #[must_use]
    pub fn since(mut self, starts: Timestamp) -> Self {
        self.starts = Some(starts);
        self
    }

    /// Sets the end of the episode.
    #[must_use]
    pub fn ends(mut self, ends: Ends) -> Self {
        self.ends = ends;
        self
    }

    /// Whether the record has a name, and ends the alerts that carry its key.
    pub(crate) fn is_named_end(&self) -> bool {
        let has_key = self.key.as_ref().is_some_and(|key| !key.is_empty());
        self.ends_by_key && self.status == Status::Resolved && has_key
    }

    /// Clones all borrowed texts.
    #[must_use]
    pub fn into_owned(self) -> Record<'static> {
        fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        Record {
            alert: owned(self.alert),
            labels: self.labels.into_iter().map(|(name, value)| (owned(name), owned(value))).collect(),
            text: owned(self.text),
            status: self.status,
            time: self.time,
            starts: self.starts,
            ends: self.ends,
            key: self.key.map(owned),
            keyed: self.keyed,
            ends_by_key: self.ends_by_key,
            snapshot: self.snapshot,
            suppression: match self.suppression {
                Suppression::None => Suppression::None,
                Suppression::Silenced(by) => Suppression::Silenced(owned(by)),
                Suppression::Inhibited(by) => Suppression::Inhibited(owned(by)),
            },
            acknowledged: self.acknowledged,
            acknowledged_at: self.acknowledged_at,
            severity: self.severity.map(owned),
            annotations: (self.annotations.into_iter())
                .map(|(name, text)| (owned(name), owned(text)))
                .collect(),
        }
    }

    /// The newest instant that has passed for certain when the record was sent. It is never an
    /// announced end, nor a start later than the record's time: Alertmanager uses the end as the
    /// start of an alert without one.
    pub fn newest(&self) -> Option<Timestamp> {
        let ended = match (self.status, self.ends) {
            (Status::Resolved, Ends::At(at)) => Some(at),
            _ => None,
        };
        self.time.or(self.starts).max(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_passed_is_newest() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let record = || Record::firing("X");
        for (case, record, want) in [
            ("no time", record(), None),
            ("begun", record().since(at(5)), Some(at(5))),
            ("told later", record().since(at(5)).at(at(7)), Some(at(7))),
            ("an end announced", record().since(at(5)).ends(Ends::At(at(9))), Some(at(5))),
            ("a time-out", record().since(at(5)).at(at(7)).ends(Ends::TimesOut(at(9))), Some(at(7))),
            ("over", record().since(at(5)).status(Status::Resolved).ends(Ends::At(at(9))), Some(at(9))),
            (
                "a start that is an end",
                record().since(at(9)).at(at(7)).ends(Ends::TimesOut(at(9))),
                Some(at(7)),
            ),
        ] {
            assert_eq!(record.newest(), want, "{case}");
        }
    }
}
