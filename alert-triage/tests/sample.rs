//! The shop's ticket stream: what is expected of it, to the last line.

use std::collections::BTreeMap;

use alert_triage::report::{Incident, Role};
use alert_triage::verdict::Notify;
use alert_triage::{Engine, Format, Priority, Rules, Verdict};
use proptest::prelude::*;

const SAMPLE: &str = include_str!("samples/upcommerce.log");

fn engine(lines: &str) -> Engine {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("upcommerce.log", Format::Lines, lines.as_bytes());
    engine
}

fn incidents(lines: &str) -> Vec<Incident> {
    engine(lines).report(None).incidents().collect()
}

#[test]
fn thirty_one_lines_are_one_page_and_one_ticket() {
    let mut engine = engine(SAMPLE);
    let report = engine.report(None);
    let totals = report.totals();
    assert_eq!(
        (totals.lines, totals.blank, totals.malformed, totals.records, totals.duplicates),
        (31, 0, 0, 31, 0)
    );
    assert_eq!(
        (totals.alerts, totals.distinct, totals.incidents, totals.pages, totals.tickets),
        (31, 8, 2, 1, 1)
    );
    assert_eq!(report.now(), None);
    assert_eq!(report.groups().count(), 0);
}

#[test]
fn zone_ab_is_the_page() {
    let page = incidents(SAMPLE).remove(0);
    assert_eq!((page.priority, page.notify, page.state), (Priority::P1, Notify::Page, Verdict::Active));
    assert_eq!(page.headline, "TooFewEndpointsRegistered");
    assert_eq!(page.scope, Some(BTreeMap::from([("zone".to_owned(), "AB".to_owned())])));
    assert_eq!(page.scopes, None);
    let by = |member: &alert_triage::report::Member| member.by.as_ref().map(|by| by.alert.clone());
    let members: Vec<_> = (page.members.iter())
        .map(|member| (member.alert.as_str(), member.count, member.verdict, member.role, by(member)))
        .collect();
    let superseded = |by: &str| Some(by.to_owned());
    assert_eq!(
        members,
        [
            ("EndpointRegistrationFailure", 2, Verdict::Active, Role::Cause, None),
            ("TooFewEndpointsRegistered", 1, Verdict::Active, Role::Symptom, None),
            ("LLMBatchProcessingJobFailures", 3, Verdict::Active, Role::Symptom, None),
            ("LLMModelVeryStale", 1, Verdict::Active, Role::Symptom, None),
            (
                "EndpointRegistrationTransientFailure",
                3,
                Verdict::Superseded,
                Role::Member,
                superseded("EndpointRegistrationFailure")
            ),
            ("LLMModelStale", 1, Verdict::Superseded, Role::Symptom, superseded("LLMModelVeryStale")),
        ]
    );
    assert_eq!((page.members[0].first.line, page.members[0].last.line), (13, 30));
    let doubt = page.alternatives.iter().find(|doubt| doubt.contains("upcommerce/registration-batch"));
    assert!(doubt.is_some_and(|doubt| doubt.contains("2 incidents")), "{:?}", page.alternatives);
    let all = format!("{page:?}");
    assert!(!all.to_lowercase().contains("root cause"));
}

#[test]
fn the_recurring_transient_is_one_low_ticket() {
    let ticket = incidents(SAMPLE).remove(1);
    assert_eq!(
        (ticket.priority, ticket.notify, ticket.state),
        (Priority::P4, Notify::Ticket, Verdict::Transient)
    );
    assert_eq!(ticket.scope, None);
    let zones: Vec<_> = ticket.scopes.unwrap().into_iter().map(|scope| scope["zone"].clone()).collect();
    assert_eq!(zones, ["OH-1", "XQ"]);
    let members: Vec<_> = (ticket.members.iter())
        .map(|member| (member.labels["zone"].as_str(), member.count, member.verdict, member.flags.as_slice()))
        .collect();
    let flags = [std::borrow::Cow::from("recurring")];
    let flags = flags.as_slice();
    assert_eq!(members, [("OH-1", 8, Verdict::Transient, flags), ("XQ", 12, Verdict::Transient, flags)]);
}

/// Less the places, which are what another order changes.
fn unplaced(lines: &str) -> Vec<Incident> {
    let mut incidents = incidents(lines);
    for member in incidents.iter_mut().flat_map(|incident| &mut incident.members) {
        (member.first.line, member.last.line) = (0, 0);
    }
    incidents
}

#[test]
fn reversed_it_is_the_same() {
    let reversed: Vec<&str> = SAMPLE.lines().rev().collect();
    assert_eq!(unplaced(&reversed.join("\n")), unplaced(SAMPLE));
}

proptest! {
    #[test]
    fn shuffled_it_is_the_same(lines in Just(SAMPLE.lines().collect::<Vec<_>>()).prop_shuffle()) {
        prop_assert_eq!(unplaced(&lines.join("\n")), unplaced(SAMPLE));
    }

    /// A second and a third copy of every line wakes nobody more.
    #[test]
    fn more_of_the_same_ranks_the_same(times in 2usize..20) {
        let ranks = |lines: &str| -> Vec<_> {
            incidents(lines).into_iter().map(|incident| (incident.id, incident.priority, incident.headline)).collect()
        };
        prop_assert_eq!(ranks(&SAMPLE.repeat(times)), ranks(SAMPLE));
    }
}
