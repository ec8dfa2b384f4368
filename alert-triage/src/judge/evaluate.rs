//! The steps from alerts to verdicts and incidents.

use jiff::Timestamp;

use super::bind::bind;
use super::incident;
use super::judgement::{Judged, Judgement, NONE, flag};
use super::relate::{self, Union};
use super::scopes::{self, Scopes};
use super::stand::Stand;
use crate::identity::Identity;
use crate::ledger::Engine;
use crate::ledger::SuppressedBy;
use crate::rules::{Rules, SeverityBy};
use crate::severity::Severity;
use crate::verdict::{Priority, Verdict};

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
                (Some(SuppressedBy::Silenced(_)), Stand::Open) => flags |= flag::SILENCED,
                (Some(SuppressedBy::Inhibited(_)), Stand::Open) => flags |= flag::INHIBITED,
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
