//! Derives incidents and their members from the evaluation.

use std::borrow::Cow;

use super::alternatives::alternatives;
use super::because::because;
use super::incident::{Incident, Score};
use super::labels::Labels;
use super::member::{AlertRef, Cause, Member, Role, Seen, Silent};
use super::reason::reason;
use super::view::Report;
use crate::judge::alert_state::AlertState;
use crate::judge::{AlertIx, AlertVerdict, Flags, IncidentIx, ScopeIx};
use crate::ledger::{AlertEntry, TimedPosition};
use crate::printable::{is_link, printable};

impl Report<'_> {
    /// All incidents, the most urgent first. Each is derived on demand.
    pub fn incidents(&self) -> impl ExactSizeIterator<Item = Incident> + '_ {
        self.evaluation.incidents.indices().map(|incident| self.incident(incident))
    }

    pub(crate) fn incident(&self, incident: IncidentIx) -> Incident {
        self.incident_with(incident, usize::MAX, usize::MAX)
    }

    /// An incident with at most `members` members and `scopes` scopes.
    pub(super) fn incident_with(&self, incident: IncidentIx, members: usize, scopes: usize) -> Incident {
        let core = &self.evaluation.incidents[incident];
        let (scope, scopes) = self.first_scopes(incident, scopes);
        let members = self.evaluation.members(incident).iter().take(members);
        Incident {
            id: self.id(incident),
            aliases: Vec::new(),
            priority: core.priority,
            notify: core.priority.notify(),
            state: self.alert(core.headline).verdict,
            scope,
            scopes,
            headline: self.evaluation.name(core.headline).to_owned(),
            instances: u64::from(core.instances),
            score: Score::new(core.explained, core.rung, core.scopes, core.lasted, core.count),
            members: members.map(|at| self.member(*at)).collect(),
            because: because(self, incident),
            alternatives: alternatives(self, incident),
        }
    }

    /// The id of an incident.
    pub(crate) fn id(&self, incident: IncidentIx) -> String {
        format!("{:016x}", self.evaluation.incidents[incident].id)
    }

    /// The scope of an incident, or at most `max` of its scopes if there are several.
    pub(super) fn first_scopes(
        &self,
        incident: IncidentIx,
        max: usize,
    ) -> (Option<Labels>, Option<Vec<Labels>>) {
        match self.distinct_scopes(incident).as_slice() {
            [] => (None, None),
            [one] => (Some(self.scope(*one)), None),
            many => (None, Some(many.iter().take(max).map(|scope| self.scope(*scope)).collect())),
        }
    }

    /// The scopes of an incident, each once, in the order of their labels.
    pub(super) fn distinct_scopes(&self, incident: IncidentIx) -> Vec<ScopeIx> {
        let core = &self.evaluation.incidents[incident];
        let scope = |at: &AlertIx| self.alert(*at).scope;
        match core.scopes {
            0 | 1 => vec![scope(&core.headline)],
            _ => self.sorted_scopes(self.evaluation.members(incident).iter().map(scope).collect()),
        }
    }

    /// Sorts scopes by their labels and removes duplicates.
    pub(super) fn sorted_scopes(&self, mut scopes: Vec<ScopeIx>) -> Vec<ScopeIx> {
        scopes.sort_unstable_by(|a, b| self.evaluation.scopes.compare(*a, *b));
        scopes.dedup();
        scopes
    }

    pub(crate) fn member(&self, at: AlertIx) -> Member {
        let evaluation = &self.evaluation;
        let alert = self.alert(at);
        let entry = evaluation.entry(at);
        let identity = entry.identity();
        let state = evaluation.state(at);
        let (first, last) = evaluation.span(at);
        let rules = evaluation.engine.rules();
        let reason = reason(self, at, &state);
        let examples = entry.timed.iter().flat_map(|timed| &timed.examples);
        Member {
            alert: identity.alert.to_owned(),
            labels: self.labels(at),
            text: identity.text.to_owned(),
            severity: alert.severity,
            count: evaluation.count(at),
            episodes: state.episodes,
            verdict: alert.verdict,
            flags: flags(alert, &state).into_iter().map(Cow::Borrowed).collect(),
            silent: evaluation.silence(&state).map(Silent::from),
            role: match () {
                () if alert.cause.is_some() => Role::Symptom,
                () if alert.explains => Role::Cause,
                () => Role::Member,
            },
            by: alert
                .superior
                .filter(|_| alert.flags.contains(Flags::SUPERSEDED))
                .map(|superior| self.alert_ref(superior)),
            cause: alert.cause.map(|cause| {
                let AlertRef { alert, labels } = self.alert_ref(cause.alert);
                Cause { alert, labels, rule: rules.edges()[cause.edge as usize].id.clone() }
            }),
            rule: reason.rule,
            why: reason.why,
            until: reason.until,
            acknowledged: state.acknowledged.flatten(),
            examples: examples.map(|(_, text)| text.to_string()).collect(),
            runbook: rules
                .runbook(identity.alert, |name| identity.label(name))
                .or_else(|| runbook_of(entry))
                .map(|runbook| if is_link(runbook) { runbook.to_owned() } else { printable(runbook) }),
            annotations: (entry.annotations())
                .map(|(name, text)| (name.to_owned(), text.to_owned()))
                .collect(),
            first: self.seen(first),
            last: self.seen(last),
        }
    }

    pub(super) fn seen(&self, seen: TimedPosition) -> Seen {
        Seen { source: self.source(seen.position), line: self.offsets.line(seen.position), at: seen.at }
    }

    /// The labels of an alert's identity.
    pub(super) fn labels(&self, at: AlertIx) -> Labels {
        let identity = self.evaluation.entry(at).identity();
        identity.labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn alert_ref(&self, at: AlertIx) -> AlertRef {
        AlertRef { alert: self.evaluation.name(at).to_owned(), labels: self.labels(at) }
    }
}

/// The runbook in the annotations.
fn runbook_of(entry: &AlertEntry) -> Option<&str> {
    const NAMES: [&str; 4] = ["runbook_url", "runbookUrl", "runbook_link", "runbook"];
    NAMES.iter().find_map(|wanted| entry.annotations().find(|(name, _)| name == wanted)).map(|(_, text)| text)
}

/// The flags of an alert as words, without its verdict.
fn flags(alert: &AlertVerdict, state: &AlertState) -> Vec<&'static str> {
    let own = alert.verdict.word();
    let mut flags: Vec<&'static str> = alert.flags.words().filter(|word| *word != own).collect();
    if state.timed_out.is_some() {
        flags.push("timed-out");
    }
    flags
}
