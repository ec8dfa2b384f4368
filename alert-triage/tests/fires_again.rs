//! An alert that fires again with the same start after its end.

use alert_triage::jiff::Timestamp;
use alert_triage::record::{Ends, Status, Suppression};
use alert_triage::{Engine, Record, Rules, SourcePosition};

/// Prometheus could not reach Alertmanager for some minutes: the alert ended, and fires again with
/// the same start. Only what is younger than the end proves that it is not a late repeat.
#[test]
fn an_alert_may_fire_again_with_the_same_start() {
    let at = |minute: i64| Timestamp::from_second(1_795_158_000 + 60 * minute).unwrap();
    let fires =
        || Record::firing("VaultSealed").label("zone", "A").label("severity", "critical").since(at(0));
    let ends = |minute| fires().status(Status::Resolved).ends(Ends::At(at(minute)));
    let judged = |records: &[Record<'_>], arrivals: Option<&[i64]>| {
        let mut engine = Engine::new(Rules::builtin());
        for (number, record) in records.iter().enumerate() {
            if let Some(minutes) = arrivals {
                engine.set_arrival(at(minutes[number]));
            }
            engine.ingest(SourcePosition::new(0, 0, number as u64 + 1), record);
        }
        let report = engine.report(Some(at(30)));
        let incident = report.incidents().next().unwrap();
        let member = &incident.members[0];
        format!("{} {} {}", incident.priority, member.verdict, member.flags.join(" "))
    };
    let event = |minute| {
        let record = Record::firing("VaultSealed").label("zone", "A").label("severity", "critical");
        record.status(Status::Event).at(at(minute))
    };
    let silenced = Record { suppression: Suppression::Silenced("s1".into()), ..fires().at(at(10)) };
    let reported_again = [fires(), ends(11), fires()];
    for (case, records, arrivals, want) in [
        ("it ended", &[fires(), ends(11)][..], None, "P5 resolved "),
        ("in another order", &[ends(11), fires()], None, "P5 resolved "),
        ("again, without evidence", &reported_again, None, "P3 resolved fired-again"),
        (
            "an event of before the end settles nothing",
            &[event(5), fires(), ends(11), fires()],
            None,
            "P3 resolved fired-again",
        ),
        (
            "nor does one of the same moment",
            &[fires(), ends(11), fires(), event(11)],
            None,
            "P3 resolved fired-again",
        ),
        ("its source suppresses it", &[fires(), ends(11), silenced], None, "P5 resolved "),
        ("again, and over", &[fires(), ends(11), fires(), ends(12)], None, "P5 resolved "),
        ("again, later by its own time", &[fires(), ends(11), fires().at(at(12))], None, "P1 active "),
        ("later by its time, in another order", &[fires().at(at(12)), ends(11)], None, "P1 active "),
        ("sent before the end", &[fires().at(at(10)), ends(11)], None, "P5 resolved "),
        ("a new end is announced", &[fires(), ends(11), fires().ends(Ends::At(at(40)))], None, "P1 active "),
        ("announced before the end", &[fires().ends(Ends::At(at(40))), ends(11)], None, "P5 resolved "),
        ("it arrives with the end", &reported_again, Some(&[0, 11, 12][..]), "P3 resolved fired-again"),
        ("it arrives long after the end", &reported_again, Some(&[0, 11, 16][..]), "P1 active "),
    ] {
        assert_eq!(judged(records, arrivals), want, "{case}");
    }
}

/// The end of an episode that fires again is still an end: the alert goes on and off as often.
#[test]
fn an_alert_still_flaps_if_one_of_its_episodes_fires_again() {
    let at = |minute: i64| Timestamp::from_second(1_795_158_000 + 60 * minute).unwrap();
    let fires = |minute| Record::firing("VaultSealed").label("zone", "A").since(at(minute));
    let mut records: Vec<Record<'_>> = (0..4)
        .map(|cycle| 5 * cycle)
        .flat_map(|start| {
            let end = fires(start).status(Status::Resolved).at(at(start + 1)).ends(Ends::At(at(start + 1)));
            [fires(start), end]
        })
        .collect();
    let judged = |records: &[Record<'_>]| {
        let mut engine = Engine::new(Rules::builtin());
        for (number, record) in records.iter().enumerate() {
            engine.ingest(SourcePosition::new(0, 0, number as u64 + 1), record);
        }
        let member = &engine.report(Some(at(17))).incidents().next().unwrap().members[0];
        format!("{}", member.verdict)
    };
    assert_eq!(judged(&records), "flapping");
    records.push(fires(5).at(at(6)).ends(Ends::At(at(18))));
    assert_eq!(judged(&records), "flapping");
}
