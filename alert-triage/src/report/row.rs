//! Incidents as people are told of them.

use super::incident::{Incident, Seen};
use super::labels::Labels;
use super::view::Report;
use crate::judge::NONE;
use crate::ledger::TimedPosition;

/// One incident, or the first of a [folded group](super::Group::folded) that stands for all of it; less what there is
/// no room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// With its first members and scopes only.
    pub incident: Incident,
    /// Incidents that the row stands for; 1 where there is no group.
    pub incidents: u64,
    /// Members in all, of this incident.
    pub alerts: u64,
    /// Their records, repeats aside.
    pub count: u64,
    /// Where it is: the first scopes, of all that the row stands for; none where nothing says.
    pub scopes: Vec<Labels>,
    /// Scopes in all.
    pub scopes_in_all: u64,
    /// Labels that all members share, those of a common scope among them; never the severity.
    pub common: Labels,
    /// The earliest record of all members.
    pub first: Seen,
    /// The latest.
    pub last: Seen,
}

impl Report<'_> {
    /// The rows in the order of the report, each made when it is asked for, with at most so many `members` and
    /// `scopes`.
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
        let groups = &self.judgement.groups;
        let is_told = move |number: &usize| match self.judgement.incidents[*number].group {
            NONE => true,
            group => groups[group as usize].folded.first() == Some(&(*number as u32)),
        };
        (0..self.judgement.incidents.len())
            .filter(is_told)
            .map(move |number| self.row(number, members, scopes))
    }

    fn row(&self, number: usize, members: usize, scopes: usize) -> Row {
        let judgement = &self.judgement;
        let core = &judgement.incidents[number];
        let (incidents, in_all) = match core.group {
            NONE => (1, self.scope_numbers(number)),
            group => {
                let group = &judgement.groups[group as usize];
                let headed = group.folded.iter().flat_map(|incident| self.scope_numbers(*incident as usize));
                (group.folded.len() as u64, self.in_order(headed.collect()))
            }
        };
        let is_placed = in_all.first().is_some_and(|scope| !judgement.scopes.is_nowhere(*scope));
        let in_all = if is_placed || in_all.len() > 1 { in_all } else { Vec::new() };
        let alerts = self.members_of(number);
        let spans = alerts.iter().map(|at| judgement.span(self.engine, *at));
        let nowhere = TimedPosition { at: None, position: crate::source_position::SourcePosition::MAX };
        let (first, last) =
            spans.reduce(|a, b| (a.0.earlier(b.0), a.1.later(b.1))).unwrap_or((nowhere, nowhere));
        Row {
            incident: self.incident_of(number, members, scopes),
            incidents,
            alerts: alerts.len() as u64,
            count: core.count,
            scopes: in_all.iter().take(scopes).map(|scope| self.scope(*scope)).collect(),
            scopes_in_all: in_all.len() as u64,
            common: self.common(alerts),
            first: self.seen(first),
            last: self.seen(last),
        }
    }

    fn common(&self, alerts: &[u32]) -> Labels {
        let Some((first, others)) = alerts.split_first() else { return Labels::new() };
        let mut common = self.labels(*first);
        common.remove("severity");
        for at in others {
            if common.is_empty() {
                break;
            }
            let identity = self.judgement.entry(self.engine, *at).identity();
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
