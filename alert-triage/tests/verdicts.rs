//! What each word of the contract means, a row a case.

use alert_triage::incident_tracker::Change;
use alert_triage::record::{Status, Suppression};
use alert_triage::report::Incident;
use alert_triage::{Engine, IncidentTracker, Priority, Record, Rules, SourcePosition};
use jiff::{SignedDuration, Timestamp};

/// Noon, at which everything is judged.
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    noon() - SignedDuration::from_mins(minutes)
}

/// `A/DiskFull` in zone A; `critical:A/DiskFull` with that severity; `A/DiskFull node=n1` with more
/// labels.
fn record(written: &str) -> Record<'static> {
    let (severity, rest) = match written.split_once(':') {
        Some((severity, rest)) if !severity.contains('/') => (Some(severity), rest),
        _ => (None, written),
    };
    let mut words = rest.split(' ');
    let (zone, alert) = words.next().unwrap().split_once('/').unwrap();
    let mut record = Record::firing(alert.to_owned());
    if !zone.is_empty() {
        record = record.label("zone", zone.to_owned());
    }
    if let Some(severity) = severity {
        record = record.label("severity", severity.to_owned());
    }
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        record = record.label(name.to_owned(), value.to_owned());
    }
    record
}

/// Firing since `minutes` before noon.
fn since(written: &str, minutes: i64) -> Record<'static> {
    record(written).since(ago(minutes)).at(ago(minutes))
}

/// An episode from `began` to `ended`, in minutes before noon.
fn over(written: &str, began: i64, ended: i64) -> Record<'static> {
    record(written).since(ago(began)).at(ago(ended)).status(Status::Resolved)
}

/// A line of a log, `minutes` before noon.
fn said(written: &str, minutes: i64) -> Record<'static> {
    record(written).status(Status::Event).at(ago(minutes))
}

/// A line without a time.
fn line(written: &str) -> Record<'static> {
    record(written).status(Status::Event)
}

fn engine(rules: &str, records: &[Record<'_>]) -> Engine {
    let mut engine = Engine::new(Rules::parse(rules).unwrap());
    engine.add_source("history");
    for (at, record) in records.iter().enumerate() {
        engine.ingest(SourcePosition::new(0, 0, at as u64 + 1), record);
    }
    engine
}

fn incidents(rules: &str, records: &[Record<'_>]) -> Vec<Incident> {
    let is_timed = records.iter().any(|record| record.time.is_some());
    engine(rules, records).report(is_timed.then(noon)).incidents().collect()
}

/// `P1 A/DiskFull=active +flag ← cause ^ by, …` for each incident; members in their order.
fn shown(rules: &str, records: &[Record<'_>]) -> String {
    let member = |member: &alert_triage::report::Member| {
        let zone = member.labels.get("zone").map_or("", String::as_str);
        let mut text = format!("{zone}/{}={}", member.alert, member.verdict);
        for flag in &member.flags {
            text.push_str(&format!(" +{flag}"));
        }
        if let Some(cause) = &member.cause {
            text.push_str(&format!(" <-{}", cause.alert));
        }
        if let Some(by) = &member.by {
            text.push_str(&format!(" ^{}", by.alert));
        }
        text
    };
    let shown: Vec<String> = (incidents(rules, records).iter())
        .map(|incident| {
            let members: Vec<String> = incident.members.iter().map(member).collect();
            format!("{} {}", incident.priority, members.join(", "))
        })
        .collect();
    shown.join("; ")
}

#[track_caller]
fn check(rows: &[(&str, Vec<Record<'_>>, &str)]) {
    for (case, records, want) in rows {
        assert_eq!(shown("", records), *want, "{case}");
        let reversed: Vec<Record<'_>> = records.iter().rev().cloned().collect();
        if records.iter().all(|record| record.time.is_some()) {
            assert_eq!(shown("", &reversed), *want, "{case}, in another order of arrival");
        }
    }
}

#[test]
fn a_transient_says_what_its_lasting_form_does() {
    let silence = "silences:\n  - {id: team/s, alert: DiskFailure}\n";
    let suppressed = |by: Suppression<'static>| Record { suppression: by, ..since("A/DiskFailure", 9) };
    let transient = || said("A/DiskTransientFailure", 1);
    for (rules, lasting, want) in [
        ("", over("A/DiskFailure", 9, 5), "is not firing here"),
        ("", since("B/DiskFailure", 9), "is not firing here"),
        (silence, since("A/DiskFailure", 9), "is silenced here"),
        ("", suppressed(Suppression::Silenced("s1".into())), "is silenced here"),
        ("", suppressed(Suppression::Inhibited("a1".into())), "is inhibited here"),
        ("", since("info:A/DiskFailure", 9), "is firing here and is milder"),
    ] {
        let members = incidents(rules, &[lasting, transient()]).into_iter().flat_map(|one| one.members);
        let why = members.filter(|member| member.alert == "DiskTransientFailure").map(|member| member.why);
        let want = format!("the transient form of DiskFailure, which {want}");
        assert_eq!(why.collect::<Vec<_>>(), [want], "{rules}");
    }
}

#[test]
fn ladders_let_the_highest_standing_rung_stand() {
    check(&[
        (
            "the higher rung supersedes the lower",
            vec![since("A/DiskFull", 9), since("A/DiskVeryFull", 5)],
            "P3 A/DiskVeryFull=active, A/DiskFull=superseded ^DiskVeryFull",
        ),
        (
            "and the top of three supersedes both",
            vec![since("A/DiskFull", 9), since("A/DiskVeryFull", 5), since("A/DiskCriticallyFull", 2)],
            "P3 A/DiskCriticallyFull=active, A/DiskFull=superseded ^DiskCriticallyFull, A/DiskVeryFull=superseded ^DiskCriticallyFull",
        ),
        (
            "when the top resolves, the next stands again",
            vec![since("A/DiskFull", 9), since("A/DiskVeryFull", 5), over("A/DiskVeryFull", 5, 1)],
            "P3 A/DiskFull=active, A/DiskVeryFull=resolved",
        ),
        (
            "one of another zone is another ladder",
            vec![since("A/DiskFull", 9), since("B/DiskVeryFull", 5)],
            "P3 B/DiskVeryFull=active; P3 A/DiskFull=active",
        ),
        (
            "so is one of another node",
            vec![since("A/DiskFull node=n1", 9), since("A/DiskVeryFull node=n2", 5)],
            "P3 A/DiskVeryFull=active; P3 A/DiskFull=active",
        ),
        (
            "of one name the more severe stands",
            vec![since("warning:A/Queue", 9), since("critical:A/Queue", 5)],
            "P1 A/Queue=active, A/Queue=superseded ^Queue",
        ),
        (
            "a rung that is milder hides nothing",
            vec![since("critical:A/DiskFull", 9), since("info:A/DiskVeryFull", 5)],
            "P1 A/DiskFull=active +milder-rung-above, A/DiskVeryFull=informational",
        ),
        (
            "a pending rung supersedes nothing",
            vec![since("A/DiskFull", 9), since("A/DiskVeryFull", 5).status(Status::Pending)],
            "P3 A/DiskFull=active, A/DiskVeryFull=pending",
        ),
        (
            "nor does one that nobody has heard of for a day",
            vec![since("A/DiskFull", 9), since("A/DiskVeryFull", 24 * 60 + 1)],
            "P3 A/DiskFull=active, A/DiskVeryFull=obsolete",
        ),
        (
            "all severities of one name are rungs",
            ["info:A/Queue", "warning:A/Queue", "critical:A/Queue", "error:A/Queue"]
                .map(|rung| since(rung, 5))
                .into(),
            "P1 A/Queue=active, A/Queue=superseded ^Queue, A/Queue=superseded ^Queue, \
             A/Queue=superseded +informational ^Queue",
        ),
        (
            "within one source",
            vec![since("/DiskFull", 9), since("/DiskVeryFull", 5)],
            "P3 /DiskVeryFull=active, /DiskFull=superseded ^DiskVeryFull",
        ),
        (
            "and not between a scope and a source",
            vec![since("A/DiskFull", 9), since("/DiskVeryFull", 5)],
            "P3 /DiskVeryFull=active; P3 A/DiskFull=active",
        ),
        (
            "the rules' own ladder",
            vec![line("A/LLMModelStale"), line("A/LLMModelVeryStale")],
            "P2 A/LLMModelVeryStale=active, A/LLMModelStale=superseded ^LLMModelVeryStale",
        ),
    ]);
}

#[test]
fn edges_join_causes_with_their_symptoms() {
    check(&[
        (
            "inside one scope",
            vec![since("A/KubeletDown", 9), since("A/KubeNodeNotReady", 5)],
            "P1 A/KubeletDown=active, A/KubeNodeNotReady=active <-KubeletDown",
        ),
        (
            "and nowhere else",
            vec![since("A/KubeletDown", 9), since("B/KubeNodeNotReady", 5)],
            "P1 A/KubeletDown=active; P3 B/KubeNodeNotReady=active",
        ),
        (
            "where labels that both carry agree",
            vec![since("A/KubeletDown node=n1", 9), since("A/KubeNodeNotReady node=n2", 5)],
            "P1 A/KubeletDown=active; P3 A/KubeNodeNotReady=active",
        ),
        (
            "a symptom may begin ten minutes before",
            vec![since("A/KubeletDown", 5), since("A/KubeNodeNotReady", 15)],
            "P1 A/KubeletDown=active, A/KubeNodeNotReady=active <-KubeletDown",
        ),
        (
            "and not eleven",
            vec![since("A/KubeletDown", 5), since("A/KubeNodeNotReady", 16)],
            "P1 A/KubeletDown=active; P3 A/KubeNodeNotReady=active",
        ),
        (
            "who observes them may differ",
            vec![since("A/KubeletDown node=n1 job=a", 9), since("A/TargetDown node=n1 job=b", 5)],
            "P1 A/KubeletDown=active, A/TargetDown=active <-KubeletDown",
        ),
        (
            "the workload of a pod is the deployment of another",
            vec![
                since("A/KubePodNotReady pod=api-7d9f8b6c5d-abcd2", 9),
                since("A/KubeDeploymentReplicasMismatch deployment=api", 5),
                since("A/KubeDeploymentReplicasMismatch deployment=web", 4),
            ],
            "P3 A/KubePodNotReady=active, A/KubeDeploymentReplicasMismatch=active <-KubePodNotReady; \
             P3 A/KubeDeploymentReplicasMismatch=active",
        ),
        (
            "of two causes the one nearer to the top is named",
            vec![since("A/KubeNodeNotReady", 9), since("A/TargetDown", 8), since("A/KubeletDown", 7)],
            "P1 A/KubeletDown=active, A/TargetDown=active <-KubeletDown, A/KubeNodeNotReady=active <-KubeletDown",
        ),
        (
            "all causes of a symptom belong to it",
            vec![
                since("A/KubeNodeNotReady node=n1", 9),
                since("A/KubeNodeNotReady node=n2", 8),
                since("A/TargetDown", 7),
            ],
            "P1 A/KubeNodeNotReady=active, A/KubeNodeNotReady=active, A/TargetDown=active <-KubeNodeNotReady",
        ),
        (
            "without a label of a scope, the source is the scope",
            vec![since("/KubeletDown", 9), since("/KubeNodeNotReady", 5)],
            "P1 /KubeletDown=active, /KubeNodeNotReady=active <-KubeletDown",
        ),
        (
            "chains lead to the top",
            vec![
                line("A/LLMModelStale"),
                line("A/LLMBatchProcessingJobFailures"),
                line("A/EndpointRegistrationFailure"),
            ],
            "P2 A/EndpointRegistrationFailure=active, A/LLMBatchProcessingJobFailures=active <-EndpointRegistrationFailure, \
             A/LLMModelStale=active <-LLMBatchProcessingJobFailures",
        ),
        (
            "what is resolved explains nothing",
            vec![since("A/KubeletDown", 9), over("A/KubeletDown", 9, 3), since("A/KubeNodeNotReady", 5)],
            "P3 A/KubeNodeNotReady=active; P5 A/KubeletDown=resolved",
        ),
        (
            "what is pending does not either",
            vec![since("A/KubeletDown", 9).status(Status::Pending), since("A/KubeNodeNotReady", 5)],
            "P3 A/KubeNodeNotReady=active; P5 A/KubeletDown=pending",
        ),
        (
            "a transient neither",
            vec![line("A/EndpointRegistrationTransientFailure"), line("A/TooFewEndpointsRegistered")],
            "P1 A/TooFewEndpointsRegistered=active; P4 A/EndpointRegistrationTransientFailure=transient",
        ),
        (
            "a sustained one does, as its lasting form",
            vec![
                since("A/EndpointRegistrationTransientFailure", 90),
                since("A/TooFewEndpointsRegistered", 80),
            ],
            "P1 A/EndpointRegistrationTransientFailure=sustained +transient, A/TooFewEndpointsRegistered=active \
             <-EndpointRegistrationTransientFailure",
        ),
        (
            "and leaves it to the lasting form when that one stands",
            vec![
                since("A/EndpointRegistrationTransientFailure", 90),
                since("A/EndpointRegistrationFailure", 85),
                since("A/TooFewEndpointsRegistered", 80),
            ],
            "P1 A/EndpointRegistrationFailure=active, A/TooFewEndpointsRegistered=active \
             <-EndpointRegistrationFailure, A/EndpointRegistrationTransientFailure=superseded +sustained +transient \
             ^EndpointRegistrationFailure",
        ),
        (
            "which began with the transient",
            vec![
                since("A/EndpointRegistrationTransientFailure", 90),
                since("A/TooFewEndpointsRegistered", 80),
                since("A/EndpointRegistrationFailure", 5),
            ],
            "P1 A/EndpointRegistrationFailure=active, A/TooFewEndpointsRegistered=active \
             <-EndpointRegistrationFailure, A/EndpointRegistrationTransientFailure=superseded +sustained +transient \
             ^EndpointRegistrationFailure",
        ),
        (
            "where it is the same place",
            vec![
                since("A/EndpointRegistrationTransientFailure node=n1", 90),
                since("A/TooFewEndpointsRegistered node=n2", 80),
                since("A/EndpointRegistrationFailure node=n2", 5),
            ],
            "P1 A/TooFewEndpointsRegistered=active; \
             P2 A/EndpointRegistrationFailure=active, A/EndpointRegistrationTransientFailure=superseded +sustained \
             +transient ^EndpointRegistrationFailure",
        ),
        (
            "what nothing joins stays apart",
            vec![line("A/QueueBacklog"), line("A/CertificateExpires")],
            "P3 A/CertificateExpires=active; P3 A/QueueBacklog=active",
        ),
    ]);
    let by_a_rule = "edges: [{id: e, cause: LinkTransientFailure, symptoms: [QueueBacklog]}]";
    assert_eq!(
        shown(by_a_rule, &[since("A/LinkTransientFailure", 9), since("A/QueueBacklog", 5)]),
        "P3 A/QueueBacklog=active; P4 A/LinkTransientFailure=transient",
        "a transient explains nothing even where a rule says so"
    );
    assert_eq!(
        shown(by_a_rule, &[since("A/LinkTransientFailure", 90), since("A/QueueBacklog", 85)]),
        "P3 A/LinkTransientFailure=sustained +transient, A/QueueBacklog=active <-LinkTransientFailure",
        "until it lasts"
    );
    let two_steps_and_one = [
        since("A/EndpointRegistrationFailure node=n1", 9),
        since("A/LLMBatchProcessingJobFailures node=n1", 8),
        since("A/LLMBatchProcessingJobFailures node=n2", 7),
        since("A/LLMModelStale", 6),
    ];
    let members = &incidents("", &two_steps_and_one)[0].members;
    let stale = members.iter().find(|member| member.alert == "LLMModelStale").unwrap();
    assert_eq!(stale.cause.as_ref().unwrap().labels["node"], "n2", "the cause nearest to the top is named");
    let silenced = "silences: [{id: s, alert: KubeletDown, because: known}]";
    assert_eq!(
        shown(silenced, &[since("A/KubeletDown", 9), since("A/KubeNodeNotReady", 5)]),
        "P3 A/KubeNodeNotReady=active <-KubeletDown, A/KubeletDown=silenced",
        "a silenced cause still explains"
    );
}

#[test]
fn transients_go_away_or_are_judged_as_what_lasts() {
    const T: &str = "A/EndpointRegistrationTransientFailure";
    let every = |minutes: std::ops::RangeInclusive<i64>, step: usize| -> Vec<Record<'static>> {
        minutes.step_by(step).map(|minutes| said(T, minutes)).collect()
    };
    check(&[
        ("alone it is a low ticket", vec![line(T)], "P4 A/EndpointRegistrationTransientFailure=transient"),
        ("so it is twice", vec![line(T); 2], "P4 A/EndpointRegistrationTransientFailure=transient"),
        (
            "from three times on it is recurring",
            vec![line(T); 3],
            "P4 A/EndpointRegistrationTransientFailure=transient +recurring",
        ),
        (
            "and at any count no more than that",
            vec![line(T); 40],
            "P4 A/EndpointRegistrationTransientFailure=transient +recurring",
        ),
        (
            "its lasting form supersedes it",
            vec![line(T), line("A/EndpointRegistrationFailure")],
            "P2 A/EndpointRegistrationFailure=active, A/EndpointRegistrationTransientFailure=superseded +transient \
             ^EndpointRegistrationFailure",
        ),
        (
            "that of the same node, where there are several",
            vec![
                line("A/EndpointRegistrationTransientFailure node=n2"),
                line("A/EndpointRegistrationFailure node=n1"),
                line("A/EndpointRegistrationFailure node=n2"),
            ],
            "P2 A/EndpointRegistrationFailure=active, A/EndpointRegistrationFailure=active, \
             A/EndpointRegistrationTransientFailure=superseded +transient ^EndpointRegistrationFailure",
        ),
        (
            "or the top of its ladder",
            vec![line("A/LinkTransientFailure"), line("A/LinkFailure"), line("A/LinkVeryFailure")],
            "P3 A/LinkVeryFailure=active, A/LinkFailure=superseded ^LinkVeryFailure, \
             A/LinkTransientFailure=superseded +transient ^LinkVeryFailure",
        ),
        (
            "a state that stood for an hour is sustained",
            vec![since(T, 60)],
            "P2 A/EndpointRegistrationTransientFailure=sustained +transient",
        ),
        (
            "at least as a warning",
            vec![since("info:A/EndpointRegistrationTransientFailure", 60)],
            "P3 A/EndpointRegistrationTransientFailure=sustained +transient",
        ),
        (
            "and as severe as its label says",
            vec![since("critical:A/EndpointRegistrationTransientFailure", 60)],
            "P1 A/EndpointRegistrationTransientFailure=sustained +transient",
        ),
        (
            "nor beside its lasting form of another scope",
            vec![line("A/EndpointRegistrationTransientFailure"), line("/EndpointRegistrationFailure")],
            "P2 /EndpointRegistrationFailure=active; P4 A/EndpointRegistrationTransientFailure=transient",
        ),
        ("and not for 59 minutes", vec![since(T, 59)], "P4 A/EndpointRegistrationTransientFailure=transient"),
        (
            "lines without a gap over a quarter of an hour are",
            every(0..=60, 15),
            "P2 A/EndpointRegistrationTransientFailure=sustained +transient +recurring",
        ),
        (
            "one gap of sixteen minutes breaks it",
            [every(0..=20, 10), every(36..=66, 10)].concat(),
            "P4 A/EndpointRegistrationTransientFailure=transient +recurring",
        ),
        (
            "a burst that fell silent stays transient",
            every(16..=96, 10),
            "P4 A/EndpointRegistrationTransientFailure=transient +recurring",
        ),
        (
            "the same in two scopes is one pattern",
            vec![line(T), line("B/EndpointRegistrationTransientFailure")],
            "P4 A/EndpointRegistrationTransientFailure=transient, B/EndpointRegistrationTransientFailure=transient",
        ),
    ]);
}

#[test]
fn flapping_counts_closed_episodes_until_it_is_quiet() {
    let cycles = |count: i64, last_ended: i64| -> Vec<Record<'static>> {
        (0..count)
            .flat_map(|cycle| {
                let ended = last_ended + cycle * 10;
                [since("critical:A/Link", ended + 5), over("critical:A/Link", ended + 5, ended)]
            })
            .collect()
    };
    check(&[
        ("three closed episodes are none", cycles(3, 1), "P5 A/Link=resolved"),
        ("four within an hour are", cycles(4, 1), "P4 A/Link=flapping +resolved"),
        ("and no longer after half an hour of quiet", cycles(4, 30), "P5 A/Link=resolved"),
        (
            "four within more than an hour are none",
            (0..4)
                .flat_map(|n| [since("A/Link", 6 + n * 25), over("A/Link", 6 + n * 25, 1 + n * 25)])
                .collect(),
            "P5 A/Link=resolved",
        ),
        (
            "half an hour of quiet ends it for good",
            [cycles(4, 60), vec![since("critical:A/Link", 10), over("critical:A/Link", 10, 5)]].concat(),
            "P5 A/Link=resolved",
        ),
        (
            "what is for information asks for nobody however it flaps",
            cycles(4, 1).into_iter().map(|record| record.label("severity", "info")).collect(),
            "P5 A/Link=flapping +resolved +informational",
        ),
        (
            "open again it has its own priority",
            [cycles(4, 2), vec![since("critical:A/Link", 1)]].concat(),
            "P1 A/Link=flapping",
        ),
    ]);
    let text = format!("{:?}", incidents("", &cycles(5, 1))[0].members[0].why);
    assert!(text.contains("5 times"), "{text}");
}

#[test]
fn the_first_verdict_that_holds_wins_and_the_others_are_flags() {
    let suppressed = |mut record: Record<'static>, suppression: Suppression<'static>| {
        record.suppression = suppression;
        record
    };
    let inhibited =
        |written, minutes| suppressed(since(written, minutes), Suppression::Inhibited("i".into()));
    let flapping = |written: &'static str| -> Vec<Record<'static>> {
        (0..4).flat_map(|n| [since(written, 6 + n * 9), over(written, 6 + n * 9, 5 + n * 9)]).collect()
    };
    const T: &str = "A/EndpointRegistrationTransientFailure";
    let silence = "silences: [{id: s, alert: '*', labels: {zone: A}, because: works}]";
    for (case, rules, records, want) in [
        ("silenced by us and inhibited", silence, vec![inhibited("A/X", 5)], "P5 A/X=silenced +inhibited"),
        ("silenced and flapping", silence, flapping("A/X"), "P5 A/X=silenced +flapping +resolved"),
        ("silenced and over", silence, vec![over("A/X", 9, 5)], "P5 A/X=silenced +resolved +resolve-only"),
        (
            "inhibited and sustained",
            "",
            vec![inhibited(T, 90)],
            "P5 A/EndpointRegistrationTransientFailure=inhibited +sustained +transient",
        ),
        (
            "flapping and superseded",
            "",
            [flapping("A/DiskFull"), vec![since("A/DiskFull", 1), since("A/DiskVeryFull", 1)]].concat(),
            "P3 A/DiskVeryFull=active, A/DiskFull=flapping +superseded ^DiskVeryFull",
        ),
        (
            "transient and for information",
            "",
            vec![since("info:A/EndpointRegistrationTransientFailure", 5)],
            "P4 A/EndpointRegistrationTransientFailure=transient +informational",
        ),
        (
            "over and transient",
            "",
            vec![since(T, 9), over(T, 9, 5)],
            "P5 A/EndpointRegistrationTransientFailure=resolved +transient",
        ),
        (
            "obsolete and transient",
            "",
            vec![said(T, 24 * 60 + 1)],
            "P5 A/EndpointRegistrationTransientFailure=obsolete +transient",
        ),
        (
            "pending and for information",
            "",
            vec![since("info:A/X", 5).status(Status::Pending)],
            "P5 A/X=pending +informational",
        ),
        (
            "one label set that the source does not hold back stands for itself",
            "",
            vec![inhibited("A/X replica=0", 5), since("A/X replica=1", 5)],
            "P3 A/X=active",
        ),
        (
            "of two words of one instant the one that is not held back is believed",
            "",
            vec![inhibited("A/X", 5), since("A/X", 5)],
            "P3 A/X=active",
        ),
    ] {
        assert_eq!(shown(rules, &records), want, "{case}");
    }
    let watchdog = &incidents("", &[line("A/Watchdog")])[0].members[0];
    assert_eq!(
        (watchdog.rule.as_str(), watchdog.why.as_str()),
        ("kubernetes/watchdog", "it always fires to show that alerting works"),
        "what is for information says which it is"
    );
}

#[test]
fn within_a_priority_what_explains_more_comes_first() {
    let order = |records: &[Record<'_>]| -> Vec<String> {
        let name = |incident: Incident| format!("{} {}", incident.priority, incident.headline);
        incidents("", records).into_iter().map(name).collect()
    };
    // Each beats the one after it by one term, and is beaten by it in the next, if there is one.
    for (term, records, want) in [
        (
            "priority before alerts explained",
            vec![since("A/KubeNodeNotReady", 9), since("warning:A/TargetDown", 8), since("error:A/Link", 1)],
            ["P2 Link", "P3 KubeNodeNotReady"],
        ),
        (
            "alerts explained before the rung",
            vec![
                since("A/KubeNodeNotReady", 1),
                since("warning:A/TargetDown", 1),
                since("A/DiskCriticallyFull", 9),
            ],
            ["P3 KubeNodeNotReady", "P3 DiskCriticallyFull"],
        ),
        (
            "the rung before how long it stands",
            vec![since("A/DiskVeryFull", 1), since("A/Backlog", 9)],
            ["P3 DiskVeryFull", "P3 Backlog"],
        ),
        (
            "scopes before how long it stands",
            vec![
                since("A/YTransientFailure", 2),
                since("B/YTransientFailure", 2),
                since("A/XTransientFailure", 9),
            ],
            ["P4 YTransientFailure", "P4 XTransientFailure"],
        ),
        (
            "how long it stands before the count",
            vec![since("A/Y", 9), said("A/X", 3), said("A/X", 2), said("A/X", 1)],
            ["P3 Y", "P3 X"],
        ),
        ("the count before the name", vec![line("A/Y"), line("A/Y"), line("A/X")], ["P3 Y", "P3 X"]),
        ("the name in the end", vec![line("A/Y"), line("A/X")], ["P3 X", "P3 Y"]),
    ] {
        assert_eq!(order(&records), want, "{term}");
    }
}

#[test]
fn a_headline_stands_for_its_incident() {
    for (case, records, want) in [
        (
            "never a superseded one",
            vec![since("warning:A/DiskFull", 9), since("warning:A/DiskVeryFull", 5)],
            "DiskVeryFull",
        ),
        (
            "nor a transient beside a standing one",
            // Each is judged by itself; a milder lasting form leaves the transient what it is.
            vec![line("A/EndpointRegistrationTransientFailure"), line("info:A/EndpointRegistrationFailure")],
            "EndpointRegistrationTransientFailure",
        ),
        (
            "nor one that is over",
            vec![
                since("A/DiskFull", 9),
                since("critical:A/DiskVeryFull", 5),
                over("critical:A/DiskVeryFull", 5, 1),
            ],
            "DiskFull",
        ),
        (
            "nor one for information",
            vec![since("info:A/KubeletDown", 9), since("A/KubeNodeNotReady", 5)],
            "KubeNodeNotReady",
        ),
    ] {
        assert_eq!(incidents("", &records)[0].headline, want, "{case}");
    }
}

#[test]
fn a_scope_is_what_is_present_and_an_absent_label_equals_nothing() {
    let pair = |place: &'static [(&'static str, &'static str)],
                other: &'static [(&'static str, &'static str)]| {
        let record = |alert: &'static str, labels: &[(&'static str, &'static str)]| {
            labels.iter().fold(Record::firing(alert).status(Status::Event), |record, (name, value)| {
                record.label(*name, *value)
            })
        };
        incidents("", &[record("KubeletDown", place), record("KubeNodeNotReady", other)]).len()
    };
    for (case, one, other, incidents) in [
        ("one zone", &[("zone", "A")][..], &[("zone", "A")][..], 1),
        ("a region is a zone of another name, and another label", &[("zone", "A")], &[("region", "A")], 2),
        ("one region", &[("region", "A")], &[("region", "A")], 1),
        ("one cluster", &[("cluster", "c")], &[("cluster", "c")], 1),
        ("a cluster and a zone of it", &[("cluster", "c")], &[("cluster", "c"), ("zone", "A")], 2),
        (
            "one zone of two clusters",
            &[("cluster", "c"), ("zone", "A")],
            &[("cluster", "d"), ("zone", "A")],
            2,
        ),
        ("a zone and nothing", &[("zone", "A")], &[], 2),
        ("a namespace beside a zone is none", &[("zone", "A"), ("namespace", "n")], &[("zone", "A")], 1),
        ("a namespace and nothing, of one source", &[("namespace", "n")], &[], 1),
        ("nothing and nothing, of one source", &[], &[], 1),
    ] {
        assert_eq!(pair(one, other), incidents, "{case}");
    }
}

#[test]
fn what_is_not_heard_of_is_obsolete_and_never_resolved() {
    let snapshot = |minutes: i64| {
        let mut record = since("A/Queue", minutes);
        record.snapshot = true;
        record
    };
    check(&[
        ("a day is the limit", vec![since("A/Queue", 24 * 60)], "P3 A/Queue=active"),
        ("beyond it nobody knows", vec![since("A/Queue", 24 * 60 + 1)], "P5 A/Queue=obsolete"),
        ("lines too", vec![said("A/Queue", 24 * 60 + 1)], "P5 A/Queue=obsolete"),
        ("what an answer about the present holds was seen", vec![snapshot(72 * 60)], "P3 A/Queue=active"),
        ("without times nothing is", vec![line("A/Queue")], "P3 A/Queue=active"),
    ]);
    let ttl = "ttls: [{id: short, alert: Queue, ttl: 2h}]";
    assert_eq!(shown(ttl, &[said("A/Queue", 121)]), "P5 A/Queue=obsolete");
    assert_eq!(incidents(ttl, &[said("A/Queue", 121)])[0].members[0].rule, "short");
}

#[test]
fn priorities_follow_severity_and_standing() {
    check(&[
        ("critical pages", vec![line("critical:A/X")], "P1 A/X=active"),
        ("error pages", vec![line("error:A/X")], "P2 A/X=active"),
        ("so does high", vec![line("high:A/X")], "P2 A/X=active"),
        ("warning is a ticket", vec![line("warning:A/X")], "P3 A/X=active"),
        ("a word nobody knows is one as well", vec![line("mauve:A/X")], "P3 A/X=active"),
        ("and nothing said", vec![line("A/X")], "P3 A/X=active"),
        ("info tells nobody", vec![line("info:A/X")], "P5 A/X=informational"),
        ("nor does a watchdog", vec![line("A/Watchdog")], "P5 A/Watchdog=informational"),
        ("whose label beats its name", vec![line("critical:A/Watchdog")], "P1 A/Watchdog=active"),
        ("a name may say it", vec![line("A/SwypeGatewayDown")], "P1 A/SwypeGatewayDown=active"),
        ("a label beats the name", vec![line("warning:A/SwypeGatewayDown")], "P3 A/SwypeGatewayDown=active"),
        (
            "pending is about to fire",
            vec![since("critical:A/X", 1).status(Status::Pending)],
            "P5 A/X=pending",
        ),
        (
            "the most urgent comes first, whatever the count",
            vec![line("A/Y"), line("A/Y"), line("A/Y"), line("critical:A/X")],
            "P1 A/X=active; P3 A/Y=active",
        ),
    ]);
}

#[test]
fn an_incident_is_as_urgent_as_its_worst_symptom() {
    let page = incidents("", &[line("A/EndpointRegistrationFailure"), line("A/TooFewEndpointsRegistered")]);
    assert_eq!((page[0].priority, page[0].headline.as_str()), (Priority::P1, "TooFewEndpointsRegistered"));
    let equal =
        incidents("", &[line("critical:A/EndpointRegistrationFailure"), line("A/TooFewEndpointsRegistered")]);
    assert_eq!(equal[0].headline, "EndpointRegistrationFailure", "among equals the nearest to the cause");
}

#[test]
fn one_alert_in_many_scopes_is_told_once() {
    let records = |zones: &[&str]| {
        zones.iter().map(|zone| line(&format!("{zone}/SwypeGatewayDown"))).collect::<Vec<_>>()
    };
    for (zones, groups, folded, pages) in [
        (["A"].as_slice(), 0, 0, 1),
        (&["A", "B"], 1, 0, 2),
        (&["A", "B", "C"], 1, 3, 1),
        (&["A", "B", "C", "D"], 1, 4, 1),
    ] {
        let mut engine = engine("", &records(zones));
        let report = engine.report(None);
        assert_eq!(report.groups().count(), groups, "{zones:?}");
        assert_eq!(report.groups().map(|group| group.folded.len()).sum::<usize>(), folded, "{zones:?}");
        assert_eq!(report.totals().pages, pages, "{zones:?}");
    }
}

#[test]
fn silences_hold_until_they_end() {
    let until = |at: Timestamp| {
        format!("silences: [{{id: night, alert: 'X*', labels: {{zone: A}}, until: '{at}', because: works}}]")
    };
    let records = [since("critical:A/X1", 9), since("critical:B/X1", 9)];
    assert_eq!(shown(&until(ago(-1)), &records), "P1 B/X1=active; P5 A/X1=silenced");
    assert_eq!(shown(&until(ago(0)), &records).matches("P1").count(), 2, "it ends with its last instant");
    let silenced = &incidents(&until(ago(-1)), &records)[1].members[0];
    assert_eq!(
        (silenced.rule.as_str(), silenced.until, silenced.why.as_str()),
        ("night", Some(ago(-1)), "silenced by us until 2026-11-23T12:01:00Z: works")
    );
}

#[test]
fn identities_leave_out_what_varies_and_never_merge_names() {
    for (case, records, distinct) in [
        ("replicas", vec![line("A/X replica=0"), line("A/X replica=1")], 1),
        (
            "pods of one workload",
            vec![line("A/X pod=api-7d9f8b6c5d-abcd2"), line("A/X pod=api-7d9f8b6c5d-x2x9q")],
            1,
        ),
        (
            "instances beside pods",
            vec![line("A/X pod=db-0 instance=10.0.0.1:80"), line("A/X pod=db-0 instance=10.0.0.2:80")],
            1,
        ),
        (
            "instances without pods",
            vec![line("A/X instance=10.0.0.1:80"), line("A/X instance=10.0.0.2:80")],
            2,
        ),
        ("names that differ by a digit", vec![line("A/X1"), line("A/X2")], 2),
        ("names of hexadecimal digits", vec![line("A/deadbeef01"), line("A/deadbeef02")], 2),
        ("zones", vec![line("10.0.0.1/X"), line("10.0.0.2/X")], 2),
    ] {
        assert_eq!(engine("", &records).report(None).totals().distinct, distinct, "{case}");
    }
}

#[test]
fn five_of_the_values_that_are_left_out_stay_as_examples() {
    let lines: Vec<Record<'_>> = (0..9).map(|n| line(&format!("A/X replica={}", n % 7))).collect();
    let members = &incidents("", &lines)[0].members;
    assert_eq!((members.len(), members[0].count), (1, 9));
    assert_eq!(members[0].examples, ["0", "1", "2", "3", "4"]);
}

#[test]
fn the_newest_episode_decides_in_any_order() {
    check(&[
        ("an end before its beginning", vec![over("A/X", 9, 5), since("A/X", 9)], "P5 A/X=resolved"),
        (
            "a later beginning opens it again",
            vec![since("A/X", 9), over("A/X", 9, 5), since("A/X", 3)],
            "P3 A/X=active",
        ),
        ("an end alone is kept for the audit", vec![over("A/X", 9, 5)], "P5 A/X=resolved +resolve-only"),
        (
            "of two words of one instant, and no beginning, the one that stands decides",
            vec![record("A/X").at(ago(5)), record("A/X").at(ago(5)).status(Status::Pending)],
            "P3 A/X=active",
        ),
        ("of two that began at once", vec![since("A/X", 9), over("A/X", 9, 9)], "P5 A/X=resolved"),
        (
            "the one that began before does not end with what began since",
            vec![over("A/X", 9, 2), since("A/X", 5)],
            "P3 A/X=active",
        ),
        (
            "nor does what was said since",
            vec![over("A/X", 9, 2), since("A/X", 5), record("A/X").at(ago(4))],
            "P3 A/X=active",
        ),
        (
            "one whose beginning is unknown is known for what it is",
            vec![over("A/X replica=0", 9, 5), since("A/X replica=1", 9), over("A/X replica=1", 9, 4)],
            "P5 A/X=resolved",
        ),
        (
            "one label set that stands is enough",
            vec![since("A/X replica=0", 9), since("A/X replica=1", 9), over("A/X replica=0", 9, 5)],
            "P3 A/X=active",
        ),
    ]);
}

#[test]
fn rules_switch_off_what_is_built_in() {
    let sample = [line("A/EndpointRegistrationFailure"), line("A/LLMBatchProcessingJobFailures")];
    assert_eq!(incidents("", &sample).len(), 1);
    assert_eq!(incidents("builtin: {disable: [upcommerce/registration-batch]}", &sample).len(), 2);
    let rung = [line("A/DiskFull"), line("A/DiskVeryFull")];
    assert_eq!(incidents("builtin: {disable: [ladder/name]}", &rung).len(), 2);
    assert_eq!(shown("builtin: {disable: [severity/name]}", &[line("A/ShopDown")]), "P3 A/ShopDown=active");
}

#[test]
fn an_incident_is_known_by_the_first_of_its_alerts_that_stands() {
    let id = |records: &[Record<'_>]| incidents("", records)[0].id.clone();
    let rung = since("A/DiskVeryFull", 5);
    assert_eq!(id(&[since("A/DiskFull", 9), rung.clone()]), id(&[rung]), "what is superseded does not stand");
    let symptom = since("A/KubeNodeNotReady", 9);
    assert_eq!(id(&[since("A/KubeletDown", 5), symptom.clone()]), id(std::slice::from_ref(&symptom)));
    assert_ne!(id(&[since("B/KubeNodeNotReady", 9)]), id(&[symptom]), "the scope is part of it");
}

#[test]
fn an_incident_keeps_its_id_and_is_told_of_once() {
    let mut engine = engine("", &[line("A/LLMBatchProcessingJobFailures")]);
    let mut tracker = IncidentTracker::default();
    let mut next = 1;
    let mut tell = |engine: &mut Engine, written: Option<&str>| {
        if let Some(written) = written {
            next += 1;
            engine.ingest(SourcePosition::new(0, 0, next), &line(written));
        }
        let (incidents, notices) = tracker.update(&engine.report(None));
        let changes: Vec<Change> = notices.iter().map(|notice| notice.change).collect();
        (incidents, changes)
    };
    let (first, changes) = tell(&mut engine, None);
    assert_eq!(changes, [Change::Opened]);
    let (_, changes) = tell(&mut engine, Some("A/LLMBatchProcessingJobFailures"));
    assert_eq!(changes, [], "a repeat is not a change");
    let (second, changes) = tell(&mut engine, Some("A/TooFewEndpointsRegistered"));
    assert_eq!((second.len(), changes), (2, vec![Change::Opened]), "nothing joins them yet");
    let (third, changes) = tell(&mut engine, Some("A/EndpointRegistrationFailure"));
    assert_eq!(third.len(), 1, "their cause joins them");
    assert_eq!(third[0].id, first[0].id, "the older id stays");
    let other = second.iter().find(|incident| incident.id != first[0].id).unwrap();
    assert!(third[0].aliases.contains(&other.id), "and the other is its alias");
    assert_eq!(changes, [Change::Changed], "it was told of as a page already");
}
