//! From alerts to verdicts, incidents and priorities: what is known, judged at one instant.
//!
//! ```text
//! entry --state--> open? --ladders--> superseded? --edges--> incidents --severity--> priority
//! ```
//!
//! Everything is derived anew from the ledger, so that it cannot depend on the order in which things were learnt.

mod history;
pub(crate) mod incident;
pub(crate) mod relate;
mod scopes;
pub(crate) mod state;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use self::incident::{Core, Group};
use self::relate::Union;
use self::scopes::Scopes;
use self::state::{Hearing, Stand, State};
use crate::identity::{Identity, Key, shown_key};
use crate::ledger::Engine;
use crate::ledger::entry::Entry;
use crate::ledger::set::{HeldBack, Seen, Set};
use crate::map::HashMap;
use crate::place::Place;
use crate::report::{Priority, Verdict};
use crate::rules::{Rules, SeverityBy};
use crate::severity::Severity;

/// No other alert.
pub(crate) const NONE: u32 = u32::MAX;

/// By what an alert is superseded, or joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ladder {
    Row(u32),
    Name,
    Severity,
    /// Its lasting form stands.
    Transient,
}

/// What holds of one alert.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) stand: Stand,
    pub(crate) verdict: Verdict,
    /// Verdicts that hold as well, and what else is worth a word: bits of [`flag`].
    pub(crate) flags: u16,
    /// As judged: of the lasting form, for a sustained transient.
    pub(crate) severity: Severity,
    pub(crate) severity_by: SeverityBy,
    pub(crate) priority: Priority,
    pub(crate) scope: u32,
    /// The top standing rung, if superseded.
    pub(crate) by: u32,
    pub(crate) ladder: Option<Ladder>,
    /// The alert that explains it, and the edge.
    pub(crate) cause: u32,
    pub(crate) edge: u32,
    pub(crate) explains: bool,
    /// Steps from the top of the cause edges.
    pub(crate) depth: u8,
    pub(crate) rung: u8,
    /// Stands since then, as a cause; of a lasting form, since its sustained transient does.
    pub(crate) since: Option<Timestamp>,
    /// Began last then, as a symptom.
    pub(crate) latest: Option<Timestamp>,
    /// Seconds.
    pub(crate) lasted: u32,
}

/// Bits of [`Judged::flags`]; the first ones are verdicts.
pub(crate) mod flag {
    pub(crate) const SILENCED: u16 = 1;
    pub(crate) const INHIBITED: u16 = 1 << 1;
    pub(crate) const FLAPPING: u16 = 1 << 2;
    pub(crate) const RESOLVED: u16 = 1 << 3;
    pub(crate) const OBSOLETE: u16 = 1 << 4;
    pub(crate) const PENDING: u16 = 1 << 5;
    pub(crate) const SUPERSEDED: u16 = 1 << 6;
    pub(crate) const SUSTAINED: u16 = 1 << 7;
    pub(crate) const TRANSIENT: u16 = 1 << 8;
    pub(crate) const INFORMATIONAL: u16 = 1 << 9;
    pub(crate) const RECURRING: u16 = 1 << 10;
    pub(crate) const RESOLVE_ONLY: u16 = 1 << 11;
    pub(crate) const LOWER_THAN_ITS_RUNG: u16 = 1 << 12;
    // Of a transient: what its lasting form does in its scope in place of standing above it. No words of the report.
    pub(crate) const LASTING_SILENCED: u16 = 1 << 13;
    pub(crate) const LASTING_INHIBITED: u16 = 1 << 14;
    pub(crate) const LASTING_MILDER: u16 = 1 << 15;

    pub(crate) const WORDS: [(u16, &str); 13] = [
        (SILENCED, "silenced"),
        (INHIBITED, "inhibited"),
        (FLAPPING, "flapping"),
        (RESOLVED, "resolved"),
        (OBSOLETE, "obsolete"),
        (PENDING, "pending"),
        (SUPERSEDED, "superseded"),
        (SUSTAINED, "sustained"),
        (TRANSIENT, "transient"),
        (INFORMATIONAL, "informational"),
        (RECURRING, "recurring"),
        (RESOLVE_ONLY, "resolve-only"),
        (LOWER_THAN_ITS_RUNG, "milder-rung-above"),
    ];
}

impl Judged {
    /// Open, and held back by nobody.
    pub(crate) fn stands(&self) -> bool {
        self.stand == Stand::Open && self.flags & (flag::SILENCED | flag::INHIBITED) == 0
    }

    /// Its priority is the incident's.
    pub(crate) fn counts(&self) -> bool {
        self.stands() && self.flags & flag::SUPERSEDED == 0
    }
}

/// All verdicts at one instant.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) now: Option<Timestamp>,
    /// Alerts named only by the key of an end.
    pub(crate) orphans: Vec<Entry>,
    /// Ends that name only a key, by the alert that they are counted with.
    pub(crate) ends: HashMap<u32, Set>,
    pub(crate) alerts: Vec<Judged>,
    pub(crate) scopes: Scopes,
    /// Alerts by incident; each [`Core`] names its part.
    pub(crate) members: Vec<u32>,
    /// In the order of the report.
    pub(crate) incidents: Vec<Core>,
    pub(crate) groups: Vec<Group>,
    /// Silences that could not be believed for want of a `now`.
    pub(crate) untimed_silences: bool,
}

impl Judgement {
    pub(crate) fn of(engine: &Engine, now: Option<Timestamp>) -> Self {
        let now = now.or(engine.newest);
        let rules = engine.rules();
        let (ends, orphans) = bind(engine);
        let mut judgement = Self {
            now,
            orphans,
            ends,
            alerts: Vec::new(),
            scopes: Scopes::default(),
            members: Vec::new(),
            incidents: Vec::new(),
            groups: Vec::new(),
            untimed_silences: now.is_none() && rules.has_timed_silences(),
        };
        judgement.stand(engine);
        let mut union = Union::new(judgement.alerts.len());
        relate::ladders(&mut judgement, engine, &mut union);
        judgement.decide();
        relate::edges(&mut judgement, engine, &mut union);
        incident::form(&mut judgement, engine, &mut union);
        judgement
    }

    pub(crate) fn entry<'e>(&'e self, engine: &'e Engine, at: u32) -> &'e Entry {
        let at = at as usize;
        engine.entries.get(at).unwrap_or_else(|| &self.orphans[at - engine.entries.len()])
    }

    /// Records of an alert and of the ends that were joined to it, repeats aside.
    pub(crate) fn count(&self, engine: &Engine, at: u32) -> u64 {
        let ends = self.ends.get(&at).map_or(0, |ends| ends.records() - ends.repeats());
        self.entry(engine, at).count() + ends
    }

    /// The earliest and the latest of them.
    pub(crate) fn span(&self, engine: &Engine, at: u32) -> (Seen, Seen) {
        let ends = self.ends.get(&at).and_then(Set::span);
        let both = self.entry(engine, at).span().into_iter().chain(ends);
        let nowhere = Seen { at: None, place: Place::MAX };
        both.reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1))).unwrap_or((nowhere, nowhere))
    }

    /// When the one began as a cause, and the other as its symptom.
    pub(crate) fn began(&self, cause: u32, symptom: u32) -> Option<(Timestamp, Timestamp)> {
        self.alerts[cause as usize].since.zip(self.alerts[symptom as usize].latest)
    }

    pub(crate) fn state(&self, engine: &Engine, at: u32) -> State {
        let entry = self.entry(engine, at);
        let identity = entry.identity();
        let rules = engine.rules();
        let ttl = rules.is_on("ttl").then(|| rules.ttl(identity.alert, |name| identity.label(name)));
        let hearing = Hearing { now: self.now, since: engine.listening_since };
        State::of(entry, &engine.keys, hearing, ttl, rules.limits())
    }

    /// What each alert is by itself.
    fn stand(&mut self, engine: &Engine) {
        let rules = engine.rules();
        let mut scopes = std::mem::take(&mut self.scopes);
        let mut index = scopes::Index::default();
        let all = engine.entries.len() + self.orphans.len();
        self.alerts.reserve_exact(all);
        for at in 0..all as u32 {
            let entry = self.entry(engine, at);
            let identity = entry.identity();
            let label = |name: &str| identity.label(name);
            let (severity, severity_by) = rules.severity(identity.alert, label);
            let state = self.state(engine, at);
            let mut flags = 0;
            if rules.silence(identity.alert, label, self.now).is_some() {
                flags |= flag::SILENCED;
            }
            match (&state.held, state.stand) {
                (Some(HeldBack::Silenced(_)), Stand::Open) => flags |= flag::SILENCED,
                (Some(HeldBack::Inhibited(_)), Stand::Open) => flags |= flag::INHIBITED,
                _ => {}
            }
            if state.cycles > 0 && rules.is_on("flapping") {
                flags |= flag::FLAPPING;
            }
            match state.stand {
                Stand::Resolved => flags |= flag::RESOLVED,
                Stand::Obsolete => flags |= flag::OBSOLETE,
                Stand::Pending => flags |= flag::PENDING,
                Stand::Open => {}
            }
            if state.only_ended {
                flags |= flag::RESOLVE_ONLY;
            }
            let (mut severity, mut severity_by) = (severity, severity_by);
            if let Some((lasting, _)) = rules.lasting_form(identity.alert) {
                flags |= flag::TRANSIENT;
                if rules.is_on("recurring") && entry.count() >= rules.limits().recurring {
                    flags |= flag::RECURRING;
                }
                if state.is_sustained && rules.is_on("sustained") {
                    flags |= flag::SUSTAINED;
                    if severity_by != SeverityBy::Label {
                        (severity, severity_by) = rules.severity_by_name(&lasting, label);
                    }
                    if severity.class() > Severity::Warning.class() {
                        severity = Severity::Warning;
                    }
                }
            }
            let is_mild = matches!(severity, Severity::Info | Severity::None);
            // What a label or a row says of severity comes before what is for information; a word of the name does not
            // come before a row.
            let by_name = match severity_by {
                SeverityBy::Default => rules.informational(identity.alert, label).is_some(),
                SeverityBy::Name => {
                    rules.informational(identity.alert, label).is_some_and(|(id, _)| rules.is_row(id))
                }
                SeverityBy::Label | SeverityBy::Row(_) => false,
            };
            if is_mild || by_name {
                flags |= flag::INFORMATIONAL;
            }
            let scope = scopes.number(&scope_of(identity, rules), &mut index);
            self.alerts.push(Judged {
                stand: state.stand,
                verdict: Verdict::Active,
                flags,
                severity,
                severity_by,
                priority: Priority::P5,
                scope,
                by: NONE,
                ladder: None,
                cause: NONE,
                edge: NONE,
                explains: false,
                depth: 0,
                rung: 0,
                since: state.since,
                latest: state.latest,
                lasted: state.lasted.as_secs().clamp(0, i64::from(u32::MAX)) as u32,
            });
        }
        for judged in &mut self.alerts {
            judged.priority = priority(judged);
        }
        self.scopes = scopes;
    }

    /// The first verdict that holds.
    fn decide(&mut self) {
        for judged in &mut self.alerts {
            let flags = judged.flags;
            let transient = flags & flag::TRANSIENT != 0;
            judged.verdict = match flags {
                f if f & flag::SILENCED != 0 => Verdict::Silenced,
                f if f & flag::INHIBITED != 0 => Verdict::Inhibited,
                f if f & flag::FLAPPING != 0 => Verdict::Flapping,
                f if f & flag::RESOLVED != 0 => Verdict::Resolved,
                f if f & flag::OBSOLETE != 0 => Verdict::Obsolete,
                f if f & flag::PENDING != 0 => Verdict::Pending,
                f if f & flag::SUPERSEDED != 0 => Verdict::Superseded,
                f if f & flag::SUSTAINED != 0 => Verdict::Sustained,
                _ if transient => Verdict::Transient,
                f if f & flag::INFORMATIONAL != 0 => Verdict::Informational,
                _ => Verdict::Active,
            };
            judged.priority = priority(judged);
        }
    }
}

/// By severity and standing alone.
fn priority(judged: &Judged) -> Priority {
    let is_flapping = judged.flags & flag::FLAPPING != 0;
    let is_mild = judged.flags & flag::INFORMATIONAL != 0;
    if !judged.counts() {
        // Flapped, and the last episode is over: somebody should look, some day.
        let held = judged.flags & (flag::SILENCED | flag::INHIBITED) != 0;
        let over = judged.stand == Stand::Resolved;
        return if is_flapping && over && !held && !is_mild { Priority::P4 } else { Priority::P5 };
    }
    let is_transient = judged.flags & flag::TRANSIENT != 0 && judged.flags & flag::SUSTAINED == 0;
    if is_transient {
        return Priority::P4;
    }
    if is_mild {
        return Priority::P5;
    }
    Priority::of(judged.severity)
}

/// The labels that make the scope.
fn scope_of<'i>(identity: Identity<'i>, rules: &Rules) -> Vec<(&'i str, &'i str)> {
    let table = rules.table();
    let mut found: Vec<(&str, &str)> =
        table.scope.iter().filter_map(|names| identity.label_of(names)).collect();
    if found.is_empty() {
        found.extend(identity.label_of(&table.scope_otherwise));
    }
    found
}

/// The alert that carries each key, the one told last if there are several.
pub(crate) fn holders(engine: &Engine) -> BTreeMap<&str, (Place, u32)> {
    let mut holders: BTreeMap<&str, (Place, u32)> = BTreeMap::new();
    for (at, entry) in engine.entries.iter().enumerate() {
        for (key, set) in entry.keyed_sets() {
            let last = (set.last_fire().unwrap_or(Place::new(0, 0, 0)), at as u32);
            let holder = holders.entry(key).or_insert(last);
            *holder = (*holder).max(last);
        }
    }
    holders
}

/// Counts ends that name only a key with the alert that carries it, the one told last if there are several. What they
/// end is more: [`State`] joins them to every label set of that key.
fn bind(engine: &Engine) -> (HashMap<u32, Set>, Vec<Entry>) {
    let mut ends: HashMap<u32, Set> = HashMap::default();
    let mut orphans: BTreeMap<&str, Entry> = BTreeMap::new();
    if engine.keys.is_empty() {
        return (ends, Vec::new());
    }
    let holders = holders(engine);
    let gap = engine.rules().limits().gap;
    for (key, set) in &engine.keys {
        match holders.get(key.as_ref()) {
            Some((_, at)) => ends.entry(*at).or_default().merge(set.clone(), gap),
            None => {
                let shown = shown_key(key);
                let orphan = orphans.entry(shown).or_insert_with(|| {
                    let mut name = Key::default();
                    name.part(shown);
                    name.part("");
                    Entry::new(&name.0, crate::ledger::hash(&name.0), Severity::Warning.class())
                });
                let told = orphan.more.get_or_insert_default().sets.or_default(Box::default());
                told.merge(set.clone(), gap);
            }
        }
    }
    (ends, orphans.into_values().collect())
}
