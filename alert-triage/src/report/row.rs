//! Rows: incidents as a table shows them, with each folded group as one row.

use super::incident::Incident;
use super::labels::Labels;
use super::member::Seen;
use super::view::Report;
use crate::judge::{AlertIx, IncidentIx};
use crate::ledger::TimedPosition;

/// A row of a table: one incident, or the first incident of a [folded group](super::Group::folded).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The incident with its first members and scopes.
    pub incident: Incident,
    /// The number of incidents in the row; 1 without a group.
    pub incidents: u64,
    /// The number of members of this incident.
    pub alerts: u64,
    /// The number of firing members with the name of the headline.
    pub instances: u64,
    /// The number of their records, without duplicates.
    pub count: u64,
    /// The first scopes of all incidents in the row; empty without scope labels.
    pub scopes: Vec<Labels>,
    /// The number of scopes.
    pub scopes_in_all: u64,
    /// The labels that all members share, including those of a common scope, without the severity.
    pub common: Labels,
    /// The earliest record of the members.
    pub first: Seen,
    /// The latest record of the members.
    pub last: Seen,
}

impl Report<'_> {
    /// The rows in the order of the report, each with at most `members` members and `scopes`
    /// scopes. A row is derived on demand.
    ///
    /// ```
    /// use alert_triage::{Engine, Format, Rules};
    ///
    /// let mut engine = Engine::new(Rules::builtin());
    /// engine.read("night.log", Format::Lines, b"Zone A: DiskDown\nZone B: DiskDown\nZone C: DiskDown\nZone A: X\n");
    /// let report = engine.report(None);
    ///
    /// let rows: Vec<_> = report.rows(10, 2).collect();
    /// assert_eq!(rows.len(), 2, "the same alert in three zones takes one row");
    /// assert_eq!((rows[0].incidents, rows[0].scopes.len(), rows[0].scopes_in_all), (3, 2, 3));
    /// ```
    pub fn rows(&self, members: usize, scopes: usize) -> impl Iterator<Item = Row> + '_ {
        let groups = &self.evaluation.groups;
        let has_row = move |incident: &IncidentIx| match self.evaluation.incidents[*incident].group {
            None => true,
            Some(group) => groups[group].folded.first() == Some(incident),
        };
        let incidents = self.evaluation.incidents.indices();
        incidents.filter(has_row).map(move |incident| self.row(incident, members, scopes))
    }

    fn row(&self, incident: IncidentIx, members: usize, scopes: usize) -> Row {
        let evaluation = &self.evaluation;
        let core = &evaluation.incidents[incident];
        let (incidents, in_all) = match core.group {
            None => (1, self.distinct_scopes(incident)),
            Some(group) => {
                let group = &evaluation.groups[group];
                let all = group.folded.iter().flat_map(|incident| self.distinct_scopes(*incident));
                (group.folded.len() as u64, self.sorted_scopes(all.collect()))
            }
        };
        let is_placed = in_all.first().is_some_and(|scope| !evaluation.scopes.is_empty(*scope));
        let in_all = if is_placed || in_all.len() > 1 { in_all } else { Vec::new() };
        let alerts = evaluation.members(incident);
        let spans = alerts.iter().map(|at| evaluation.span(*at));
        let nowhere = TimedPosition { at: None, position: crate::source_position::SourcePosition::MAX };
        let (first, last) =
            spans.reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1))).unwrap_or((nowhere, nowhere));
        Row {
            incident: self.incident_with(incident, members, scopes),
            incidents,
            alerts: alerts.len() as u64,
            instances: u64::from(core.instances),
            count: core.count,
            scopes: in_all.iter().take(scopes).map(|scope| self.scope(*scope)).collect(),
            scopes_in_all: in_all.len() as u64,
            common: self.common(alerts),
            first: self.seen(first),
            last: self.seen(last),
        }
    }

    fn common(&self, alerts: &[AlertIx]) -> Labels {
        let Some((first, others)) = alerts.split_first() else { return Labels::new() };
        let mut common = self.labels(*first);
        common.remove("severity");
        for at in others {
            if common.is_empty() {
                break;
            }
            let identity = self.evaluation.entry(*at).identity();
            common.retain(|name, value| identity.label(name) == Some(value.as_str()));
        }
        common
    }
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Format, Rules};

    #[test]
    fn sums_are_those_of_all_members_however_few_are_made() {
        let mut engine = Engine::new(Rules::builtin());
        let lines: String = (0..50).map(|n| format!("Zone {n:02}: XTransientFailure\n").repeat(2)).collect();
        engine.read("-", Format::Lines, lines.as_bytes());
        let report = engine.report(None);
        let row = report.rows(3, 2).next().unwrap();
        assert_eq!((row.incident.members.len(), row.alerts, row.count), (3, 50, 100));
        assert_eq!((row.scopes.len(), row.scopes_in_all), (2, 50));
        assert_eq!((row.first.line, row.last.line), (1, 100));
        assert!(row.common.is_empty(), "they differ by zone");
        let whole = report.rows(usize::MAX, usize::MAX).next().unwrap();
        assert_eq!(whole.incident, report.incidents().next().unwrap());
        assert_eq!(whole.incident.members[..3], row.incident.members);
    }

    #[test]
    fn rows_stand_for_all_incidents() {
        let mut engine = Engine::new(Rules::builtin());
        engine.read(
            "-",
            Format::Lines,
            b"Zone A: Y\nZone A: X\nZone B: X\nZone C: X\nZone D: Y\nZone A: TooFewEndpointsRegistered\n",
        );
        let report = engine.report(None);
        let rows: Vec<_> = report
            .rows(9, 9)
            .map(|row| (row.incident.headline.clone(), row.incidents, row.scopes.len()))
            .collect();
        let want = [("TooFewEndpointsRegistered", 1, 1), ("X", 3, 3), ("Y", 1, 1), ("Y", 1, 1)];
        assert_eq!(rows, want.map(|(alert, incidents, scopes)| (alert.to_owned(), incidents, scopes)));
        assert_eq!(rows.iter().map(|row| row.1).sum::<u64>(), report.totals().incidents);
    }
}
