//! One incident, for people and machines.

use jiff::Timestamp;
use serde::Serialize;

use super::labels::{self, Labels};
use super::view::Report;
use super::words;
use crate::judge::state::State;
use crate::judge::{Judged, NONE, flag};
use crate::printable::{self, printable};
use crate::severity::Severity;
use crate::verdict::{Notify, Priority, Verdict};

/// Alerts that belong together, and what to do about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// 16 hexadecimal digits, from the scope and the first alert that stands; the same in any order of arrival.
    pub id: String,
    /// Ids under which it was known before incidents merged; only [`IncidentTracker`](crate::IncidentTracker) knows any.
    pub aliases: Vec<String>,
    /// That of its most urgent standing member.
    pub priority: Priority,
    /// By the priority; of a [folded group](super::Group::folded) one notification is for all.
    pub notify: Notify,
    /// The verdict on the headline.
    pub state: Verdict,
    /// Where it is; none for a pattern over several scopes, empty where nothing says.
    pub scope: Option<Labels>,
    /// Where a pattern is, if in several scopes.
    pub scopes: Option<Vec<Labels>>,
    /// The alert to read first: the most severe that stands, among equals the nearest to the cause.
    pub headline: String,
    /// Why it stands before others of its priority.
    pub score: Score,
    /// What stands first, from the cause down; then what was set aside.
    pub members: Vec<Member>,
    /// Why it is what it is, in sentences.
    pub because: Vec<String>,
    /// What else it might be, and what that hangs on, in sentences.
    pub alternatives: Vec<String>,
}

/// Orders incidents of one priority, and never sets a priority.
///
/// The total never contradicts the order, which compares the exact figures where these are rounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Members explained by other members, 0 to 99.
    pub impact: u32,
    /// The highest standing rung, 0 to 9.
    pub urgency: u32,
    /// Scopes, hours and records: a digit each.
    pub persistence: u32,
    /// Impact, urgency and persistence, in this order of weight.
    pub total: u32,
    /// The exact figures, in words.
    pub terms: Vec<String>,
}

/// One alert of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Labels that make it what it is; those that differ between senders or restarts are not among them.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
    /// Free text behind the name, its ids and times masked.
    #[serde(skip_serializing_if = "String::is_empty", serialize_with = "printable::serialize")]
    pub text: String,
    /// As judged.
    pub severity: Severity,
    /// Records, repeats of the same one aside.
    pub count: u64,
    /// Times it began.
    pub episodes: u32,
    /// What became of it.
    pub verdict: Verdict,
    /// What else holds.
    pub flags: Vec<&'static str>,
    /// What it is to the others.
    pub role: Role,
    /// The standing rung above, if it is superseded.
    pub by: Option<AlertRef>,
    /// The alert that explains it, if one does.
    pub cause: Option<Cause>,
    /// Id of the rule, or of the heuristic, that gave the verdict; `triage rules` lists them.
    pub rule: String,
    /// The verdict's evidence, in words.
    pub why: String,
    /// End of the silence, if it has one.
    pub until: Option<Timestamp>,
    /// Up to five values that were left out of the identity.
    #[serde(serialize_with = "printable::serialize_all")]
    pub examples: Vec<String>,
    /// Where somebody wrote down what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Its earliest record.
    pub first: Seen,
    /// Its latest record.
    pub last: Seen,
}

/// What a member is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Explains others, and is explained by none.
    Cause,
    /// Explained by another.
    Symptom,
    /// Neither.
    Member,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Role::Cause => "cause",
            Role::Symptom => "symptom",
            Role::Member => "member",
        })
    }
}

/// Names another alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertRef {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its labels.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
}

/// The alert that explains this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// Its name.
    #[serde(serialize_with = "printable::serialize")]
    pub alert: String,
    /// Its labels.
    #[serde(serialize_with = "labels::labels")]
    pub labels: Labels,
    /// Id of the edge.
    pub rule: String,
}

/// Where a record stands in the input, and when it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Name of its input; none if there is only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Counts from 1.
    pub line: u64,
    /// As its source says.
    pub at: Option<Timestamp>,
}

/// What tells an incident from the others and from what it was, without the rest of it.
#[derive(Debug)]
pub(crate) struct Outline<'r> {
    pub(crate) id: u64,
    pub(crate) priority: Priority,
    pub(crate) state: Verdict,
    pub(crate) headline: &'r str,
    /// The folded group whose notification is for it.
    pub(crate) group: Option<u32>,
    /// Its members that page by themselves.
    pub(crate) pages: u32,
}

impl Report<'_> {
    /// All incidents, the most urgent first; each is made when it is asked for.
    pub fn incidents(&self) -> impl ExactSizeIterator<Item = Incident> + '_ {
        (0..self.judgement.incidents.len()).map(|number| self.incident(number))
    }

    /// By their numbers, in the order of the report.
    pub(crate) fn outlines(&self) -> impl Iterator<Item = (usize, Outline<'_>)> {
        self.judgement.incidents.iter().enumerate().map(|(number, core)| {
            let outline = Outline {
                id: core.id,
                priority: core.priority,
                state: self.judgement.alerts[core.headline as usize].verdict,
                headline: self.judgement.entry(self.engine, core.headline).identity().alert,
                group: (core.group != NONE).then_some(core.group),
                pages: core.pages,
            };
            (number, outline)
        })
    }

    /// The members of an incident, each by the hash of its identity, and whether it stands.
    pub(crate) fn alerts_in(&self, number: usize) -> impl Iterator<Item = (u64, bool)> {
        let members = &self.judgement.incidents[number].members;
        let members = &self.judgement.members[members.start as usize..members.end as usize];
        members.iter().map(|at| {
            (self.judgement.entry(self.engine, *at).hash, self.judgement.alerts[*at as usize].counts())
        })
    }

    /// Why an incident is what it is; of one that asks for nobody also why its headline does not stand.
    pub(crate) fn because(&self, number: usize) -> Vec<String> {
        let mut because = words::because(self, number);
        let headline = self.judgement.incidents[number].headline;
        if !self.judgement.alerts[headline as usize].counts() {
            let state = self.judgement.state(self.engine, headline);
            because.push(words::reason(self, headline, &state).why);
        }
        because
    }

    /// Where it is: in one scope, or in several.
    pub(crate) fn scopes_of(&self, number: usize) -> (Option<Labels>, Option<Vec<Labels>>) {
        self.first_scopes(number, usize::MAX)
    }

    fn first_scopes(&self, number: usize, most: usize) -> (Option<Labels>, Option<Vec<Labels>>) {
        match self.scope_numbers(number).as_slice() {
            [] => (None, None),
            [one] => (Some(self.scope(*one)), None),
            many => (None, Some(many.iter().take(most).map(|scope| self.scope(*scope)).collect())),
        }
    }

    /// Its scopes, each once, in the order of their labels.
    pub(super) fn scope_numbers(&self, number: usize) -> Vec<u32> {
        let core = &self.judgement.incidents[number];
        let scope = |at: &u32| self.judgement.alerts[*at as usize].scope;
        match core.scopes {
            0 | 1 => vec![scope(&core.headline)],
            _ => self.in_order(self.members_of(number).iter().map(scope).collect()),
        }
    }

    pub(super) fn in_order(&self, mut scopes: Vec<u32>) -> Vec<u32> {
        scopes.sort_unstable_by(|a, b| self.judgement.scopes.compare(*a, *b));
        scopes.dedup();
        scopes
    }

    /// Numbers of its members, in their order.
    pub(super) fn members_of(&self, number: usize) -> &[u32] {
        let members = &self.judgement.incidents[number].members;
        &self.judgement.members[members.start as usize..members.end as usize]
    }

    pub(crate) fn group_name(&self, group: u32) -> &str {
        &self.judgement.groups[group as usize].alert
    }

    pub(crate) fn group_scopes(&self, group: u32) -> Vec<Labels> {
        self.judgement.groups[group as usize].scopes.iter().map(|scope| self.scope(*scope)).collect()
    }

    /// The id of one incident, without the rest of it.
    pub(crate) fn id(&self, number: usize) -> String {
        format!("{:016x}", self.judgement.incidents[number].id)
    }

    pub(crate) fn incident(&self, number: usize) -> Incident {
        self.incident_of(number, usize::MAX, usize::MAX)
    }

    /// With at most so many members and scopes.
    pub(super) fn incident_of(&self, number: usize, members: usize, scopes: usize) -> Incident {
        let judgement = &self.judgement;
        let core = &judgement.incidents[number];
        let headline = &judgement.alerts[core.headline as usize];
        let (scope, scopes) = self.first_scopes(number, scopes);
        Incident {
            id: self.id(number),
            aliases: Vec::new(),
            priority: core.priority,
            notify: core.priority.notify(),
            state: headline.verdict,
            scope,
            scopes,
            headline: judgement.entry(self.engine, core.headline).identity().alert.to_owned(),
            score: Score::of(core.explained, core.rung, core.scopes, core.lasted, core.count),
            members: self.members_of(number).iter().take(members).map(|at| self.member(*at)).collect(),
            because: words::because(self, number),
            alternatives: words::alternatives(self, number),
        }
    }

    pub(crate) fn member(&self, at: u32) -> Member {
        let judgement = &self.judgement;
        let judged = &judgement.alerts[at as usize];
        let entry = judgement.entry(self.engine, at);
        let identity = entry.identity();
        let state = judgement.state(self.engine, at);
        let (first, last) = judgement.span(self.engine, at);
        let rules = self.engine.rules();
        let reason = words::reason(self, at, &state);
        Member {
            alert: identity.alert.to_owned(),
            labels: self.labels(at),
            text: identity.text.to_owned(),
            severity: judged.severity,
            count: judgement.count(self.engine, at),
            episodes: state.episodes,
            verdict: judged.verdict,
            flags: flags(judged, &state),
            role: match () {
                () if judged.cause != NONE => Role::Symptom,
                () if judged.explains => Role::Cause,
                () => Role::Member,
            },
            by: (judged.by != NONE && judged.flags & flag::SUPERSEDED != 0).then(|| self.alert(judged.by)),
            cause: (judged.cause != NONE).then(|| {
                let AlertRef { alert, labels } = self.alert(judged.cause);
                Cause { alert, labels, rule: rules.edges()[judged.edge as usize].id.clone() }
            }),
            rule: reason.rule,
            why: reason.why,
            until: reason.until,
            examples: entry
                .timed
                .iter()
                .flat_map(|timed| &timed.examples)
                .map(|(_, text)| text.to_string())
                .collect(),
            runbook: rules.runbook(identity.alert, |name| identity.label(name)).map(printable),
            first: self.seen(first),
            last: self.seen(last),
        }
    }

    pub(super) fn seen(&self, seen: crate::ledger::TimedPosition) -> Seen {
        Seen { source: self.source(seen.position), line: self.offsets.line(seen.position), at: seen.at }
    }

    /// Labels and text of the alert that heads an incident.
    pub(crate) fn headline_of(&self, number: usize) -> (Labels, String) {
        let headline = self.judgement.incidents[number].headline;
        (self.labels(headline), self.judgement.entry(self.engine, headline).identity().text.to_owned())
    }

    pub(super) fn labels(&self, at: u32) -> Labels {
        let identity = self.judgement.entry(self.engine, at).identity();
        identity.labels().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn alert(&self, at: u32) -> AlertRef {
        let alert = self.judgement.entry(self.engine, at).identity().alert.to_owned();
        AlertRef { alert, labels: self.labels(at) }
    }
}

impl Score {
    fn of(explained: u32, rung: u8, scopes: u32, lasted: u32, count: u64) -> Self {
        let hours = lasted / 3600;
        let impact = explained.min(99);
        let urgency = u32::from(rung).min(9);
        let digits = (count.max(1).ilog10()).min(9);
        let persistence = scopes.saturating_sub(1).min(9) * 100 + hours.min(9) * 10 + digits;
        let mut terms = vec![format!("explains {}", words::counted(u64::from(explained), "alert"))];
        terms.push(format!("rung {rung}"));
        terms.push(words::counted(u64::from(scopes), "scope"));
        terms.push(match lasted {
            0 => "no time it is known to have lasted".to_owned(),
            lasted => format!("lasted {}", words::span(i64::from(lasted))),
        });
        terms.push(words::counted(count, "record"));
        Self { impact, urgency, persistence, total: impact * 10_000 + urgency * 1_000 + persistence, terms }
    }
}

/// What holds beside the verdict.
fn flags(judged: &Judged, state: &State) -> Vec<&'static str> {
    let own = judged.verdict.word();
    let mut flags: Vec<&'static str> = flag::WORDS
        .into_iter()
        .filter(|(bit, word)| judged.flags & bit != 0 && *word != own)
        .map(|(_, word)| word)
        .collect();
    if state.timed_out.is_some() {
        flags.push("timed-out");
    }
    flags
}
