//! Incidents over time: which one is which, and when to say something again.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::printable::printable;
use crate::report::{Incident, Notify, Priority, Report, Verdict};

/// Follows incidents from report to report.
///
/// Members that stand tell which incident is which. When incidents merge, the id known longest survives and the others
/// become its [aliases](Incident::aliases). A [`Notice`] is due when an incident first asks for somebody, when its
/// priority rises, when it reopens, and when its silence ends; its key stays the same however often it is delivered,
/// and whoever starts again from the same records gets the same keys.
///
/// ```
/// use alert_triage::{Change, Continuity, Engine, Format, Rules};
///
/// let (mut engine, mut continuity) = (Engine::new(Rules::builtin()), Continuity::default());
/// engine.read("1", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// let (_, notices) = continuity.update(&engine.report(None));
/// assert_eq!(notices[0].change, Change::Opened);
///
/// engine.read("2", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// assert!(continuity.update(&engine.report(None)).1.is_empty(), "a repeat is no news");
///
/// engine.read("3", Format::Lines, b"Zone AB: TooFewEndpointsRegistered");
/// let (incidents, notices) = continuity.update(&engine.report(None));
/// assert_eq!((incidents.len(), notices[0].change), (1, Change::Rose));
/// ```
#[derive(Debug, Default)]
pub struct Continuity {
    /// By id, in the order of their first report.
    known: BTreeMap<String, Known>,
    /// Which incident an alert was last in.
    of_alert: BTreeMap<String, String>,
    born: u64,
    /// Folded groups that have been told of, with the priority told.
    groups: BTreeMap<String, (Priority, u64)>,
}

#[derive(Debug)]
struct Known {
    born: u64,
    aliases: BTreeSet<String>,
    /// As told last.
    told: Option<Priority>,
    /// Times it was told of.
    times: u64,
    now: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    /// Asks for somebody.
    Open,
    Silenced,
    Over,
}

/// Why to say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Was not there before.
    Opened,
    /// Is more urgent than when it was told of last.
    Rose,
    /// Was over, and is not.
    Reopened,
    /// Was silenced, and is not.
    Unsilenced,
    /// Asks for nobody any more; nobody is woken by that.
    Closed,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Change::Opened => "opened",
            Change::Rose => "rose",
            Change::Reopened => "reopened",
            Change::Unsilenced => "unsilenced",
            Change::Closed => "closed",
        })
    }
}

/// One thing to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The same for the same news: a receiver that has seen it may drop it.
    pub key: String,
    /// The incident's id; of a group the alert's name.
    pub id: String,
    /// What is new.
    pub change: Change,
    /// As of now.
    pub priority: Priority,
    /// By the priority.
    pub notify: Notify,
    /// The alert to read first.
    pub headline: String,
}

impl Continuity {
    /// Takes the next report; answers its incidents under the ids that stay, and what there is to tell.
    pub fn update(&mut self, report: &Report<'_>) -> (Vec<Incident>, Vec<Notice>) {
        let mut notices = Vec::new();
        let mut incidents: Vec<Incident> = report.incidents().collect();
        let folded: BTreeMap<String, String> = (report.groups())
            .flat_map(|group| group.folded.into_iter().map(move |id| (id, group.alert.clone())))
            .collect();
        let mut of_alert = BTreeMap::new();
        let mut present = BTreeSet::new();
        let mut groups: BTreeMap<String, Priority> = BTreeMap::new();
        for incident in &mut incidents {
            let group = folded.get(&incident.id).cloned();
            let alerts: Vec<String> = incident.members.iter().map(identity).collect();
            let id = self.settle(&incident.id, &alerts, &present);
            for alert in alerts {
                of_alert.insert(alert, id.clone());
            }
            present.insert(id.clone());
            incident.id = id;
            let Some(known) = self.known.get_mut(&incident.id) else { continue };
            incident.aliases = known.aliases.iter().cloned().collect();
            let change = known.change(incident);
            let Some(change) = change else { continue };
            if let (Some(group), true) = (&group, change != Change::Closed) {
                // One notification is for the whole group.
                let priority = groups.entry(group.clone()).or_insert(incident.priority);
                *priority = incident.priority.min(*priority);
                known.told = Some(incident.priority);
                continue;
            }
            notices.push(known.notice(change, incident));
        }
        for (alert, priority) in groups {
            let told = self.groups.get(&alert).copied();
            let (change, times) = match told {
                None => (Change::Opened, 1),
                Some((before, times)) if priority < before => (Change::Rose, times + 1),
                // One more scope of what everybody knows.
                Some(_) => continue,
            };
            self.groups.insert(alert.clone(), (priority, times));
            let headline = printable(&alert);
            let (key, notify) = (format!("group/{headline}/{times}"), priority.notify());
            notices.push(Notice { key, id: headline.clone(), change, priority, notify, headline });
        }
        self.groups.retain(|alert, _| folded.values().any(|group| group == alert));
        self.of_alert = of_alert;
        (incidents, notices)
    }

    /// The id that stays: the oldest under which one of the alerts was known, unless another incident has it now.
    fn settle(&mut self, id: &str, alerts: &[String], taken: &BTreeSet<String>) -> String {
        let mut before: Vec<(u64, String)> = (alerts.iter().filter_map(|alert| self.of_alert.get(alert)))
            .filter(|id| !taken.contains(*id))
            .filter_map(|id| Some((self.known.get(id)?.born, id.clone())))
            .collect();
        before.sort();
        before.dedup();
        let mut before = before.into_iter().map(|(_, id)| id);
        let stays = before.next().unwrap_or_else(|| id.to_owned());
        let born = self.born;
        let known = self.known.entry(stays.clone()).or_insert_with(|| Known {
            born,
            aliases: BTreeSet::new(),
            told: None,
            times: 0,
            now: Standing::Over,
        });
        self.born += 1;
        let mut gone = Vec::new();
        for other in before.chain([id.to_owned()]) {
            if other != stays && known.aliases.insert(other.clone()) {
                gone.push(other);
            }
        }
        // What merged in is told of no more, and must not be told of as new.
        for other in gone {
            if let Some(merged) = self.known.remove(&other) {
                if let Some(known) = self.known.get_mut(&stays) {
                    known.told = known.told.into_iter().chain(merged.told).min();
                    known.aliases.extend(merged.aliases);
                    if merged.now == Standing::Open {
                        known.now = Standing::Open;
                    }
                }
            }
        }
        stays
    }
}

impl Known {
    fn change(&mut self, incident: &Incident) -> Option<Change> {
        let now = match incident.notify {
            Notify::None if incident.state == Verdict::Silenced => Standing::Silenced,
            Notify::None => Standing::Over,
            _ => Standing::Open,
        };
        let before = std::mem::replace(&mut self.now, now);
        match (before, now) {
            (Standing::Open, Standing::Open) => {
                self.told.is_some_and(|told| incident.priority < told).then_some(Change::Rose)
            }
            (Standing::Over, Standing::Open) if self.told.is_none() => Some(Change::Opened),
            (Standing::Over, Standing::Open) => Some(Change::Reopened),
            (Standing::Silenced, Standing::Open) => Some(Change::Unsilenced),
            (Standing::Open, Standing::Over) => Some(Change::Closed),
            _ => None,
        }
    }

    fn notice(&mut self, change: Change, incident: &Incident) -> Notice {
        if change != Change::Closed {
            self.told = Some(incident.priority);
        }
        self.times += 1;
        Notice {
            key: format!("{}/{}", incident.id, self.times),
            id: incident.id.clone(),
            change,
            priority: incident.priority,
            notify: incident.notify,
            headline: printable(&incident.headline),
        }
    }
}

/// Name, labels and text, as one key.
fn identity(member: &crate::report::Member) -> String {
    let mut key = format!("{}\u{1f}{}", member.alert, member.text);
    for (name, value) in &member.labels {
        key.push('\u{1f}');
        key.push_str(name);
        key.push('\u{1f}');
        key.push_str(value);
    }
    key
}
