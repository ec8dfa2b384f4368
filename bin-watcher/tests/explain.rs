//! `watcher explain` on files and pipes: what is read, what is refused, and that nothing is lost.

mod binary;

use binary::{explain, text};

const REFUSED: &str = "payment 4711: dial tcp 10.96.0.7:443: connect: connection refused";

fn case(id: &str, words: &str, label: &str) -> String {
    let mut case =
        serde_json::json!({"id": id, "terminated": {"exitCode": 1, "reason": "Error"}, "logTail": words});
    if !label.is_empty() {
        case["label"] = label.into();
    }
    format!("{case}\n")
}

#[test]
fn a_log_from_a_pipe_is_explained_with_the_place_of_its_words() {
    let output = explain(&["-"], format!("INFO up\nINFO busy\n{REFUSED}\n").as_bytes());
    assert_eq!(
        text(&output.stdout),
        format!(
            "log: network:refused by refused, confidence medium; peer 10.96.0.7:443\n    log line 3: {REFUSED:?}\n"
        )
    );
    assert!(output.status.success());
}

#[test]
fn a_log_of_json_records_is_a_log() {
    let line = format!("{{\"level\":\"fatal\",\"msg\":{REFUSED:?}}}\n");
    let output = explain(&["-", "-o", "jsonl"], line.as_bytes());
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!((&object["cause"], &object["kind"]), (&"network".into(), &"refused".into()));
    assert_eq!(object["peer"], "10.96.0.7:443");
}

#[test]
fn cases_are_answered_one_line_each_in_order() {
    let input = case("b", REFUSED, "") + "\n" + &case("a", "KeyError: 'x'", "") + &case("c", "", "");
    let output = explain(&["-", "-o", "jsonl"], input.as_bytes());
    let lines: Vec<serde_json::Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object a line"))
        .collect();
    assert_eq!(lines.iter().map(|l| l["id"].as_str().unwrap()).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(
        lines.iter().map(|l| l["cause"].as_str().unwrap()).collect::<Vec<_>>(),
        ["network", "application", "unknown"]
    );
    for key in ["id", "cause", "kind", "confidence", "rule", "quote"] {
        assert!(lines.iter().all(|line| line.get(key).is_some()), "{key}");
    }
    assert_eq!(lines[2]["kind"], serde_json::Value::Null);
    let array: serde_json::Value =
        serde_json::from_slice(&explain(&["-", "-o", "json"], input.as_bytes()).stdout).expect("an array");
    assert_eq!(array.as_array().map(Vec::len), Some(3));
}

#[test]
fn labels_bring_the_table_of_what_was_got_right() {
    let input = case("a", REFUSED, "network")
        + &case("b", "farewell", "network")
        + &case("c", "KeyError: 'x'", "application");
    let output = explain(&["-"], input.as_bytes());
    insta::assert_snapshot!(text(&output.stdout));
}

#[test]
fn a_faulty_case_is_named_and_the_others_are_answered() {
    let input = case("a", REFUSED, "")
        + "{\"logTail\": [3]}\n{\"terminated\n"
        + &case("b", REFUSED, "netwrk")
        + &case("c", REFUSED, "");
    let output = explain(&["-", "-o", "jsonl"], input.as_bytes());
    let stderr = text(&output.stderr);
    assert!(stderr.contains("standard input line 2: `logTail` is a list, not a text"), "{stderr}");
    assert!(stderr.contains("standard input line 3: EOF while parsing"), "{stderr}");
    assert!(stderr.contains("standard input line 4: unknown label `netwrk`; use one of network"), "{stderr}");
    assert_eq!(text(&output.stdout).lines().count(), 2);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_unreadable_input_is_reported_with_its_fix() {
    for (args, input, said) in [
        (&["/nonexistent/cases.jsonl"][..], "", "/nonexistent/cases.jsonl cannot be read"),
        (&["-"], "", "standard input is empty"),
        (&["-"], "\n \n", "standard input is empty"),
        (&["-", "--rules", "/nonexistent.yaml"], "x", "/nonexistent.yaml cannot be read"),
        (&[], "", "<BREAKER|POD|FILE|->"),
    ] {
        let output = explain(args, input.as_bytes());
        assert!(text(&output.stderr).contains(said), "{args:?}: {}", text(&output.stderr));
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn no_output_shows_a_secret_or_a_control_character() {
    let words = format!(
        "\u{1b}[31mERROR\u{1b}[0m postgres://app:hunter2hunter2@db/x password=hunter2hunter2: {REFUSED}"
    );
    let input = case("a\u{1b}[2J", &words, "network");
    for shape in ["text", "json", "jsonl"] {
        let output = explain(&["-", "-o", shape], input.as_bytes());
        let told = text(&output.stdout) + &text(&output.stderr);
        assert!(told.contains("connection refused"), "{told}");
        assert!(!told.contains("hunter2") && !told.contains('\u{1b}'), "{told:?}");
    }
}
