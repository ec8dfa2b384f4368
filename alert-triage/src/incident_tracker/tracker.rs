//! Incidents over time: which one is which, and when to say something again.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::FixedState;

use super::notification::{self, Change, LastNotified, Notification, hex};
use crate::hashing::hash;
use crate::judge::{GroupIx, IncidentIx};
use crate::report::{Incident, IncidentOutline, Report};
use crate::verdict::{Notify, Priority, Verdict};

/// By numbers that are hashes already.
type IdMap<V> = std::collections::HashMap<u64, V, FixedState>;
type IdSet = std::collections::HashSet<u64, FixedState>;

/// Former ids kept of one incident, the newest.
const MAX_ALIASES: usize = 64;

/// Incidents that are gone of which it is kept how often they were told of.
const MAX_FORMER: usize = 1 << 20;

/// Follows incidents from report to report.
///
/// Members that stand tell which incident is which. When incidents merge, the id known longest survives and the others
/// become its [aliases](Incident::aliases). A [`Notification`] is due when an incident first asks for somebody, when its
/// priority rises, when it reopens, and when its silence ends; what else happens to it that a reader of the first one
/// would not guess is [told](Change::Changed) and wakes nobody. Its key stays the same however often it is delivered,
/// and whoever starts again from the same records gets the same keys.
///
/// It remembers what the last report held, and of older incidents, up to a million of them, how often they were told
/// of.
///
/// ```
/// use alert_triage::{Change, IncidentTracker, Engine, Format, Rules};
///
/// let (mut engine, mut tracker) = (Engine::new(Rules::builtin()), IncidentTracker::default());
/// engine.read("1", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// let (_, notifications) = tracker.update(&engine.report(None));
/// assert_eq!(notifications[0].change, Change::Opened);
///
/// engine.read("2", Format::Lines, b"Zone AB: EndpointRegistrationFailure");
/// assert!(tracker.update(&engine.report(None)).1.is_empty(), "a repeat is no news");
///
/// engine.read("3", Format::Lines, b"Zone AB: TooFewEndpointsRegistered");
/// let (incidents, notifications) = tracker.update(&engine.report(None));
/// assert_eq!((incidents.len(), notifications[0].change), (1, Change::Escalated));
/// ```
#[derive(Debug, Default)]
pub struct IncidentTracker {
    pub(super) known: IdMap<TrackedIncident>,
    /// Which incident an alert was last in.
    pub(super) of_alert: IdMap<u64>,
    /// Whose alias an id is.
    pub(super) of_alias: IdMap<u64>,
    born: u64,
    /// Folded groups that stand, by the alert's name.
    groups: BTreeMap<String, TrackedGroup>,
    overflow: Option<LastNotified>,
    /// What is gone or has merged into another: a key is not used for two things.
    past: IdMap<FormerIncident>,
}

#[derive(Debug, Clone, Copy)]
struct FormerIncident {
    /// How often it was told of.
    times: u64,
    /// As [`TrackedIncident::open`], if it merged into another that was not told of since.
    open: Option<Priority>,
}

/// A folded group, as told last.
#[derive(Debug, Clone, Copy)]
struct TrackedGroup {
    told: LastNotified,
    /// The most there were.
    scopes: usize,
}

#[derive(Debug)]
pub(super) struct TrackedIncident {
    born: u64,
    /// Older ones first.
    aliases: Vec<u64>,
    /// The priority told, until it was told to be closed.
    open: Option<Priority>,
    /// Was told of, if only by the notification of a group.
    is_told: bool,
    is_silenced: bool,
    /// As told last.
    change: Change,
    times: u64,
    /// Notified by the notification of this group.
    by_group: Option<String>,
    /// When told of last.
    headline: String,
    /// Alerts in it that page by themselves; the most there were since it was told to be open.
    pages: u32,
}

impl IncidentTracker {
    /// Takes the next report; answers its incidents under the ids that stay, and what there is to tell.
    pub fn update(&mut self, report: &Report<'_>) -> (Vec<Incident>, Vec<Notification>) {
        let (ids, notifications) = self.follow(report);
        let incidents = report.incidents().zip(ids).map(|(mut incident, id)| {
            incident.id = hex(id);
            incident.aliases = self.known.get(&id).map(TrackedIncident::aliases).unwrap_or_default();
            incident
        });
        (incidents.collect(), notifications)
    }

    /// Takes the next report; answers what there is to tell, the most urgent incident first. Incidents that did not
    /// change cost next to nothing.
    pub fn notifications(&mut self, report: &Report<'_>) -> Vec<Notification> {
        self.follow(report).1
    }

    /// What asks for somebody, as of the report that was taken last, in its order: each by the notification that told of it
    /// last, with what is so now. For whoever begins to listen, or stops.
    pub fn open_notifications(&self, report: &Report<'_>) -> Vec<Notification> {
        let mut notifications = Vec::new();
        let mut groups = BTreeSet::new();
        for (number, outline) in report.outlines() {
            if outline.priority.notify() == Notify::None {
                continue;
            }
            let id = report.alerts_in(number).next().and_then(|(alert, _)| self.of_alert.get(&alert));
            let Some((id, known)) = id.and_then(|id| self.known.get_key_value(id)) else { continue };
            let told = known.by_group.as_ref().and_then(|name| self.groups.get(name));
            match (told, outline.group) {
                (Some(group_told), Some(group)) if groups.insert(group) => {
                    notifications.push(notification::of_group(report, group, group_told.told));
                }
                (Some(_), Some(_)) => {}
                _ => notifications.push(known.notification(report, number, &outline, *id)),
            }
        }
        let is_open = report.overflow().is_some_and(|overflow| overflow.notify != Notify::None);
        notifications.extend(self.overflow.filter(|_| is_open).map(notification::of_overflow));
        notifications
    }

    /// The incidents' ids in the order of the report, and what there is to tell.
    pub(crate) fn follow(&mut self, report: &Report<'_>) -> (Vec<u64>, Vec<Notification>) {
        let mut notifications = Vec::new();
        let mut ids = Vec::new();
        let mut of_alert = IdMap::with_capacity_and_hasher(self.of_alert.len(), FixedState::default());
        let mut present = IdSet::with_capacity_and_hasher(self.known.len(), FixedState::default());
        // Where an incident falls apart, its id goes with what stands, and not with what is set aside.
        let kept: IdSet = (report.outlines())
            .flat_map(|(number, _)| report.alerts_in(number))
            .filter_map(|(alert, stands)| self.of_alert.get(&alert).filter(|_| stands).copied())
            .collect();
        // The most urgent news of each folded group.
        let mut grouped: BTreeMap<GroupIx, Priority> = BTreeMap::new();
        let mut standing: BTreeSet<String> = BTreeSet::new();
        for (number, outline) in report.outlines() {
            let claims = report.alerts_in(number).filter_map(|(alert, stands)| {
                let id = *self.of_alert.get(&alert)?;
                (!present.contains(&id) && (stands || !kept.contains(&id))).then_some(id)
            });
            let id = self.settle(outline.id, claims.collect());
            of_alert.extend(report.alerts_in(number).map(|(alert, _)| (alert, id)));
            present.insert(id);
            ids.push(id);
            let Some(known) = self.known.get_mut(&id) else { continue };
            let group = outline.group.map(|group| (group, report.group_name(group)));
            let change = known.change(&outline, &self.past);
            match (change, group) {
                (None, _) => {}
                // Of its group it is said there.
                (Some(Change::Changed), group) if group.is_some() || known.by_group.is_some() => {}
                (Some(Change::Closed), _) if known.by_group.is_some() => known.tell(None, &mut self.past),
                // One notification is for the whole group.
                (Some(change), Some((group, name))) if change != Change::Closed => {
                    let priority = grouped.entry(group).or_insert(outline.priority);
                    *priority = outline.priority.min(*priority);
                    known.tell(Some(outline.priority), &mut self.past);
                    known.by_group = Some(name.to_owned());
                }
                (Some(change), _) => {
                    let open = (change != Change::Closed).then_some(outline.priority);
                    known.tell(open, &mut self.past);
                    (known.change, known.times) = (change, known.times + 1);
                    outline.headline.clone_into(&mut known.headline);
                    known.pages = if open.is_some() { outline.pages.max(known.pages) } else { 0 };
                    notifications.push(known.notification(report, number, &outline, id).into_news());
                }
            }
            standing.extend(known.by_group.clone());
        }
        self.tell_groups(report, &grouped, &standing, &mut notifications);
        self.tell_overflow(report, &mut notifications);
        self.drop_absent(&present, &mut notifications);
        self.of_alert = of_alert;
        (ids, notifications)
    }

    /// The id that stays: the one known longest of those that its alerts were under and no other incident has.
    fn settle(&mut self, id: u64, claims: Vec<u64>) -> u64 {
        let born = |id: u64| Some((self.known.get(&id)?.born, id));
        let mut before: Vec<(u64, u64)> = claims.into_iter().filter_map(born).collect();
        before.sort_unstable();
        before.dedup();
        let Some((&(_, stays), gone)) = before.split_first() else { return self.begin(id) };
        let mut aliases = Vec::new();
        let mut merged = Vec::new();
        for (_, other) in gone {
            aliases.push(*other);
            merged.extend(self.known.remove_entry(other));
        }
        // As long as another incident goes by it, it names that one.
        if id != stays && !self.known.contains_key(&id) && !self.of_alias.contains_key(&id) {
            aliases.push(id);
        }
        for (id, other) in merged {
            remember(&mut self.past, id, FormerIncident { times: other.times, open: other.open });
            aliases.extend(other.aliases);
        }
        for alias in aliases {
            self.alias(stays, alias);
        }
        stays
    }

    fn alias(&mut self, id: u64, alias: u64) {
        self.of_alias.insert(alias, id);
        let Some(known) = self.known.get_mut(&id) else { return };
        if !known.aliases.contains(&alias) {
            known.aliases.push(alias);
        }
        if known.aliases.len() > MAX_ALIASES {
            self.of_alias.remove(&known.aliases.remove(0));
        }
    }

    /// A new incident. Another, from which it has parted, may still go by the id of its first alert.
    fn begin(&mut self, id: u64) -> u64 {
        let mut id = id;
        while self.known.contains_key(&id) || self.of_alias.contains_key(&id) {
            id = hash(&id.to_be_bytes());
        }
        let past = self.past.remove(&id);
        let known = TrackedIncident {
            born: self.born,
            aliases: Vec::new(),
            open: None,
            is_told: past.is_some(),
            is_silenced: false,
            change: Change::Opened,
            times: past.map_or(0, |past| past.times),
            by_group: None,
            headline: String::new(),
            pages: 0,
        };
        self.born += 1;
        self.known.insert(id, known);
        id
    }

    fn tell_groups(
        &mut self,
        report: &Report<'_>,
        grouped: &BTreeMap<GroupIx, Priority>,
        standing: &BTreeSet<String>,
        notifications: &mut Vec<Notification>,
    ) {
        for (&group, &priority) in grouped {
            let name = report.group_name(group);
            let before = self.groups.get(name);
            let scopes = report.group_scopes(group).len().max(before.map_or(0, |before| before.scopes));
            let (change, times) = match before {
                Some(before) if priority < before.told.priority => (Change::Escalated, before.told.times + 1),
                // One more scope of what everybody knows wakes nobody.
                Some(before) if scopes > before.scopes => (Change::Changed, before.told.times + 1),
                Some(_) => continue,
                None => match self.past.remove(&past_group(name)) {
                    Some(past) => (Change::Reopened, past.times + 1),
                    None => (Change::Opened, 1),
                },
            };
            let told = LastNotified { change, priority, times };
            self.groups.insert(name.to_owned(), TrackedGroup { told, scopes });
            notifications.push(notification::of_group(report, group, told).into_news());
        }
        let over = |name: &String, _: &mut TrackedGroup| !standing.contains(name);
        for (name, group) in self.groups.extract_if(.., over) {
            let times = group.told.times + 1;
            remember(&mut self.past, past_group(&name), FormerIncident { times, open: None });
            let told = LastNotified { change: Change::Closed, priority: Priority::P5, times };
            notifications.push(Notification {
                because: vec!["it stands in no scope any more".to_owned()],
                ..notification::of(told, &name, &notification::group_key(&name))
            });
        }
    }

    /// Alerts beyond the limit are told of together, and stay counted.
    fn tell_overflow(&mut self, report: &Report<'_>, notifications: &mut Vec<Notification>) {
        let Some(overflow) = report.overflow() else { return };
        let (change, times) = match self.overflow {
            None => (Change::Opened, 1),
            Some(told) if overflow.priority < told.priority => (Change::Escalated, told.times + 1),
            Some(_) => return,
        };
        let told = LastNotified { change, priority: overflow.priority, times };
        self.overflow = Some(told);
        notifications
            .extend(Some(told).filter(|_| overflow.notify != Notify::None).map(notification::of_overflow));
    }

    /// Incidents none of whose alerts the report knows.
    fn drop_absent(&mut self, present: &IdSet, notifications: &mut Vec<Notification>) {
        let mut absent: Vec<(u64, TrackedIncident)> =
            self.known.extract_if(|id, _| !present.contains(id)).collect();
        absent.sort_unstable_by_key(|(_, known)| known.born);
        for (id, mut known) in absent {
            if known.told(&self.past).is_some() && known.by_group.is_none() {
                known.tell(None, &mut self.past);
                known.times += 1;
                let told =
                    LastNotified { change: Change::Closed, priority: Priority::P5, times: known.times };
                notifications.push(Notification {
                    aliases: known.aliases(),
                    because: vec!["none of its alerts is told apart any more".to_owned()],
                    ..notification::of(told, &known.headline, &hex(id))
                });
            }
            for alias in known.aliases {
                self.of_alias.remove(&alias);
            }
            if known.times > 0 {
                remember(&mut self.past, id, FormerIncident { times: known.times, open: None });
            }
        }
    }
}

impl TrackedIncident {
    fn aliases(&self) -> Vec<String> {
        self.aliases.iter().copied().map(hex).collect()
    }

    /// What whoever was told believes of it, under whichever id.
    fn told(&self, past: &IdMap<FormerIncident>) -> Option<Priority> {
        let aliases = self.aliases.iter().filter_map(|alias| past.get(alias)?.open);
        self.open.into_iter().chain(aliases).min()
    }

    fn tell(&mut self, open: Option<Priority>, past: &mut IdMap<FormerIncident>) {
        self.open = open;
        self.is_told = true;
        self.by_group = None;
        for alias in &self.aliases {
            past.entry(*alias).and_modify(|past| past.open = None);
        }
    }

    fn change(&mut self, incident: &IncidentOutline<'_>, past: &IdMap<FormerIncident>) -> Option<Change> {
        let asks = incident.priority.notify() != Notify::None;
        let has_merged =
            || self.aliases.iter().any(|alias| past.get(alias).is_some_and(|past| past.open.is_some()));
        let was_silenced =
            std::mem::replace(&mut self.is_silenced, !asks && incident.state == Verdict::Silenced);
        match (asks, self.told(past)) {
            (true, Some(told)) if incident.priority < told => Some(Change::Escalated),
            (true, Some(told)) => {
                let is_as_urgent = incident.priority == told;
                let differs =
                    incident.headline != self.headline || incident.pages > self.pages || has_merged();
                (is_as_urgent && differs).then_some(Change::Changed)
            }
            (true, None) if was_silenced => Some(Change::Unsilenced),
            (true, None) if self.is_told => Some(Change::Reopened),
            (true, None) => Some(Change::Opened),
            (false, told) => told.map(|_| Change::Closed),
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
        let told = LastNotified { change: self.change, priority: incident.priority, times: self.times };
        Notification {
            aliases: self.aliases(),
            labels,
            text,
            scope,
            scopes,
            because: report.because(number),
            ..notification::of(told, incident.headline, &hex(id))
        }
    }
}

/// Beside the ids of incidents.
fn past_group(name: &str) -> u64 {
    hash(notification::group_key(name).as_bytes())
}

fn remember(past: &mut IdMap<FormerIncident>, id: u64, gone: FormerIncident) {
    past.insert(id, gone);
    if past.len() > MAX_FORMER {
        // Which half goes is all the same, as long as it is bounded.
        past.retain(|id, _| id % 2 == 0);
    }
}
