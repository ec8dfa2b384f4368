//! What there is to tell.

use serde::Serialize;

use crate::judge::GroupIx;
use crate::printable::{self, printable};
use crate::report::{self, Labels, Report};
use crate::verdict::{Notify, Priority};

/// Why to say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Was not there before.
    Opened,
    /// Is more urgent than when it was told of last.
    Escalated,
    /// Was over, and is not.
    Reopened,
    /// Was silenced, and is not.
    Unsilenced,
    /// Is as urgent as when it was told of last, but headed by another alert, or there is more of it: another alert that
    /// pages by itself, another scope of a group, another incident. Nobody is woken by that.
    Changed,
    /// Asks for nobody any more; nobody is woken by that.
    Closed,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Change::Opened => "opened",
            Change::Escalated => "escalated",
            Change::Reopened => "reopened",
            Change::Unsilenced => "unsilenced",
            Change::Changed => "changed",
            Change::Closed => "closed",
        })
    }
}

/// As told last, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastNotified {
    pub(super) change: Change,
    pub(super) priority: Priority,
    pub(super) times: u64,
}

/// One thing to tell somebody: of an incident, of a group that takes one notification, or that alerts overflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// What is new.
    pub change: Change,
    /// The incident's id; of a group the alert's name, of the overflow `overflow`.
    pub id: String,
    /// Ids under which the incident was known before incidents merged.
    pub aliases: Vec<String>,
    /// As of now.
    pub priority: Priority,
    /// By the priority; of news that wakes nobody, none.
    pub notify: Notify,
    /// The alert to read first.
    pub headline: String,
    /// The labels of that alert, its scope among them; empty for a group and the overflow.
    #[serde(serialize_with = "report::labels")]
    pub labels: Labels,
    /// Its free text, ids and times masked.
    #[serde(skip_serializing_if = "String::is_empty", serialize_with = "printable::serialize")]
    pub text: String,
    /// Where it is; none if in several scopes, empty where nothing says.
    #[serde(serialize_with = "report::maybe_labels")]
    pub scope: Option<Labels>,
    /// Where it is, if in several scopes.
    #[serde(serialize_with = "report::maybe_many_labels")]
    pub scopes: Option<Vec<Labels>>,
    /// Why it is what it is, in sentences.
    #[serde(serialize_with = "printable::serialize_all")]
    pub because: Vec<String>,
    /// The same for the same news: a receiver that has seen it may drop it.
    pub key: String,
}

impl Notification {
    /// As news; what only changed wakes nobody a second time.
    pub(super) fn into_news(self) -> Self {
        match self.change {
            Change::Changed => Self { notify: Notify::None, ..self },
            _ => self,
        }
    }

    /// The id of the incident it is about; a group and the overflow have none.
    pub(crate) fn incident(&self) -> Option<u64> {
        let (key, _) = self.key.rsplit_once('/')?;
        if key == self.id { u64::from_str_radix(key, 16).ok() } else { None }
    }
}

/// Without what only some have.
pub(super) fn of(
    LastNotified { change, priority, times }: LastNotified,
    headline: &str,
    key: &str,
) -> Notification {
    let headline = printable(headline);
    let id = if key.starts_with(GROUP) { headline.clone() } else { key.to_owned() };
    Notification {
        change,
        id,
        aliases: Vec::new(),
        priority,
        notify: priority.notify(),
        headline,
        labels: Labels::new(),
        text: String::new(),
        scope: None,
        scopes: None,
        because: Vec::new(),
        key: format!("{key}/{times}"),
    }
}

pub(super) fn of_group(report: &Report<'_>, group: GroupIx, told: LastNotified) -> Notification {
    let name = report.group_name(group);
    let scopes = report.group_scopes(group);
    let because = format!("it stands in {} scopes: one notification is for all of them", scopes.len());
    Notification { scopes: Some(scopes), because: vec![because], ..of(told, name, &group_key(name)) }
}

pub(super) fn of_overflow(told: LastNotified) -> Notification {
    let because = "there are more distinct alerts than the limit of the rules: the mildest are counted and not told \
                   apart; a label or a name probably contains ids";
    Notification { because: vec![because.to_owned()], ..of(told, "overflow", "overflow") }
}

const GROUP: &str = "group/";

pub(super) fn group_key(name: &str) -> String {
    format!("{GROUP}{}", printable(name))
}

pub(super) fn hex(id: u64) -> String {
    format!("{id:016x}")
}
