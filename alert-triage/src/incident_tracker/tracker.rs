//! Follows incidents from report to report and decides when a notification is due.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::FixedState;
use jiff::{SignedDuration, Timestamp};

use super::notification::{self, Change, LastNotified, Notification, hex};
use crate::hashing::hash;
use crate::judge::{GroupIx, IncidentIx};
use crate::report::{Incident, IncidentOutline, Report};
use crate::verdict::{Notify, Priority, Verdict};

/// Maps whose keys are hashes already.
type IdMap<V> = std::collections::HashMap<u64, V, FixedState>;
type IdSet = std::collections::HashSet<u64, FixedState>;

/// An instance that joins its incident within this time of the one before notifies nobody again.
const JOINS_WITHIN: SignedDuration = SignedDuration::from_mins(10);

/// Maximum number of former ids kept of an incident; the oldest is dropped first.
const MAX_ALIASES: usize = 64;

/// Maximum number of former incidents whose notifications stay counted.
const MAX_FORMER: usize = 1 << 20;

/// Follows incidents from report to report, and returns the notifications that are due.
///
/// Firing members identify an incident. When incidents merge, the oldest id survives and the others
/// become its [aliases](Incident::aliases). A [`Notification`] is due when an incident first needs
/// a person, when its priority rises, when it reopens, when its silence ends, and when another
/// instance of its alert [joins late](Change::Grew). Other
/// [changes](Change::Changed) are reported but notify nobody. A notification keeps its key when it
/// is delivered again, and a tracker that starts from the same records creates the same keys.
///
/// The tracker stores the incidents of the last report, and the number of notifications of up to a
/// million former incidents.
///
/// ```
/// use alert_triage::incident_tracker::Change;
/// use alert_triage::{IncidentTracker, Engine, Format, Rules};
///
/// let (mut engine, mut tracker) = (Engine::new(Rules::builtin()), IncidentTracker::default());
/// engine.read("1", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// let (_, notifications) = tracker.update(&engine.report(None));
/// assert_eq!(notifications[0].change, Change::Opened);
///
/// engine.read("2", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// assert!(tracker.update(&engine.report(None)).1.is_empty(), "a repeat causes no notification");
///
/// engine.read("3", Format::Lines, b"Zone AB: TooFewEndpointsRegistered");
/// let (incidents, notifications) = tracker.update(&engine.report(None));
/// assert_eq!((incidents.len(), notifications[0].change), (1, Change::Escalated));
/// ```
#[derive(Debug, Default)]
pub struct IncidentTracker {
    pub(super) known: IdMap<TrackedIncident>,
    /// The incident of each alert in the last report.
    pub(super) by_alert: IdMap<u64>,
    /// The incident that has the alias.
    pub(super) by_alias: IdMap<u64>,
    /// The number of incidents so far.
    started: u64,
    /// Folded groups that fire, by the alert's name.
    groups: BTreeMap<String, TrackedGroup>,
    overflow: Option<LastNotified>,
    /// Incidents that are gone or have merged into another, so that no key is used twice.
    former: IdMap<FormerIncident>,
}

#[derive(Debug, Clone, Copy)]
struct FormerIncident {
    /// The number of its notifications.
    times: u64,
    /// As [`TrackedIncident::open`], if it merged into an incident without a notification since.
    open: Option<Priority>,
}

/// A folded group as of its last notification.
#[derive(Debug, Clone, Copy)]
struct TrackedGroup {
    last: LastNotified,
    /// The maximum number of its scopes.
    scopes: usize,
}

#[derive(Debug)]
pub(super) struct TrackedIncident {
    /// The number of incidents that started before it.
    started: u64,
    /// Oldest first.
    aliases: Vec<u64>,
    /// The priority of the last notification; `None` once it is notified as closed.
    open: Option<Priority>,
    /// Whether it had a notification of its own or of its group.
    is_notified: bool,
    is_silenced: bool,
    /// The change of the last notification.
    change: Change,
    /// The number of notifications.
    times: u64,
    /// The group whose notification covers it.
    by_group: Option<String>,
    /// The headline of the last notification.
    headline: String,
    /// The maximum number of alerts that page on their own since it opened.
    pages: u32,
    /// The number of firing alerts with the name of the headline.
    instances: u32,
    /// When the last of them joined.
    joined: Option<Timestamp>,
}

impl IncidentTracker {
    /// Takes the next report. Returns its incidents under their stable ids, and the notifications
    /// that are due.
    pub fn update(&mut self, report: &Report<'_>) -> (Vec<Incident>, Vec<Notification>) {
        let (ids, notifications) = self.follow(report);
        let incidents = report.incidents().zip(ids).map(|(mut incident, id)| {
            incident.id = hex(id);
            incident.aliases = self.known.get(&id).map(TrackedIncident::aliases).unwrap_or_default();
            incident
        });
        (incidents.collect(), notifications)
    }

    /// Takes the next report. Returns the notifications that are due, the most urgent incident
    /// first. Cheaper than [`update`](IncidentTracker::update), which builds every incident.
    pub fn notifications(&mut self, report: &Report<'_>) -> Vec<Notification> {
        self.follow(report).1
    }

    /// The notifications of all incidents that need a person, in the order of the report, which
    /// must be the last one taken. Each repeats the key of the last notification with the
    /// current data. Send them to a receiver that starts or stops listening.
    pub fn open_notifications(&self, report: &Report<'_>) -> Vec<Notification> {
        let mut notifications = Vec::new();
        let mut groups = BTreeSet::new();
        for (number, outline) in report.outlines() {
            if outline.priority.notify() == Notify::None {
                continue;
            }
            let id = report.alerts_in(number).next().and_then(|(alert, _)| self.by_alert.get(&alert));
            let Some((id, known)) = id.and_then(|id| self.known.get_key_value(id)) else { continue };
            let tracked = known.by_group.as_ref().and_then(|name| self.groups.get(name));
            match (tracked, outline.group) {
                (Some(tracked), Some(group)) if groups.insert(group) => {
                    notifications.push(notification::for_group(report, group, tracked.last));
                }
                (Some(_), Some(_)) => {}
                _ => notifications.push(known.notification(report, number, &outline, *id)),
            }
        }
        let is_open = report.overflow().is_some_and(|overflow| overflow.notify != Notify::None);
        notifications.extend(self.overflow.filter(|_| is_open).map(notification::for_overflow));
        notifications
    }

    /// The ids of the incidents in the order of the report, and the notifications that are due.
    pub(crate) fn follow(&mut self, report: &Report<'_>) -> (Vec<u64>, Vec<Notification>) {
        let mut notifications = Vec::new();
        let mut ids = Vec::new();
        let mut by_alert = IdMap::with_capacity_and_hasher(self.by_alert.len(), FixedState::default());
        let mut present = IdSet::with_capacity_and_hasher(self.known.len(), FixedState::default());
        // When an incident splits, its id stays with the firing members.
        let kept: IdSet = (report.outlines())
            .flat_map(|(number, _)| report.alerts_in(number))
            .filter_map(|(alert, fires)| self.by_alert.get(&alert).filter(|_| fires).copied())
            .collect();
        // The most urgent priority of each folded group with a change.
        let mut grouped: BTreeMap<GroupIx, Priority> = BTreeMap::new();
        let mut firing_groups: BTreeSet<String> = BTreeSet::new();
        for (number, outline) in report.outlines() {
            let claims = report.alerts_in(number).filter_map(|(alert, fires)| {
                let id = *self.by_alert.get(&alert)?;
                (!present.contains(&id) && (fires || !kept.contains(&id))).then_some(id)
            });
            let id = self.assign_id(outline.id, claims.collect());
            by_alert.extend(report.alerts_in(number).map(|(alert, _)| (alert, id)));
            present.insert(id);
            ids.push(id);
            let Some(known) = self.known.get_mut(&id) else { continue };
            let group = outline.group.map(|group| (group, report.group_name(group)));
            let grew = known.grew(&outline, report.now());
            let change = known.change(&outline, grew, &self.former);
            match (change, group) {
                (None, _) => {}
                // The notification of the group covers it.
                (Some(Change::Changed), group) if group.is_some() || known.by_group.is_some() => {}
                (Some(Change::Closed), _) if known.by_group.is_some() => {
                    known.mark_notified(None, &mut self.former)
                }
                // One notification covers the whole group.
                (Some(change), Some((group, name))) if change != Change::Closed => {
                    let priority = grouped.entry(group).or_insert(outline.priority);
                    *priority = outline.priority.min(*priority);
                    known.mark_notified(Some(outline.priority), &mut self.former);
                    known.by_group = Some(name.to_owned());
                }
                (Some(change), _) => {
                    let open = (change != Change::Closed).then_some(outline.priority);
                    known.mark_notified(open, &mut self.former);
                    (known.change, known.times) = (change, known.times + 1);
                    outline.headline.clone_into(&mut known.headline);
                    known.pages = if open.is_some() { outline.pages.max(known.pages) } else { 0 };
                    notifications
                        .push(known.notification(report, number, &outline, id).without_repeated_page());
                }
            }
            firing_groups.extend(known.by_group.clone());
        }
        self.notify_groups(report, &grouped, &firing_groups, &mut notifications);
        self.notify_overflow(report, &mut notifications);
        self.drop_absent(&present, &mut notifications);
        self.by_alert = by_alert;
        (ids, notifications)
    }

    /// The id of an incident: the oldest id of its alerts that no other incident of the report has.
    fn assign_id(&mut self, id: u64, claims: Vec<u64>) -> u64 {
        let started = |id: u64| Some((self.known.get(&id)?.started, id));
        let mut before: Vec<(u64, u64)> = claims.into_iter().filter_map(started).collect();
        before.sort_unstable();
        before.dedup();
        let Some((&(_, oldest), gone)) = before.split_first() else { return self.start_incident(id) };
        let mut aliases = Vec::new();
        let mut merged = Vec::new();
        for (_, other) in gone {
            aliases.push(*other);
            merged.extend(self.known.remove_entry(other));
        }
        // An id that another incident uses is not an alias.
        if id != oldest && !self.known.contains_key(&id) && !self.by_alias.contains_key(&id) {
            aliases.push(id);
        }
        for (id, other) in merged {
            remember(&mut self.former, id, FormerIncident { times: other.times, open: other.open });
            aliases.extend(other.aliases);
        }
        for alias in aliases {
            self.add_alias(oldest, alias);
        }
        oldest
    }

    fn add_alias(&mut self, id: u64, alias: u64) {
        self.by_alias.insert(alias, id);
        let Some(known) = self.known.get_mut(&id) else { return };
        if !known.aliases.contains(&alias) {
            known.aliases.push(alias);
        }
        if known.aliases.len() > MAX_ALIASES {
            self.by_alias.remove(&known.aliases.remove(0));
        }
    }

    /// Starts an incident and returns its id. The id of its first alert may still be in use by an
    /// incident from which it split.
    fn start_incident(&mut self, id: u64) -> u64 {
        let mut id = id;
        while self.known.contains_key(&id) || self.by_alias.contains_key(&id) {
            id = hash(&id.to_be_bytes());
        }
        let former = self.former.remove(&id);
        let known = TrackedIncident {
            started: self.started,
            aliases: Vec::new(),
            open: None,
            is_notified: former.is_some(),
            is_silenced: false,
            change: Change::Opened,
            times: former.map_or(0, |former| former.times),
            by_group: None,
            headline: String::new(),
            pages: 0,
            instances: 0,
            joined: None,
        };
        self.started += 1;
        self.known.insert(id, known);
        id
    }

    fn notify_groups(
        &mut self,
        report: &Report<'_>,
        grouped: &BTreeMap<GroupIx, Priority>,
        firing_groups: &BTreeSet<String>,
        notifications: &mut Vec<Notification>,
    ) {
        for (&group, &priority) in grouped {
            let name = report.group_name(group);
            let before = self.groups.get(name);
            let scopes = report.group_scopes(group).len().max(before.map_or(0, |before| before.scopes));
            let (change, times) = match before {
                Some(before) if priority < before.last.priority => (Change::Escalated, before.last.times + 1),
                // Another scope of a known group notifies nobody.
                Some(before) if scopes > before.scopes => (Change::Changed, before.last.times + 1),
                Some(_) => continue,
                None => match self.former.remove(&former_group_key(name)) {
                    Some(former) => (Change::Reopened, former.times + 1),
                    None => (Change::Opened, 1),
                },
            };
            let last = LastNotified { change, priority, times };
            self.groups.insert(name.to_owned(), TrackedGroup { last, scopes });
            notifications.push(notification::for_group(report, group, last).without_repeated_page());
        }
        let over = |name: &String, _: &mut TrackedGroup| !firing_groups.contains(name);
        for (name, group) in self.groups.extract_if(.., over) {
            let times = group.last.times + 1;
            remember(&mut self.former, former_group_key(&name), FormerIncident { times, open: None });
            let last = LastNotified { change: Change::Closed, priority: Priority::P5, times };
            notifications.push(Notification {
                because: vec!["it is no longer firing in any scope".to_owned()],
                ..notification::new(last, &name, &notification::group_key(&name))
            });
        }
    }

    /// One notification covers all alerts beyond the limit; they stay counted.
    fn notify_overflow(&mut self, report: &Report<'_>, notifications: &mut Vec<Notification>) {
        let Some(overflow) = report.overflow() else { return };
        let (change, times) = match self.overflow {
            None => (Change::Opened, 1),
            Some(last) if overflow.priority < last.priority => (Change::Escalated, last.times + 1),
            Some(_) => return,
        };
        let last = LastNotified { change, priority: overflow.priority, times };
        self.overflow = Some(last);
        notifications
            .extend(Some(last).filter(|_| overflow.notify != Notify::None).map(notification::for_overflow));
    }

    /// Drops the incidents of which the report has no alert.
    fn drop_absent(&mut self, present: &IdSet, notifications: &mut Vec<Notification>) {
        let mut absent: Vec<(u64, TrackedIncident)> =
            self.known.extract_if(|id, _| !present.contains(id)).collect();
        absent.sort_unstable_by_key(|(_, known)| known.started);
        for (id, mut known) in absent {
            if known.notified_priority(&self.former).is_some() && known.by_group.is_none() {
                known.mark_notified(None, &mut self.former);
                known.times += 1;
                let last =
                    LastNotified { change: Change::Closed, priority: Priority::P5, times: known.times };
                notifications.push(Notification {
                    aliases: known.aliases(),
                    because: vec!["none of its alerts is tracked any more".to_owned()],
                    ..notification::new(last, &known.headline, &hex(id))
                });
            }
            for alias in known.aliases {
                self.by_alias.remove(&alias);
            }
            if known.times > 0 {
                remember(&mut self.former, id, FormerIncident { times: known.times, open: None });
            }
        }
    }
}

impl TrackedIncident {
    fn aliases(&self) -> Vec<String> {
        self.aliases.iter().copied().map(hex).collect()
    }

    /// The priority that receivers know, under any of its ids; `None` if it is closed for them.
    fn notified_priority(&self, former: &IdMap<FormerIncident>) -> Option<Priority> {
        let aliases = self.aliases.iter().filter_map(|alias| former.get(alias)?.open);
        self.open.into_iter().chain(aliases).min()
    }

    fn mark_notified(&mut self, open: Option<Priority>, former: &mut IdMap<FormerIncident>) {
        self.open = open;
        self.is_notified = true;
        self.by_group = None;
        for alias in &self.aliases {
            former.entry(*alias).and_modify(|former| former.open = None);
        }
    }

    /// Whether another alert with the name of the headline fires, and whether it joined late.
    fn grew(&mut self, incident: &IncidentOutline<'_>, now: Option<Timestamp>) -> Option<Change> {
        let has_more = incident.instances > self.instances.max(1);
        // One alert that fires again is not another instance.
        let began_later = (incident.instances > 1 || self.joined.is_none()) && incident.joined > self.joined;
        let is_other = incident.headline != self.headline;
        let before = self.joined;
        self.instances = incident.instances;
        // Without the time of its start, an alert joins when it is reported.
        let joined = match began_later {
            true => incident.joined,
            false if has_more => now,
            false => return None,
        };
        self.joined = before.max(joined);
        // With another headline, other alerts are counted.
        if is_other {
            return None;
        }
        let is_late =
            joined.zip(before).is_some_and(|(joined, before)| joined.duration_since(before) > JOINS_WITHIN);
        Some(if is_late { Change::Grew } else { Change::Changed })
    }

    fn change(
        &mut self,
        incident: &IncidentOutline<'_>,
        grew: Option<Change>,
        former: &IdMap<FormerIncident>,
    ) -> Option<Change> {
        let notifies = incident.priority.notify() != Notify::None;
        let has_merged =
            || self.aliases.iter().any(|alias| former.get(alias).is_some_and(|former| former.open.is_some()));
        let was_silenced =
            std::mem::replace(&mut self.is_silenced, !notifies && incident.state == Verdict::Silenced);
        match (notifies, self.notified_priority(former)) {
            (true, Some(known)) if incident.priority < known => Some(Change::Escalated),
            (true, Some(known)) => {
                let is_as_urgent = incident.priority == known;
                let differs =
                    incident.headline != self.headline || incident.pages > self.pages || has_merged();
                match grew {
                    // A late instance is a fault that nobody was notified of.
                    Some(Change::Grew) => Some(Change::Grew),
                    _ => (is_as_urgent && (differs || grew.is_some())).then_some(Change::Changed),
                }
            }
            (true, None) if was_silenced => Some(Change::Unsilenced),
            (true, None) if self.is_notified => Some(Change::Reopened),
            (true, None) => Some(Change::Opened),
            (false, known) => known.map(|_| Change::Closed),
        }
    }

    fn notification(
        &self,
        report: &Report<'_>,
        number: IncidentIx,
        incident: &IncidentOutline<'_>,
        id: u64,
    ) -> Notification {
        let (scope, scopes) = report.scopes_of(number);
        let (labels, text) = report.headline_of(number);
        let last = LastNotified { change: self.change, priority: incident.priority, times: self.times };
        Notification {
            aliases: self.aliases(),
            labels,
            text,
            scope,
            scopes,
            instances: u64::from(incident.instances),
            because: report.because(number),
            ..notification::new(last, incident.headline, &hex(id))
        }
    }
}

/// The key of a group among the former incidents.
fn former_group_key(name: &str) -> u64 {
    hash(notification::group_key(name).as_bytes())
}

fn remember(former: &mut IdMap<FormerIncident>, id: u64, gone: FormerIncident) {
    former.insert(id, gone);
    if former.len() > MAX_FORMER {
        // Any half may be dropped; the size must stay bounded.
        former.retain(|id, _| id % 2 == 0);
    }
}
