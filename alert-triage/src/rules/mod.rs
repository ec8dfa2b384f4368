//! What is known of alerts, as data: one YAML file of ours, extended by one of yours.

mod check;
mod file;
mod list;
mod matches;
mod table;
mod template;
mod varied;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use self::check::{Finding, History, Lint};
pub use self::list::Listed;
pub(crate) use self::matches::Matches;
pub(crate) use self::template::{Filled, Template};
use crate::name;
use crate::severity::Severity;
use crate::yaml::FileError;

const BUILTIN: &str = include_str!("builtin.yaml");

/// Heuristics that are code and no rows; each can be switched off by its id, as a row can.
pub(crate) const HEURISTICS: [(&str, &str); 12] = [
    ("identity/pod", "a pod's workload stands for the pod and its instance"),
    ("severity/name", "Down, Outage, Unavailable, DataLoss, Corrupt, Violated in a name are critical"),
    ("ladder/name", "X < VeryX < CriticallyX"),
    ("ladder/severity", "one name: info < warning < error < critical"),
    ("transient/name", "XTransientFailure is the transient form of XFailure"),
    ("informational/name", "a watchdog or a heartbeat is no fault"),
    ("flapping", "4 closed episodes within 1 h, until quiet for 30 min"),
    ("sustained", "a transient that stood for 1 h is judged as its lasting form"),
    ("recurring", "a transient seen 3 times"),
    ("ttl", "not seen for the TTL: obsolete"),
    ("pattern", "one transient in several scopes is one ticket"),
    ("group", "one alert standing in 3 scopes is one notification"),
];

/// Rules in force: the built-in ones, and those of a file over them.
///
/// Cheap to clone. The format is described where it lives, in `alert-triage/src/rules/builtin.yaml`, which is itself
/// such a file.
#[derive(Debug, Clone)]
pub struct Rules(Arc<Table>);

#[derive(Debug, Default, Clone)]
pub(crate) struct Table {
    pub(crate) templates: Vec<(String, Template)>,
    volatile: HashSet<String>,
    /// Labels that the file keeps, whatever would drop them.
    kept: HashSet<String>,
    pub(crate) scope: Vec<Vec<String>>,
    pub(crate) scope_otherwise: Vec<String>,
    severities: Vec<Row<Severity>>,
    ladders: Vec<(String, Vec<String>)>,
    edges: Vec<Edge>,
    transients: Vec<Row<String>>,
    informational: Vec<Row<String>>,
    silences: Vec<Silence>,
    ttls: Vec<Row<SignedDuration>>,
    runbooks: Vec<Row<String>>,
    pub(crate) limits: Limits,
    disabled: HashSet<String>,
    /// Exact names, so that thousands of rows cost no more than one.
    ladder_of: HashMap<String, (usize, u8)>,
    severity_of: HashMap<String, Vec<usize>>,
    severity_patterns: Vec<usize>,
    /// Row id to the line of its file; built-in rows have none.
    lines: BTreeMap<String, u64>,
    written: Written,
}

/// What the file says beside its rows, each with its line; for the lints.
#[derive(Debug, Default, Clone)]
struct Written {
    drop: Vec<(String, u64)>,
    keep: Vec<(String, u64)>,
    dropped_by_us: HashSet<String>,
    scope: Vec<(String, u64)>,
    scope_at: Option<u64>,
    limits: Vec<(&'static str, u64)>,
    /// Ids that do not do what they seem to do, and why.
    ids: Vec<(String, u64, String)>,
}

/// A row that says something of the alerts it matches.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    pub(crate) id: String,
    pub(crate) matches: Matches,
    pub(crate) says: T,
}

/// `cause` brings `symptoms` with it, inside one scope.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    pub(crate) id: String,
    pub(crate) cause: String,
    pub(crate) symptoms: Vec<String>,
    /// Labels that may differ although both carry them.
    pub(crate) ignore: Vec<String>,
}

/// Alerts held back by us, for a time.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    pub(crate) id: String,
    pub(crate) matches: Matches,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) because: String,
}

/// The numbers of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) identities: usize,
    pub(crate) ttl: SignedDuration,
    pub(crate) sustained: SignedDuration,
    pub(crate) gap: SignedDuration,
    pub(crate) precedes: SignedDuration,
    pub(crate) recurring: u64,
    pub(crate) flaps: usize,
    pub(crate) flap_window: SignedDuration,
    pub(crate) flap_quiet: SignedDuration,
    pub(crate) group_scopes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            identities: 1_000_000,
            ttl: SignedDuration::from_hours(24),
            sustained: SignedDuration::from_hours(1),
            gap: SignedDuration::from_mins(15),
            precedes: SignedDuration::from_mins(10),
            recurring: 3,
            flaps: 4,
            flap_window: SignedDuration::from_hours(1),
            flap_quiet: SignedDuration::from_mins(30),
            group_scopes: 3,
        }
    }
}

/// Where a severity comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeverityBy {
    Label,
    Row(u32),
    Name,
    Default,
}

impl Default for Rules {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Rules {
    /// Only what is built in.
    pub fn builtin() -> Self {
        let file = file::File::parse(BUILTIN).expect("tested: the built-in rules parse");
        let table = Table::of(None, file).expect("tested: the built-in rules hold");
        // Lines are those of a file of yours.
        Self(Arc::new(Table { lines: BTreeMap::new(), written: Written::default(), ..table }))
    }

    /// The built-in rules extended by a file's YAML: a row of the same id takes the place of a built-in one, and
    /// `builtin: {disable: [id]}` switches one off. The empty text is the built-in rules.
    ///
    /// ```
    /// use alert_triage::Rules;
    ///
    /// Rules::parse("severities:\n- {id: queue, alert: QueueBacklog, severity: error}\n").unwrap();
    /// let error = Rules::parse("severity: []\n").unwrap_err();
    /// assert!(error.to_string().starts_with("line 1 column 1: "), "{error}");
    /// ```
    ///
    /// # Errors
    /// Says line, column and the fix: YAML that does not parse, an unknown field, an id given twice, a template
    /// without `{alert}`, a bad time or span, an id to disable that nothing has.
    pub fn parse(yaml: &str) -> Result<Self, FileError> {
        let builtin = file::File::parse(BUILTIN).expect("tested: the built-in rules parse");
        Ok(Self(Arc::new(Table::of(Some(builtin), file::File::parse(yaml)?)?)))
    }

    /// The YAML of the built-in rules, which is also the description of the format.
    pub fn builtin_yaml() -> &'static str {
        BUILTIN
    }

    /// The id of the template that takes a plain line, as one stands in a file: leading time and outer blanks may be there.
    ///
    /// ```
    /// use alert_triage::Rules;
    ///
    /// let rules = Rules::builtin();
    /// assert_eq!(rules.template(b"2026-11-23T06:51:59Z Zone AB: LLMModelStale"), Some("line/zone"));
    /// assert_eq!(rules.template(b"nonsense"), None);
    /// ```
    pub fn template(&self, line: &[u8]) -> Option<&str> {
        let text = crate::read::shape(line)?;
        let mut filled = Filled::default();
        let fits = self.0.templates.iter().find(|(_, template)| template.fill(text, &mut filled).is_ok());
        fits.map(|(id, _)| id.as_str())
    }

    pub(crate) fn table(&self) -> &Table {
        &self.0
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// With another cap on distinct identities, at least 1; for tests and small machines.
    #[must_use]
    pub fn with_identities(self, cap: usize) -> Self {
        let mut table = Arc::unwrap_or_clone(self.0);
        table.limits.identities = cap.max(1);
        Self(Arc::new(table))
    }

    pub(crate) fn is_on(&self, id: &str) -> bool {
        !self.0.disabled.contains(id)
    }

    pub(crate) fn is_volatile(&self, label: &str) -> bool {
        self.0.volatile.contains(label)
    }

    /// And no heuristic.
    pub(crate) fn is_row(&self, id: &str) -> bool {
        !HEURISTICS.iter().any(|(known, _)| *known == id)
    }

    /// Named under `identity.keep`.
    pub(crate) fn is_kept(&self, label: &str) -> bool {
        self.0.kept.contains(label)
    }

    pub(crate) fn severity<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> (Severity, SeverityBy) {
        if let Some(word) = label("severity") {
            return (Severity::of_word(word), SeverityBy::Label);
        }
        self.severity_by_name(alert, label)
    }

    /// As if there were no label.
    pub(crate) fn severity_by_name<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> (Severity, SeverityBy) {
        let rows =
            self.0.severity_of.get(alert).into_iter().flatten().chain(&self.0.severity_patterns).copied();
        let row = rows.filter(|&row| self.0.severities[row].matches.all(alert, &label)).min();
        if let Some(row) = row {
            return (self.0.severities[row].says, SeverityBy::Row(row as u32));
        }
        match name::severity(alert).filter(|_| self.is_on("severity/name")) {
            Some(severity) => (severity, SeverityBy::Name),
            None => (Severity::Warning, SeverityBy::Default),
        }
    }

    pub(crate) fn severity_id(&self, by: SeverityBy) -> &str {
        match by {
            SeverityBy::Label => "label",
            SeverityBy::Row(row) => &self.0.severities[row as usize].id,
            SeverityBy::Name => "severity/name",
            SeverityBy::Default => "default",
        }
    }

    /// The ladder that a row puts the name on, and its rung from 0.
    pub(crate) fn ladder(&self, alert: &str) -> Option<(usize, u8)> {
        self.0.ladder_of.get(alert).copied()
    }

    pub(crate) fn ladder_id(&self, ladder: usize) -> &str {
        &self.0.ladders[ladder].0
    }

    /// From the lowest.
    pub(crate) fn rungs(&self, ladder: usize) -> &[String] {
        &self.0.ladders[ladder].1
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.0.edges
    }

    /// The lasting form, if the name is that of a transient; and the id of what says so.
    pub(crate) fn lasting_form(&self, alert: &str) -> Option<(String, &str)> {
        if let Some(row) = self.0.transients.iter().find(|row| row.matches.alert(alert)) {
            return Some((row.says.clone(), &row.id));
        }
        name::lasting_form(alert)
            .filter(|_| self.is_on("transient/name"))
            .map(|base| (base, "transient/name"))
    }

    /// Why it is only for information, if it is.
    pub(crate) fn informational<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> Option<(&str, &str)> {
        if let Some(row) = self.0.informational.iter().find(|row| row.matches.all(alert, &label)) {
            return Some((&row.id, &row.says));
        }
        (name::is_heartbeat(alert) && self.is_on("informational/name"))
            .then_some(("informational/name", "its name says watchdog or heartbeat"))
    }

    /// The first silence in force. One with an end needs a `now` to be believed.
    pub(crate) fn silence<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
        now: Option<Timestamp>,
    ) -> Option<&Silence> {
        self.0.silences.iter().find(|silence| {
            let begun = silence.from.is_none_or(|from| now.is_some_and(|now| from <= now));
            let lasts = silence.until.is_none_or(|until| now.is_some_and(|now| now < until));
            begun && lasts && silence.matches.all(alert, &label)
        })
    }

    /// When silences begin and end.
    pub(crate) fn silence_edges(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.0.silences.iter().flat_map(|silence| silence.from.into_iter().chain(silence.until))
    }

    /// Is there a silence that only time can tell the force of?
    pub(crate) fn has_timed_silences(&self) -> bool {
        self.0.silences.iter().any(|silence| silence.from.is_some() || silence.until.is_some())
    }

    pub(crate) fn ttl<'l>(&self, alert: &str, label: impl Fn(&str) -> Option<&'l str>) -> SignedDuration {
        self.ttl_with_id(alert, label).1
    }

    pub(crate) fn ttl_with_id<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> (&str, SignedDuration) {
        let row = self.0.ttls.iter().find(|row| row.matches.all(alert, &label));
        row.map_or(("ttl", self.0.limits.ttl), |row| (&row.id, row.says))
    }

    pub(crate) fn runbook<'l>(&self, alert: &str, label: impl Fn(&str) -> Option<&'l str>) -> Option<&str> {
        self.0.runbooks.iter().find(|row| row.matches.all(alert, &label)).map(|row| row.says.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<&'static str> {
        None
    }

    #[test]
    fn the_empty_file_is_the_builtin_rules() {
        for empty in ["", "\n", "# nothing\n", "---\n"] {
            let rules = Rules::parse(empty).unwrap();
            assert_eq!(rules.edges().len(), Rules::builtin().edges().len(), "{empty:?}");
        }
    }

    #[test]
    fn severities_follow_their_order() {
        let rules = Rules::builtin();
        let labelled = |name: &str| (name == "severity").then_some("info");
        assert_eq!(
            rules.severity("TooFewEndpointsRegistered", labelled).0,
            Severity::Info,
            "a label beats the name"
        );
        assert_eq!(rules.severity("TooFewEndpointsRegistered", none).0, Severity::Critical);
        assert_eq!(rules.severity("EndpointRegistrationFailure", none).0, Severity::Error);
        assert_eq!(rules.severity("SwypeGatewayDown", none), (Severity::Critical, SeverityBy::Name));
        assert_eq!(rules.severity("Anything", none), (Severity::Warning, SeverityBy::Default));
    }

    #[test]
    fn a_file_extends_overrides_and_disables() {
        let yaml = "
severities:
- {id: upcommerce/too-few-endpoints, alert: TooFewEndpointsRegistered, severity: warning}
- {id: any-queue, alert: '*Queue*', labels: {zone: 'A*'}, severity: error}
builtin: {disable: [severity/name, upcommerce/registration]}
";
        let rules = Rules::parse(yaml).unwrap();
        assert_eq!(rules.severity("TooFewEndpointsRegistered", none).0, Severity::Warning);
        let zone = |name: &str| (name == "zone").then_some("AB");
        assert_eq!(rules.severity("BigQueueFull", zone).0, Severity::Error);
        assert_eq!(rules.severity("BigQueueFull", none).0, Severity::Warning);
        assert_eq!(rules.severity("SwypeGatewayDown", none).1, SeverityBy::Default);
        assert!(!rules.edges().iter().any(|edge| edge.id == "upcommerce/registration"));
    }

    #[test]
    fn silences_end() {
        let rules =
            Rules::parse("silences:\n- {id: s, alert: X, until: 2026-11-23T07:00:00Z, because: works}\n")
                .unwrap();
        let at = |time: &str| Some(time.parse().unwrap());
        assert!(rules.silence("X", none, at("2026-11-23T06:59:59Z")).is_some());
        assert!(rules.silence("X", none, at("2026-11-23T07:00:00Z")).is_none());
        assert!(rules.silence("X", none, None).is_none(), "without a now nobody knows whether it has ended");
        assert!(rules.silence("Y", none, at("2026-11-23T06:00:00Z")).is_none());
    }

    #[test]
    fn faults_name_their_place() {
        for (yaml, want) in [
            (
                "severities:\n- {id: a, alert: X, severity: mauve}\n",
                "line 2 column 31: `mauve` is no severity",
            ),
            ("severities:\n- {id: a, alrt: X, severity: error}\n", "line 2 column 11: "),
            ("edges:\n- {id: a, cause: X, symptoms: []}\n", "line 2 column 8: edge `a` has no symptoms"),
            ("ladders:\n- {id: a, rungs: [X]}\n", "line 2 column 8: ladder `a` has fewer than two rungs"),
            (
                "templates:\n- {id: a, line: 'Zone {zone}'}\n",
                "line 2 column 17: template `Zone {zone}` has no {alert}",
            ),
            ("silences:\n- {id: a, alert: X, until: tomorrow}\n", "line 2 column 28: `tomorrow` is no time"),
            ("ttls:\n- {id: a, alert: X, ttl: soon}\n", "line 2 column 26: `soon` is no span"),
            (
                "ttls:\n- {id: a, alert: X, ttl: 1h}\n- {id: a, alert: Y, ttl: 1h}\n",
                "line 3 column 8: id `a` is given twice",
            ),
            ("builtin: {disable: [nope]}\n", "line 1 column 21: nothing built in has the id `nope`"),
            ("limits: {identities: 0}\n", "line 1 column 22: identities must be at least 1"),
        ] {
            let error = Rules::parse(yaml).unwrap_err().to_string();
            assert!(error.starts_with(want), "{yaml}: {error}");
        }
    }
}
