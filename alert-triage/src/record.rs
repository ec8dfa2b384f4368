use std::borrow::Cow;

use jiff::Timestamp;

/// One alert event as some source told it, in the terms all sources share.
///
/// What a source does not say stays absent; nothing is guessed here. Readers of the [formats](crate::Format) make
/// records, [`Engine::ingest`](crate::Engine::ingest) takes them, and so may a program of its own:
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
    /// The alert's name; never empty.
    pub alert: Cow<'a, str>,
    /// Labels as told, the name not among them; a later one of the same name wins.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Free text behind the name; part of the identity once its ids and times are masked.
    pub text: Cow<'a, str>,
    /// The record's own state, never its group's.
    pub status: Status,
    /// When the source said it.
    pub time: Option<Timestamp>,
    /// Start of the episode, in formats that carry it. With it, a repeat is a duplicate.
    pub starts: Option<Timestamp>,
    /// What the source says of the end.
    pub ends: Ends,
    /// A key by which the source joins its events, such as PagerDuty's `dedup_key`.
    pub key: Option<Cow<'a, str>>,
    /// The source says each thing once: a repeat of equal labels, time and state is the same record delivered again.
    /// Always so with [`starts`](Record::starts).
    pub keyed: bool,
    /// The answer to a question about the present, and not an event: what it holds is seen at any later `now`.
    pub snapshot: bool,
    /// Whether the source suppresses the alert.
    pub suppression: Suppression<'a>,
}

/// The state that one record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Will fire unless it goes away.
    Pending,
    /// Said each time it happens, and never that it is over: a line of a log.
    Event,
    /// Stands until it is said to be over.
    Firing,
    /// Is over.
    Resolved,
}

/// What a record says of the end of its episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// Nothing, or the year 1, by which Prometheus means nothing.
    #[default]
    Open,
    /// Ends then, if nothing told later moves it: resolved once that is past.
    At(Timestamp),
    /// The source gives it up then: not resolved, but obsolete.
    TimesOut(Timestamp),
}

/// Whether the source itself holds the alert back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Suppression<'a> {
    /// It does not.
    #[default]
    None,
    /// By a silence of the source, with its id.
    Silenced(Cow<'a, str>),
    /// By another alert of the source, with its fingerprint.
    Inhibited(Cow<'a, str>),
}

impl<'a> Record<'a> {
    /// A firing alert of which nothing else is known yet.
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
            snapshot: false,
            suppression: Suppression::None,
        }
    }

    /// With one more label.
    #[must_use]
    pub fn label(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// With another state.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// Said at that time.
    #[must_use]
    pub fn at(mut self, time: Timestamp) -> Self {
        self.time = Some(time);
        self
    }

    /// Of the episode that began then.
    #[must_use]
    pub fn since(mut self, starts: Timestamp) -> Self {
        self.starts = Some(starts);
        self
    }

    /// With that end.
    #[must_use]
    pub fn ends(mut self, ends: Ends) -> Self {
        self.ends = ends;
        self
    }

    /// The same, borrowing nothing.
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
            snapshot: self.snapshot,
            suppression: match self.suppression {
                Suppression::None => Suppression::None,
                Suppression::Silenced(by) => Suppression::Silenced(owned(by)),
                Suppression::Inhibited(by) => Suppression::Inhibited(owned(by)),
            },
        }
    }

    /// The newest instant that this record proves to have passed; never an end that is only announced, nor a start
    /// beyond the moment at which it was told: Alertmanager takes the end for the start of an alert that has none.
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
