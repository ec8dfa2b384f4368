//! Scopes of alerts without a label of a scope: the source, or a constant of the rules.

use alert_triage::{Engine, Format, Rules};

/// The incidents of these inputs, each as its scope and its members; read in order, in reverse, and
/// by an engine for each input, which must all give the same report.
fn incidents(rules: &str, inputs: &[(&str, &str)]) -> Vec<String> {
    let rules = Rules::parse(rules).unwrap();
    let mut whole = Engine::new(rules.clone());
    let mut first = Engine::new(rules.clone());
    for (name, _) in inputs {
        first.add_source(*name);
    }
    let mut merged = first.sibling();
    for (number, (name, input)) in inputs.iter().enumerate() {
        whole.read(name, Format::Jsonl, input.as_bytes());
        let mut part = first.sibling();
        part.read_block(number, 0, Format::Jsonl, input.as_bytes());
        part.merge(merged);
        merged = part;
    }
    let shown = |engine: &mut Engine| -> Vec<String> {
        let report = engine.report(None);
        report
            .incidents()
            .map(|incident| {
                let mut members: Vec<&str> =
                    incident.members.iter().map(|member| member.alert.as_str()).collect();
                members.sort_unstable();
                format!("{:?} {}", incident.scope.unwrap_or_default(), members.join(" "))
            })
            .collect()
    };
    let found = shown(&mut whole);
    assert_eq!(shown(&mut merged), found, "in parts");
    found
}

fn alert(name: &str, labels: &str) -> String {
    format!("{{\"alertname\": \"{name}\", \"labels\": {{\"alertname\": \"{name}\"{labels}}}}}\n")
}

#[test]
fn each_source_is_a_scope_unless_two_report_the_same_alert() {
    let (api, scheduler) = (alert("KubeAPIDown", ""), alert("KubeSchedulerDown", ""));
    let shared = alert("DiskFull", ", \"node\": \"n1\"");
    let watchdog = alert("Watchdog", "");
    let with = |one: &str, other: &str| format!("{one}{other}");
    for (case, rules, inputs, want) in [
        ("one source", "", vec![("a", with(&api, &scheduler))], vec!["{} KubeAPIDown KubeSchedulerDown"]),
        (
            "two sources",
            "",
            vec![("a", api.clone()), ("b", scheduler.clone())],
            vec![r#"{"source": "a"} KubeAPIDown"#, r#"{"source": "b"} KubeSchedulerDown"#],
        ),
        (
            "two replicas of one source",
            "",
            vec![("a", with(&api, &shared)), ("b", with(&scheduler, &shared))],
            vec!["{} KubeAPIDown KubeSchedulerDown", "{} DiskFull"],
        ),
        (
            "a watchdog is common to all",
            "",
            vec![("a", with(&api, &watchdog)), ("b", with(&scheduler, &watchdog))],
            vec![
                r#"{"source": "a"} KubeAPIDown"#,
                r#"{"source": "b"} KubeSchedulerDown"#,
                r#"{"source": "a"} Watchdog"#,
            ],
        ),
        (
            "two sources with one constant scope",
            "scope: {constants: [{source: '*', labels: {cluster: eu-1}}]}",
            vec![("a", api.clone()), ("b", scheduler.clone())],
            vec![r#"{"cluster": "eu-1"} KubeAPIDown KubeSchedulerDown"#],
        ),
        (
            "the same alert of two sources with constant scopes",
            "scope: {constants: [{source: 'eu*', labels: {cluster: eu}}, {source: '*', labels: {cluster: us}}]}",
            vec![("eu.json", api.clone()), ("other.json", api.clone())],
            vec![r#"{"cluster": "eu"} KubeAPIDown"#, r#"{"cluster": "us"} KubeAPIDown"#],
        ),
        (
            "a constant scope replaces no label",
            "scope: {constants: [{source: '*', labels: {cluster: eu}}]}",
            vec![("a", with(&alert("KubeAPIDown", ", \"zone\": \"Z\""), &scheduler))],
            vec![r#"{"cluster": "eu"} KubeSchedulerDown"#, r#"{"zone": "Z"} KubeAPIDown"#],
        ),
    ] {
        let inputs: Vec<(&str, &str)> = inputs.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let (mut found, mut want) = (incidents(rules, &inputs), want);
        found.sort_unstable();
        want.sort_unstable();
        assert_eq!(found, want, "{case}");
    }
}

#[test]
fn a_constant_scope_needs_a_label_of_the_scope() {
    for (rules, want) in [
        ("scope: {constants: [{source: '*', labels: {team: a}}]}", "team is not a label of the scope"),
        ("scope: {constants: [{source: '*', labels: {}}]}", "a constant scope needs a source and a label"),
        (
            "scope: {constants: [{source: '', labels: {zone: a}}]}",
            "a constant scope needs a source and a label",
        ),
    ] {
        let error = Rules::parse(rules).unwrap_err().to_string();
        assert!(error.contains(want), "{rules}: {error}");
    }
}
