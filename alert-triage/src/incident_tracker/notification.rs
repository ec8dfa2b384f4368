//! Notifications: what changed about an incident, a group or the overflow.

use serde::Serialize;

use crate::judge::GroupIx;
use crate::printable::{self, printable};
use crate::report::{self, Labels, Report};
use crate::verdict::{Notify, Priority};

/// The change that a notification reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Change {
    /// A new incident.
    Opened,
    /// More urgent than in its last notification.
    Escalated,
    /// Firing again after it closed.
    Reopened,
    /// No longer silenced.
    Unsilenced,
    /// Another instance of its alert began more than 10 minutes after the one before.
    Grew,
    /// As urgent as in its last notification, but with another headline, another alert that pages
    /// on its own, another scope of its group, or another incident merged into it. Notifies nobody.
    Changed,
    /// No longer needs a person. Notifies nobody.
    Closed,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Change::Opened => "opened",
            Change::Escalated => "escalated",
            Change::Reopened => "reopened",
            Change::Unsilenced => "unsilenced",
            Change::Grew => "grew",
            Change::Changed => "changed",
            Change::Closed => "closed",
        })
    }
}

/// The last notification, and the number of notifications so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastNotified {
    pub(super) change: Change,
    pub(super) priority: Priority,
    pub(super) times: u64,
}

/// A notification of an incident, of a folded group, or of the overflow of alerts beyond the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Notification {
    /// What changed.
    pub change: Change,
    /// The id of the incident, the alert name of the group, or `overflow`.
    pub id: String,
    /// Ids under which the incident was known before incidents merged.
    pub aliases: Vec<String>,
    /// The current priority.
    pub priority: Priority,
    /// How people are notified: by the priority, or not at all if the change notifies nobody.
    pub notify: Notify,
    /// The name of the alert to read first.
    pub headline: String,
    /// The labels of that alert, including its scope; empty for a group and the overflow.
    #[serde(serialize_with = "report::labels")]
    pub labels: Labels,
    /// The free text of that alert, with ids and times masked.
    #[serde(skip_serializing_if = "String::is_empty", serialize_with = "printable::serialize")]
    pub text: String,
    /// The scope; `None` if there are several, empty without scope labels.
    #[serde(serialize_with = "report::maybe_labels")]
    pub scope: Option<Labels>,
    /// The scopes, if there are several.
    #[serde(serialize_with = "report::maybe_many_labels")]
    pub scopes: Option<Vec<Labels>>,
    /// The number of firing instances of the headline, if there are several.
    #[serde(skip_serializing_if = "is_single")]
    pub instances: u64,
    /// The reasons, one sentence each.
    #[serde(serialize_with = "printable::serialize_all")]
    pub because: Vec<String>,
    /// Identifies the notification: a receiver may drop a key that it has seen.
    pub key: String,
}

impl Notification {
    /// The notification as sent: [`Change::Changed`] does not page again.
    pub(super) fn without_repeated_page(self) -> Self {
        match self.change {
            Change::Changed => Self { notify: Notify::None, ..self },
            _ => self,
        }
    }

    /// The id of its incident; `None` for a group and the overflow.
    pub(crate) fn incident(&self) -> Option<u64> {
        let (key, _) = self.key.rsplit_once('/')?;
        if key == self.id { u64::from_str_radix(key, 16).ok() } else { None }
    }
}

/// A notification with no fields that only some kinds have.
pub(super) fn new(
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
        instances: 0,
        because: Vec::new(),
        key: format!("{key}/{times}"),
    }
}

pub(super) fn for_group(report: &Report<'_>, group: GroupIx, last: LastNotified) -> Notification {
    let name = report.group_name(group);
    let scopes = report.group_scopes(group);
    let because = format!("it is firing in {} scopes: one notification covers all of them", scopes.len());
    Notification { scopes: Some(scopes), because: vec![because], ..new(last, name, &group_key(name)) }
}

pub(super) fn for_overflow(last: LastNotified) -> Notification {
    let because = "there are more distinct alerts than the limit of the rules: the least severe are only counted per \
                   severity; a label or a name probably contains ids";
    Notification { because: vec![because.to_owned()], ..new(last, "overflow", "overflow") }
}

fn is_single(instances: &u64) -> bool {
    *instances < 2
}

const GROUP: &str = "group/";

pub(super) fn group_key(name: &str) -> String {
    format!("{GROUP}{}", printable(name))
}

pub(super) fn hex(id: u64) -> String {
    format!("{id:016x}")
}
