//! All verdicts at one instant.

use jiff::Timestamp;

use super::incident_core::{Core, Group};
use super::scopes::Scopes;
use super::stand::Stand;
use super::state::{Clock, State};
use crate::hashing::HashMap;
use crate::ledger::AlertEntry;
use crate::ledger::Engine;
use crate::ledger::{LabelSetHistory, TimedPosition};
use crate::rules::SeverityBy;
use crate::severity::Severity;
use crate::source_position::SourcePosition;
use crate::verdict::{Priority, Verdict};

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
    pub(crate) orphans: Vec<AlertEntry>,
    /// Ends that name only a key, by the alert that they are counted with.
    pub(crate) ends: HashMap<u32, LabelSetHistory>,
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
    pub(crate) fn entry<'e>(&'e self, engine: &'e Engine, at: u32) -> &'e AlertEntry {
        let at = at as usize;
        engine.entries.get(at).unwrap_or_else(|| &self.orphans[at - engine.entries.len()])
    }

    /// Records of an alert and of the ends that were joined to it, repeats aside.
    pub(crate) fn count(&self, engine: &Engine, at: u32) -> u64 {
        let ends = self.ends.get(&at).map_or(0, |ends| ends.records() - ends.repeats());
        self.entry(engine, at).count() + ends
    }

    /// The earliest and the latest of them.
    pub(crate) fn span(&self, engine: &Engine, at: u32) -> (TimedPosition, TimedPosition) {
        let ends = self.ends.get(&at).and_then(LabelSetHistory::span);
        let both = self.entry(engine, at).span().into_iter().chain(ends);
        let nowhere = TimedPosition { at: None, position: SourcePosition::MAX };
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
        let clock = Clock { now: self.now, arrivals_since: engine.arrivals_since };
        State::of(entry, &engine.keyed_ends, clock, ttl, rules.limits())
    }
}
