//! Ends in what is pushed to an Alertmanager: announced, moved on, taken back, or told alone.
#![allow(missing_docs)]

use alert_triage::{Engine, Format, Rules, Verdict};
use jiff::Timestamp;

/// Minute of one hour.
fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_795_417_200 + minute * 60).unwrap()
}

/// A push of one alert; year 1 is how Go writes a time that is not there.
fn push(starts: Option<i64>, ends: Option<i64>) -> String {
    let time =
        |minute: Option<i64>| minute.map_or("0001-01-01T00:00:00.000Z".to_owned(), |m| at(m).to_string());
    let (starts, ends) = (time(starts), time(ends));
    format!(
        r#"[{{"labels": {{"alertname": "GatewayDown", "zone": "AB"}}, "startsAt": "{starts}", "endsAt": "{ends}"}}]"#
    )
}

fn verdict(pushes: &[String], now: i64) -> Verdict {
    let mut engine = Engine::new(Rules::builtin());
    engine.read("pushes", Format::Alertmanager, pushes.join("\n").as_bytes());
    let report = engine.report(Some(at(now)));
    let verdicts: Vec<_> =
        report.incidents().flat_map(|incident| incident.members).map(|member| member.verdict).collect();
    let [verdict] = verdicts[..] else { panic!("{verdicts:?}") };
    verdict
}

#[test]
fn an_alert_is_over_when_the_end_that_was_new_last_has_passed() {
    let prometheus =
        |minutes: &[i64]| minutes.iter().map(|end| push(Some(0), Some(*end))).collect::<Vec<_>>();
    let amtool = |ends: &[Option<i64>]| ends.iter().map(|end| push(None, *end)).collect::<Vec<_>>();
    for (case, pushes, now, want) in [
        ("before the end announced", prometheus(&[4]), 3, Verdict::Active),
        ("after it", prometheus(&[4]), 5, Verdict::Resolved),
        ("moved on", prometheus(&[4, 5, 6]), 5, Verdict::Active),
        ("taken back", prometheus(&[4, 5, 2]), 3, Verdict::Resolved),
        ("taken back, and an old push delivered again", prometheus(&[4, 5, 2, 4]), 3, Verdict::Resolved),
        ("neither start nor end", amtool(&[None]), 5, Verdict::Active),
        ("an end alone, to come", amtool(&[Some(4)]), 3, Verdict::Active),
        ("an end alone, passed", amtool(&[Some(4)]), 5, Verdict::Resolved),
        ("told without times, then over", amtool(&[None, Some(4)]), 5, Verdict::Resolved),
        ("over, then firing again", amtool(&[Some(4), None]), 5, Verdict::Active),
        (
            "begun at a known time, over by an end alone",
            [prometheus(&[40]), amtool(&[Some(4)])].concat(),
            5,
            Verdict::Resolved,
        ),
        ("begun after that end", [amtool(&[Some(-4)]), prometheus(&[40])].concat(), 5, Verdict::Active),
    ] {
        assert_eq!(verdict(&pushes, now), want, "{case}");
    }
}
