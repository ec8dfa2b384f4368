//! The rules: lookups by alert.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::heuristics::HEURISTICS;
use super::limits::Limits;
use super::rows::{Edge, SEVERITY_ALIASES, SeveritySource, Silence};
use super::rules_file::RulesFile;
use super::table::{RuleTable, WrittenSettings};
use crate::name;
use crate::severity::Severity;
use crate::yaml::FileError;

const BUILTIN: &str = include_str!("builtin.yaml");

/// The rules in force: the built-in ones, extended by a file.
///
/// Cheap to clone. [`Rules::builtin_yaml`] documents the file format.
#[derive(Debug, Clone)]
pub struct Rules(pub(super) Arc<RuleTable>);

impl Default for Rules {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Rules {
    /// These rules for inputs whose times without a zone are in this one, instead of UTC.
    #[must_use]
    pub fn in_time_zone(mut self, zone: TimeZone) -> Self {
        Arc::make_mut(&mut self.0).time_zone = Some(zone);
        self
    }

    /// The zone of times without one.
    pub(crate) fn time_zone(&self) -> TimeZone {
        self.0.time_zone.clone().unwrap_or(TimeZone::UTC)
    }

    /// The built-in rules.
    pub fn builtin() -> Self {
        let file = RulesFile::parse(BUILTIN).expect("tested: the built-in rules parse");
        let table = RuleTable::from_files(None, file).expect("tested: the built-in rules hold");
        // Only rows of a user's file have a line.
        Self(Arc::new(RuleTable { lines: BTreeMap::new(), written: WrittenSettings::default(), ..table }))
    }

    /// Parses a file's YAML, which extends the built-in rules: a row with the id of a built-in row
    /// replaces it, and `builtin: {disable: [id]}` disables one. The empty text gives the built-in
    /// rules.
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
    /// With line, column and fix, if the YAML does not parse, a field is unknown, an id is given
    /// twice, a template has no `{alert}`, a time or span is invalid, or an id to disable does not
    /// exist.
    pub fn parse(yaml: &str) -> Result<Self, FileError> {
        let builtin = RulesFile::parse(BUILTIN).expect("tested: the built-in rules parse");
        Ok(Self(Arc::new(RuleTable::from_files(Some(builtin), RulesFile::parse(yaml)?)?)))
    }

    /// The YAML of the built-in rules, which is also the description of the format.
    pub fn builtin_yaml() -> &'static str {
        BUILTIN
    }

    pub(crate) fn table(&self) -> &RuleTable {
        &self.0
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// These rules with another limit on distinct identities, at least 1; for tests and small
    /// machines.
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

    /// Whether the id is that of a row, not of a heuristic.
    pub(crate) fn is_row(&self, id: &str) -> bool {
        !HEURISTICS.iter().any(|(known, _)| *known == id)
    }

    /// Whether the label is listed under `identity.keep`.
    pub(crate) fn is_kept(&self, label: &str) -> bool {
        self.0.kept.contains(label)
    }

    /// The name as the built-in rules spell it, if a line has it in small letters or in capitals
    /// only.
    pub(crate) fn usual_spelling(&self, name: &str) -> Option<&str> {
        let has = |is: fn(&u8) -> bool| name.bytes().any(|byte| is(&byte));
        if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) {
            return None;
        }
        let spellings = self.0.spellings.get_or_init(|| self.0.spellings());
        spellings.get(&name.to_ascii_lowercase()).map(String::as_str).filter(|usual| *usual != name)
    }

    pub(crate) fn severity<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> (Severity, SeveritySource) {
        let word = label("severity");
        if let Some(severity) = word.and_then(Severity::parse_word) {
            return (severity, SeveritySource::Label);
        }
        if self.is_on("severity/alias")
            && let Some(found) = alias(&label)
        {
            return found;
        }
        match (word, self.severity_by_row(alert, &label)) {
            // A row may say what the word means.
            (_, Some(found)) => found,
            (Some(_), None) => (Severity::Unknown, SeveritySource::UnknownWord),
            (None, None) => self.severity_by_words(alert),
        }
    }

    /// The severity without any label that gives one.
    pub(crate) fn severity_by_name<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> (Severity, SeveritySource) {
        self.severity_by_row(alert, label).unwrap_or_else(|| self.severity_by_words(alert))
    }

    fn severity_by_row<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> Option<(Severity, SeveritySource)> {
        let rows =
            self.0.severity_of.get(alert).into_iter().flatten().chain(&self.0.severity_patterns).copied();
        let row = rows.filter(|&row| self.0.severities[row].matches.is_match(alert, &label)).min();
        row.map(|row| (self.0.severities[row].value, SeveritySource::Row(row as u32)))
    }

    fn severity_by_words(&self, alert: &str) -> (Severity, SeveritySource) {
        match name::severity(alert).filter(|_| self.is_on("severity/name")) {
            Some(severity) => (severity, SeveritySource::Name),
            None => (Severity::Warning, SeveritySource::Default),
        }
    }

    pub(crate) fn severity_id(&self, by: SeveritySource) -> &str {
        match by {
            SeveritySource::Label | SeveritySource::UnknownWord => "label",
            SeveritySource::Alias(_) => "severity/alias",
            SeveritySource::Row(row) => &self.0.severities[row as usize].id,
            SeveritySource::Name => "severity/name",
            SeveritySource::Default => "default",
        }
    }

    /// Whether any source has a constant scope.
    pub(crate) fn has_scope_constants(&self) -> bool {
        !self.0.scope_constants.is_empty()
    }

    /// The labels of the scope of this source, for alerts without a label of a scope.
    pub(crate) fn scope_constant(&self, source: &str) -> &[(String, String)] {
        let row = self.0.scope_constants.iter().find(|row| row.source.matches(source));
        row.map_or(&[], |row| &row.labels)
    }

    /// Whether the label may make up a scope.
    pub(crate) fn is_scope_label(&self, label: &str) -> bool {
        self.0.scope.iter().flatten().any(|known| known == label)
    }

    /// The ladder of a row that has the name, and its rung, from 0.
    pub(crate) fn ladder(&self, alert: &str) -> Option<(usize, u8)> {
        self.0.ladder_of.get(alert).copied()
    }

    pub(crate) fn ladder_id(&self, ladder: usize) -> &str {
        &self.0.ladders[ladder].0
    }

    /// The rungs of a ladder, the lowest first.
    pub(crate) fn rungs(&self, ladder: usize) -> &[String] {
        &self.0.ladders[ladder].1
    }

    /// Whether the instances of this alert are incidents of their own.
    pub(crate) fn is_separate(&self, alert: &str) -> bool {
        self.0.separate.iter().any(|pattern| pattern.matches(alert))
    }

    pub(crate) fn edges(&self) -> &[Edge] {
        &self.0.edges
    }

    /// The lasting form of a transient, and the id of the row or heuristic.
    pub(crate) fn lasting_form(&self, alert: &str) -> Option<(String, &str)> {
        if let Some(row) = self.0.transients.iter().find(|row| row.matches.is_name_match(alert)) {
            return Some((row.value.clone(), &row.id));
        }
        name::lasting_form(alert)
            .filter(|_| self.is_on("transient/name"))
            .map(|base| (base, "transient/name"))
    }

    /// The id and the reason, if the alert is informational.
    pub(crate) fn informational<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
    ) -> Option<(&str, &str)> {
        if let Some(row) = self.0.informational.iter().find(|row| row.matches.is_match(alert, &label)) {
            return Some((&row.id, &row.value));
        }
        (name::is_heartbeat(alert) && self.is_on("informational/name"))
            .then_some(("informational/name", "its name says watchdog or heartbeat"))
    }

    /// The first silence in force. A silence with a start or an end needs a `now`.
    pub(crate) fn silence<'l>(
        &self,
        alert: &str,
        label: impl Fn(&str) -> Option<&'l str>,
        now: Option<Timestamp>,
    ) -> Option<&Silence> {
        self.0.silences.iter().find(|silence| {
            let begun = silence.from.is_none_or(|from| now.is_some_and(|now| from <= now));
            let lasts = silence.until.is_none_or(|until| now.is_some_and(|now| now < until));
            begun && lasts && silence.matches.is_match(alert, &label)
        })
    }

    /// The instants at which silences begin and end.
    pub(crate) fn silence_edges(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.0.silences.iter().flat_map(|silence| silence.from.into_iter().chain(silence.until))
    }

    /// Whether any silence has a start or an end.
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
        let row = self.0.ttls.iter().find(|row| row.matches.is_match(alert, &label));
        row.map_or(("ttl", self.0.limits.ttl), |row| (&row.id, row.value))
    }

    pub(crate) fn runbook<'l>(&self, alert: &str, label: impl Fn(&str) -> Option<&'l str>) -> Option<&str> {
        self.0.runbooks.iter().find(|row| row.matches.is_match(alert, &label)).map(|row| row.value.as_str())
    }
}

/// The severity by the first other label that has a known word of a severity.
fn alias<'l>(label: impl Fn(&str) -> Option<&'l str>) -> Option<(Severity, SeveritySource)> {
    (0..).zip(SEVERITY_ALIASES).find_map(|(number, name)| {
        let severity = Severity::parse_word(label(name)?)?;
        Some((severity, SeveritySource::Alias(number)))
    })
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
        assert_eq!(rules.severity("SwypeGatewayDown", none), (Severity::Critical, SeveritySource::Name));
        assert_eq!(rules.severity("Anything", none), (Severity::Warning, SeveritySource::Default));
    }

    #[test]
    fn other_labels_say_the_severity_if_their_word_is_known() {
        let row = "severities:\n- {id: red, alert: '*', labels: {severity: red}, severity: critical}\n";
        let off = "builtin: {disable: [severity/alias]}\n";
        for (yaml, labels, want) in [
            ("", vec![("priority", "P1")], (Severity::Critical, SeveritySource::Alias(0))),
            ("", vec![("level", "warn"), ("urgency", "high")], (Severity::Warning, SeveritySource::Alias(1))),
            ("", vec![("severity", "info"), ("priority", "P1")], (Severity::Info, SeveritySource::Label)),
            (
                "",
                vec![("severity", "red"), ("priority", "P1")],
                (Severity::Critical, SeveritySource::Alias(0)),
            ),
            ("", vec![("severity", "red")], (Severity::Unknown, SeveritySource::UnknownWord)),
            ("", vec![("severity", "unknown")], (Severity::Unknown, SeveritySource::Label)),
            ("", vec![("level", "3")], (Severity::Warning, SeveritySource::Default)),
            (row, vec![("severity", "red")], (Severity::Critical, SeveritySource::Row(0))),
            (row, vec![("severity", "error")], (Severity::Error, SeveritySource::Label)),
            (off, vec![("priority", "P1")], (Severity::Warning, SeveritySource::Default)),
        ] {
            let rules = Rules::parse(yaml).unwrap();
            let label = |name: &str| labels.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(rules.severity("Anything", label), want, "{yaml}{labels:?}");
        }
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
        assert_eq!(rules.severity("SwypeGatewayDown", none).1, SeveritySource::Default);
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
                "line 2 column 31: `mauve` is not a severity",
            ),
            ("severities:\n- {id: a, alrt: X, severity: error}\n", "line 2 column 11: "),
            ("edges:\n- {id: a, cause: X, symptoms: []}\n", "line 2 column 8: edge `a` has no symptoms"),
            ("ladders:\n- {id: a, rungs: [X]}\n", "line 2 column 8: ladder `a` has fewer than two rungs"),
            (
                "templates:\n- {id: a, line: 'Zone {zone}'}\n",
                "line 2 column 17: template `Zone {zone}` has no {alert}",
            ),
            (
                "silences:\n- {id: a, alert: X, until: tomorrow}\n",
                "line 2 column 28: `tomorrow` is not a time",
            ),
            ("ttls:\n- {id: a, alert: X, ttl: soon}\n", "line 2 column 26: `soon` is not a span"),
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
