//! The table as a whole: its examples decide, it starts fast, and laws that no rule may break.

use proptest::prelude::*;

use super::*;
use crate::pod::{PodEvent, Terminated};
use crate::verdict::NetworkKind;

fn died(exit_code: i32, log_tail: &str) -> Termination {
    let terminated = Terminated { exit_code, reason: "Error".into(), ..Terminated::default() };
    Termination::new(terminated, log_tail)
}

#[test]
fn every_example_is_decided_by_its_own_row() {
    let classifier = Classifier::default();
    let set = rule::parse(BUILT_IN).expect("rules.yaml parses");
    for rule in &set.rules {
        assert!(!rule.examples.is_empty(), "rule `{}` has no example", rule.id);
    }
    for row in &set.words {
        assert!(!row.examples.is_empty(), "a row of class `{}` has no example", row.class.as_str());
    }
    let wrong: Vec<String> = Check::of(&set)
        .iter()
        .flat_map(|check| check.failures(&classifier.table))
        .map(|e| e.to_string())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A phrase that another row always gets first, or that a shorter phrase of its own row makes idle,
/// is dead weight and a trap for the next reader.
#[test]
fn no_row_and_no_phrase_is_shadowed() {
    let table = Classifier::default().table;
    let mut dead = Vec::new();
    for (row, rule) in rule::parse(BUILT_IN).expect("rules.yaml parses").rules.iter().enumerate() {
        for phrase in &rule.phrases {
            let words = phrase.value.replace("...", " x ");
            let read = table.read(words.trim());
            let by = read
                .seen
                .first()
                .and_then(|seen| seen.first_hit(rule.strength))
                .map(|hit| usize::from(hit.row));
            // Of rows with frames, the frames choose.
            if by != Some(row) && rule.strength != rule::Strength::Framed {
                let by = by.map_or("nothing", |row| &table.row(row as u16).id);
                dead.push(format!("`{}` of `{}` goes to {by}", phrase.value, rule.id));
            }
            let without: Vec<_> =
                rule.phrases.iter().filter(|p| p.referenced != phrase.referenced).cloned().collect();
            let idle = without.iter().any(|other| covers(&other.value, &phrase.value));
            if idle {
                dead.push(format!("`{}` of `{}` is covered by a shorter phrase", phrase.value, rule.id));
            }
        }
    }
    assert!(dead.is_empty(), "{} dead\n{}", dead.len(), dead.join("\n"));
}

/// Wherever `long` stands, `short` stands too.
/// A word that is listed twice, or that a wider word of its class makes idle: `...error` makes
/// `...dnserror` idle.
#[test]
fn no_word_is_idle() {
    let set = rule::parse(BUILT_IN).expect("rules.yaml parses");
    let mut idle = Vec::new();
    let mut known = std::collections::HashSet::new();
    for row in &set.words {
        let meant = (row.class, row.kind.map(NetworkKind::as_str), row.cause.map(Cause::as_str));
        for word in &row.words {
            let is_new = known.insert((meant, &*word.value));
            let ending = word.value.strip_prefix("...").unwrap_or_default();
            let wider = |other: &str| {
                other.len() < word.value.len()
                    && other.strip_prefix("...").is_some_and(|other| ending.ends_with(other))
            };
            if !is_new || row.words.iter().any(|other| wider(&other.value)) {
                idle.push(format!("{} of class `{}`", word.value, row.class.as_str()));
            }
        }
    }
    assert!(idle.is_empty(), "idle: {}", idle.join(", "));
}

/// Whether the words of the first phrase are in the second.
fn covers(short: &str, long: &str) -> bool {
    let (short, long) = (text::fold(short), text::fold(long));
    if short.contains("...") {
        return short == long;
    }
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    long.match_indices(&short).any(|(at, _)| {
        let before = long[..at].chars().next_back();
        let after = long[at + short.len()..].chars().next();
        let opens = !(part(before) && part(short.chars().next()));
        let closes = !(part(after) && part(short.chars().next_back()));
        opens && closes
    })
}

/// A termination of `reason` and `code` with one event beside it.
fn told(reason: &str, code: i32, event: (&str, &str)) -> Termination {
    let mut t = died(code, "dial tcp 10.0.0.1:80: connect: connection refused");
    t.terminated.reason = reason.into();
    if !event.0.is_empty() {
        t.events.push(PodEvent { reason: event.0.into(), message: event.1.into(), ..PodEvent::default() });
    }
    t
}

#[test]
fn kubernetes_has_the_first_word() {
    for (case, want, t) in [
        ("out of memory", "oom", told("OOMKilled", 137, ("", ""))),
        (
            "liveness",
            "probe",
            told("Error", 1, ("Killing", "Container a failed liveness probe, will be restarted")),
        ),
        (
            "startup",
            "probe",
            told("Error", 137, ("Killing", "Container a failed startup probe, will be restarted")),
        ),
        ("evicted", "eviction", told("Error", 1, ("Evicted", "The node was low on resource: memory."))),
        (
            "deadline",
            "application",
            told("Error", 143, ("DeadlineExceeded", "Job was active longer than specified")),
        ),
        (
            "shutdown",
            "node",
            told("Error", 1, ("NodeShutdown", "Pod was terminated in response to imminent node shutdown.")),
        ),
        ("preempted", "eviction", told("Error", 1, ("Preempting", "Preempted by pod x"))),
        ("scaled down", "completed", told("Error", 143, ("Killing", "Stopping container a"))),
        ("mount", "storage", told("Unknown", 255, ("FailedMount", "timed out waiting for the condition"))),
        ("missing map", "config", told("Unknown", 255, ("FailedMount", "configmap \"x\" not found"))),
        ("start", "image", told("StartError", 128, ("", ""))),
        ("done", "completed", told("Completed", 0, ("", ""))),
        ("exit 0 under Error", "completed", told("Error", 0, ("", ""))),
        ("pull", "image", told("Error", 1, ("Failed", "Failed to pull image \"x\": i/o timeout"))),
        ("killed by nobody known", "unknown", told("Error", 137, ("", ""))),
        (
            "a new sandbox does not explain words",
            "network:refused",
            told("Error", 1, ("FailedCreatePodSandBox", "cni")),
        ),
    ] {
        assert_eq!(Classifier::default().classify(&t).label(), want, "{case}");
    }
}

#[test]
fn a_lost_container_whose_sandbox_network_failed_is_network() {
    let event = ("FailedCreatePodSandBox", "plugin type=\"calico\" failed (add): i/o timeout");
    let mut t = told("Unknown", 255, event);
    t.log_tail.clear();
    assert_eq!(Classifier::default().classify(&t).label(), "network:sandbox");
}

#[test]
fn exit_codes_speak_last_and_softly() {
    for (code, words, want) in [
        (139, "", "application"),
        (127, "", "config"),
        (126, "", "permission"),
        (1, "", "unknown"),
        (134, "dial tcp 10.0.0.1:80: connect: connection refused", "network:refused"),
        (139, "dial tcp 10.0.0.1:80: connect: connection refused", "application"),
        (139, "panic: dial tcp 10.0.0.1:80: connect: connection refused", "network:refused"),
    ] {
        assert_eq!(Classifier::default().classify(&died(code, words)).label(), want, "{code} {words}");
    }
}

#[test]
fn the_message_is_asked_before_the_log() {
    for (case, message, log, want) in [
        (
            "message names a cause",
            "invalid url",
            "dial tcp 10.0.0.1:80: connect: connection refused",
            "config",
        ),
        (
            "message says nothing",
            "see log",
            "dial tcp 10.0.0.1:80: connect: connection refused",
            "network:refused",
        ),
        (
            "message is a symptom",
            "could not connect to ledger",
            "connect ECONNREFUSED 10.0.0.1:80",
            "network:refused",
        ),
        ("nothing said", "", "", "unknown"),
    ] {
        let mut t = died(1, log);
        t.terminated.message = message.into();
        assert_eq!(Classifier::default().classify(&t).label(), want, "{case}");
    }
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(Classifier::default().classify(&died(1, " \n")).rule, "no-last-words");
    let verdict = Classifier::default().classify(&died(1, "hello\ngoodbye"));
    assert_eq!((&*verdict.rule, &*verdict.quote), ("no-rule", "goodbye"));
}

#[test]
fn a_users_rows_come_first() {
    let yaml = "- {id: ledger, cause: config, phrases: [ledger is closed], examples: [Ledger is closed]}\n\
                - {id: refused, disabled: true}\n- {id: refused-localised, disabled: true}\n";
    let classifier = Classifier::with_rules(yaml).expect("the rows are fine");
    assert_eq!(classifier.classify(&died(1, "ledger is closed: connection timed out")).rule, "ledger");
    assert_eq!(classifier.classify(&died(1, "x: connection refused")).rule, "composed-refused");
    assert_eq!(Classifier::default().classify(&died(1, "x: connection refused")).rule, "refused");
}

#[test]
fn a_faulty_rules_file_is_refused_with_place_and_fix() {
    for (case, yaml, place, fix) in [
        (
            "unknown cause",
            "- id: a\n  cause: netwrk\n  phrases: [x]",
            "line 2 column 10",
            "use one of network, oom",
        ),
        (
            "unknown kind",
            "- {id: a, cause: network, kind: gone, phrases: [x]}",
            "line 1",
            "use one of refused",
        ),
        ("no kind", "- {id: a, cause: network, phrases: [x]}", "line 1", "add `kind:"),
        ("kind of another cause", "- {id: a, cause: oom, kind: dns, phrases: [x]}", "line 1", "remove it"),
        (
            "id twice",
            "- {id: a, cause: oom, phrases: [x]}\n- {id: a, cause: oom, phrases: [y]}",
            "line 2",
            "line 1",
        ),
        ("bad regex", "- id: a\n  cause: oom\n  regex: ['(']", "line 3 column 11", "mend the regex"),
        ("unknown field", "- id: a\n  phrase: [x]", "line 2", "phrases"),
        ("no words", "- {id: a, cause: oom}", "line 1", "add `phrases`"),
        ("empty phrase", "- {id: a, cause: oom, phrases: ['...']}", "line 1", "remove it"),
        ("not a list", "rules: 3", "line 1", "a list of rows"),
        (
            "example of another",
            "- {id: a, cause: oom, phrases: [x], examples: [connection refused]}",
            "line 1",
            "`refused`",
        ),
        ("counter-example", "- {id: a, cause: oom, phrases: [x], not: [an x]}", "line 1", "narrow"),
        (
            "unknown class",
            "- class: failur\n  words: [x]",
            "line 1 column 10",
            "use one of operation, remote",
        ),
        ("failure without kind", "- {class: failure, words: [x]}", "line 1", "add `kind: refused`"),
        ("subject without cause", "- {class: subject, words: [x]}", "line 1", "add `cause: config`"),
        ("remote with cause", "- {class: remote, cause: oom, words: [x]}", "line 1", "remove it"),
        ("remote with kind", "- {class: remote, kind: dns, words: [x]}", "line 1", "remove it"),
        (
            "fault of the network",
            "- {class: fault, cause: network, words: [x]}",
            "line 1",
            "use `class: failure`",
        ),
        ("class with phrases", "- {class: remote, words: [x], phrases: [y]}", "line 1", "an `id`"),
        ("class without words", "- class: remote", "line 1 column 10", "add `words: [..]`"),
        ("empty word", "- class: remote\n  words:\n    - bus\n    - '...'", "line 4 column 7", "remove it"),
        (
            "example that the words do not explain",
            "- class: failure\n  kind: reset\n  words: [conked out]\n  examples: [the rates bus is fine]",
            "line 4 column 14",
            "class `failure`",
        ),
        (
            "counter-example of words",
            "- {class: failure, kind: reset, words: [conked out], not: [the rates bus conked out]}",
            "line 1",
            "narrow its words",
        ),
        ("bad mask", "- mask:\n    - 'ok-[0-9]'\n    - '('", "line 3 column 7", "mend the pattern"),
        (
            "mask that hides nothing",
            "- mask: ['acme-[0-9]{20}']\n  examples: [the key is acme-1]",
            "line 2 column 14",
            "contains no secret",
        ),
        ("mask with an id", "- {mask: [x], id: a, cause: oom}", "line 1", "one of `id`, `class` and `mask`"),
        ("none of them", "- {phrases: [x]}", "line 1", "one of `id`, `class` and `mask`"),
    ] {
        let error = Classifier::with_rules(yaml).expect_err(case).to_string();
        assert!(error.contains(place) && error.contains(fix), "{case}: {error}");
    }
    assert!(Classifier::with_rules("# nothing yet\n").is_ok());
}

proptest! {
    #[test]
    fn anything_may_be_said(text in ".{0,3000}", message in any::<String>(), code in any::<i32>()) {
        let mut t = died(code, &text);
        t.terminated.message = message;
        let verdict = Classifier::default().classify(&t);
        prop_assert!(verdict.quote.chars().count() <= 200);
        prop_assert!(!verdict.quote.chars().any(char::is_control));
        prop_assert_eq!(verdict.kind.is_some(), verdict.cause == Cause::Network);
    }

    #[test]
    fn bytes_of_any_kind_may_be_said(bytes in proptest::collection::vec(any::<u8>(), 0..6000)) {
        Classifier::default().classify(&died(1, &String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn a_kill_is_never_network(
        lines in proptest::collection::vec("(ERROR |FATAL |panic: |Caused by: )?(dial tcp: )?(connection refused|i/o timeout|no such host|fine)", 0..9),
        code in prop_oneof![Just(137), Just(143)],
        sandbox in any::<bool>(),
    ) {
        let mut t = died(code, &lines.join("\n"));
        if sandbox {
            t.events.push(PodEvent { reason: "FailedCreatePodSandBox".into(), message: "cni network".into(), ..PodEvent::default() });
        }
        prop_assert_ne!(Classifier::default().classify(&t).cause, Cause::Network);
    }

    #[test]
    fn no_evidence_is_never_network(code in any::<i32>(), reason in "(Error|Unknown|Completed|)") {
        let mut t = died(code, "");
        t.terminated.reason = reason;
        prop_assert_ne!(Classifier::default().classify(&t).cause, Cause::Network);
    }
}

proptest! {
    #[test]
    fn a_planted_secret_is_in_no_explanation((secret, text) in mask::tests::planted(), message in any::<bool>()) {
        let mut t = died(1, &format!("INFO up\nERROR startup failed: {text}\n"));
        if message {
            t.terminated.message = std::mem::take(&mut t.log_tail);
        }
        let explanation = Classifier::default().explain(&t);
        let told = format!("{:?} {}", explanation, serde_json::to_string(&explanation.verdict).unwrap());
        prop_assert_eq!(explanation.verdict.cause, Cause::Network);
        prop_assert!(!told.contains(&secret), "{}", told);
    }
}

/// Last words of runtimes and tools, exit 1, with the verdict they deserve.
#[test]
fn log_tails_are_distinguished() {
    let classifier = Classifier::default();
    let mut wrong = Vec::new();
    for (n, case) in include_str!("cases.txt").split("\n=== ").enumerate() {
        let Some((want, words)) = case.split_once('\n') else { continue };
        let got = classifier.classify(&died(1, words));
        if n > 0 && got.label() != want.trim() {
            wrong.push(format!(
                "want {want}, got {} by {} on {:?}:\n{words}",
                got.label(),
                got.rule,
                got.quote
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_socket_file_that_does_not_answer_is_local() {
    let waiting = "W0603 11:20:46.2 1 connection.go:183] Still connecting to unix:///csi/ledger.sock\n";
    let silent = format!("{waiting}{waiting}E0603 11:20:56.2 1 main.go:136] context deadline exceeded\n");
    assert_eq!(Classifier::default().read(&silent).label(), "application");
    let remote = silent.replace("unix:///csi/ledger.sock", "tcp://ledger:50051");
    assert_ne!(Classifier::default().read(&remote).label(), "application");
}

/// What fails after the end explains nothing, whoever reports it.
#[test]
fn a_crash_before_a_failed_report_decides() {
    let report = "telling the ledger room: dial tcp 10.43.9.9:80: connect: connection refused\n";
    for (text, want) in [
        ("thread 'main' panicked at src/main.rs:7:9:\nindex out of bounds: the len is 1\n", "application"),
        ("ERROR run: open /etc/ledger.yaml: no such file or directory\n", "config"),
        ("ERROR run: write /data/x: no space left on device\nINFO stopping the reader\n", "storage"),
    ] {
        assert_eq!(Classifier::default().read(&format!("{text}{report}")).label(), want, "{text}");
    }
    // The process worked on after the error, or the line only announces the reason.
    for text in ["ERROR open /tmp/x: no such file or directory\nINFO 7 rates kept\n", "config error:\n"] {
        let verdict = Classifier::default().read(&format!("{text}{report}"));
        assert_eq!(verdict.label(), "network:refused", "{text}");
    }
}

#[test]
fn every_row_that_is_suggested_can_be_used_as_it_is() {
    for quote in [
        "FATAL ledger quorum lost at term 17",
        "he said \"no\" and left: the clerk's desk \\ is empty",
        "fehler: die Wechselstube hat geschlossen #4",
        "Traceback: KeyError('rates') in module pricing.cards",
    ] {
        for cause in [Cause::Network, Cause::Application] {
            let row = Classifier::suggest_row(quote, cause).unwrap_or_else(|| panic!("{quote}"));
            let verdict = Classifier::with_rules(&row).unwrap().read(quote);
            assert_eq!(verdict.cause, cause, "{row}");
        }
    }
}
