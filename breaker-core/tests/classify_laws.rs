//! Laws of the classifier: a text that is added to a termination does not change why it ended.
//!
//! Each law takes the cases of all corpora that are read right, adds a text, and compares. The
//! texts are those of `corpus/side-tasks.txt` and `corpus/footers.txt`. A third of them is held
//! out: nobody tuned to it before it was scored once.

#[path = "common/corpus.rs"]
mod corpus;

use breaker_core::{Cause, Classifier, Termination, Verdict};
use corpus::{Case, cases};
use proptest::prelude::*;
use proptest::sample::select;

const SIDE_TASKS: &str = include_str!("corpus/side-tasks.txt");
const FOOTERS: &str = include_str!("corpus/footers.txt");

/// The cases of all corpora with a log or a message that are read right.
fn read_right() -> Vec<(Case, Verdict)> {
    let corpora = [
        include_str!("corpus/terminations-dev.jsonl"),
        include_str!("corpus/terminations-dev-2.jsonl"),
        include_str!("corpus/terminations-structure.jsonl"),
    ];
    let classifier = Classifier::default();
    // The produced cases say the same things of many clients; a part of them will do.
    let produced = cases(include_str!("corpus/produced.jsonl")).into_iter().step_by(5);
    let all = corpora.into_iter().flat_map(cases).chain(produced);
    let with_verdict = all.map(|case| {
        let verdict = classifier.classify(&case.termination);
        (case, verdict)
    });
    with_verdict
        .filter(|(case, verdict)| verdict.cause.as_str() == case.want && verdict_is_by_text(case))
        .collect()
}

/// Whether the words of the process decide, not Kubernetes.
fn verdict_is_by_text(case: &Case) -> bool {
    let t = &case.termination;
    !words(t).trim().is_empty()
        && t.terminated.exit_code != 0
        && t.events.iter().all(|e| e.reason == "BackOff")
}

/// What decides: the message if there is one, else the log.
fn words(t: &Termination) -> &str {
    if t.terminated.message.is_empty() { &t.log_tail } else { &t.terminated.message }
}

fn with_words(t: &Termination, words: String) -> Termination {
    let mut changed = t.clone();
    if t.terminated.message.is_empty() {
        changed.log_tail = words;
    } else {
        changed.terminated.message = words;
    }
    changed
}

fn followed_by(t: &Termination, text: &str) -> Termination {
    let mut all = words(t).to_owned();
    if !all.ends_with('\n') {
        all.push('\n');
    }
    with_words(t, all + text)
}

/// The named texts of a file, with whether each is held out.
fn texts(file: &'static str) -> Vec<(&'static str, &'static str, bool)> {
    file.split("\n=== ")
        .skip(1)
        .map(|part| {
            let (name, text) = part.split_once('\n').expect("a text below its name");
            (name, text, name.starts_with("held "))
        })
        .collect()
}

/// Adds every text to every case and returns the share of those that `is_broken`.
fn broken(
    name: &str,
    texts: &[(&str, &str)],
    cases: &[(Case, Verdict)],
    is_broken: impl Fn(&Verdict, &Verdict) -> bool,
) -> f64 {
    let classifier = Classifier::default();
    let (mut all, mut bad) = (0, 0);
    for (text_name, text) in texts {
        let mut examples = Vec::new();
        for (case, before) in cases {
            let after = classifier.classify(&followed_by(&case.termination, text));
            all += 1;
            if is_broken(before, &after) {
                bad += 1;
                examples.push(format!("{} {} by {}", case.id, after.label(), after.rule));
            }
        }
        if !examples.is_empty() {
            println!(
                "{text_name}: {} of {}: {}",
                examples.len(),
                cases.len(),
                examples[..examples.len().min(4)].join(", ")
            );
        }
    }
    let share = bad as f64 / f64::from(all.max(1));
    println!("{name}: {bad} of {all} = {share:.4}");
    share
}

fn part(texts: Vec<(&'static str, &'static str, bool)>, held: bool) -> Vec<(&'static str, &'static str)> {
    texts.into_iter().filter(|(.., is_held)| *is_held == held).map(|(name, text, _)| (name, text)).collect()
}

fn becomes_network(_: &Verdict, after: &Verdict) -> bool {
    after.cause == Cause::Network
}

fn loses_network(before: &Verdict, after: &Verdict) -> bool {
    (after.cause, after.kind) != (before.cause, before.kind)
}

#[test]
fn a_failed_side_task_does_not_make_another_cause_network() {
    let cases: Vec<_> = read_right().into_iter().filter(|(_, v)| v.cause != Cause::Network).collect();
    assert!(cases.len() > 100);
    let known = broken("side tasks", &part(texts(SIDE_TASKS), false), &cases, becomes_network);
    let held = broken("held-out side tasks", &part(texts(SIDE_TASKS), true), &cases, becomes_network);
    assert!(known <= 0.01, "{known}");
    assert!(held <= 0.01, "{held}");
}

#[test]
fn a_side_task_alone_is_not_network() {
    let silent = Termination::new(breaker_core::pod::Terminated { exit_code: 1, ..Default::default() }, "");
    // They name only what other programs use too, so they count only after another statement.
    let uncertain = ["statsd", "jaeger", "held fluent", "kuma"];
    for (name, text, _) in texts(SIDE_TASKS).into_iter().filter(|(name, ..)| !uncertain.contains(name)) {
        let verdict = Classifier::default().classify(&followed_by(&silent, text));
        assert_ne!(verdict.cause, Cause::Network, "{name}: {}", verdict.quote);
    }
}

#[test]
fn a_footer_does_not_hide_a_network_failure() {
    let cases: Vec<_> = read_right().into_iter().filter(|(_, v)| v.cause == Cause::Network).collect();
    assert!(cases.len() > 400);
    let known = broken("footers", &part(texts(FOOTERS), false), &cases, loses_network);
    let held = broken("held-out footers", &part(texts(FOOTERS), true), &cases, loses_network);
    let side =
        broken("side tasks after network", &part(texts(SIDE_TASKS), false), &cases, |before, after| {
            before.cause != after.cause
        });
    assert!(known <= 0.01, "{known}");
    assert!(held <= 0.03, "{held}");
    assert!(side <= 0.03, "{side}");
}

/// Failed side tasks whose reason is not said.
const WITHOUT_REASON: [&str; 4] = [
    "ERROR metrics: failed to flush 3 spans\n",
    "failed to send the heartbeat to the monitor\n",
    "Could not release the lock\n",
    "2026-06-03 11:20:44 WARN metrics: could not export 3 spans\n",
];

/// In an outage telemetry fails as well as the service. What is said below is not its reason,
/// unless it is the exception that a logger prints below its message.
#[test]
fn a_failed_side_task_above_hides_no_statement() {
    let begins_a_statement = |t: &Termination| {
        let first = words(t).lines().next().unwrap_or_default();
        let name = first.split([':', ' ']).next().unwrap_or_default();
        let continues = first.starts_with([' ', '\t']) || first.starts_with("Traceback");
        !continues && !name.ends_with("Error") && !name.ends_with("Exception")
    };
    let network = |(case, verdict): &(Case, Verdict)| {
        verdict.cause == Cause::Network && begins_a_statement(&case.termination)
    };
    let cases: Vec<_> = read_right().into_iter().filter(network).collect();
    assert!(cases.len() > 200);
    let classifier = Classifier::default();
    let (mut all, mut hidden) = (0, Vec::new());
    for (case, _) in &cases {
        for above in WITHOUT_REASON {
            let t = with_words(&case.termination, above.to_owned() + words(&case.termination));
            all += 1;
            if classifier.classify(&t).cause != Cause::Network {
                hidden.push(format!("{} below {above:?}", case.id));
            }
        }
    }
    println!("side tasks above: {} of {all}: {:?}", hidden.len(), &hidden[..hidden.len().min(12)]);
    assert!(hidden.len() * 100 <= all, "{} of {all}", hidden.len());
}

/// Adds a prefix to a line with this number.
type AddPrefix = fn(usize, &str) -> String;

/// The prefixes that a runtime or a viewer puts before each line.
const PREFIXES: [(&str, AddPrefix); 9] = [
    ("CRI", |n, line| format!("2026-06-03T11:20:{:02}.123456789Z stderr F {line}", n % 60)),
    ("--timestamps", |n, line| format!("2026-06-03T11:20:{:02}.123456789Z {line}", n % 60)),
    ("--prefix", |_, line| format!("[pod/settle-6d5c9b7f84-k2m9x/settle] {line}")),
    ("stern", |_, line| format!("settle-6d5c9b7f84-k2m9x settle {line}")),
    ("Compose", |_, line| format!("settle-1  | {line}")),
    ("journald", |n, line| format!("Jun 03 11:20:{:02} node-1 settle[812]: {line}", n % 60)),
    ("json-file", |n, line| {
        let log = format!("{line}\n");
        serde_json::json!({"log": log, "stream": "stderr", "time": format!("2026-06-03T11:20:{:02}Z", n % 60)})
            .to_string()
    }),
    ("ANSI", |_, line| format!("\u{1b}[31m{line}\u{1b}[0m")),
    ("CRLF", |_, line| format!("{line}\r")),
];

fn prefixed(t: &Termination, add: AddPrefix) -> Termination {
    let lines = words(t).lines().enumerate().map(|(n, line)| add(n, line) + "\n");
    // The end of what a node keeps: longer lines are fewer lines.
    with_words(t, lines.collect())
}

/// What a wrapper writes behind the log of what it ran, without the prefix of that log.
const REPORTS: [&str; 3] = [
    "ERROR: Job failed: exit code 1\n",
    "Command exited with code 1\n",
    "\nreal\t0m4.301s\nuser\t0m2.118s\n",
];

#[test]
fn a_report_without_the_prefix_of_the_log_above_changes_nothing() {
    let classifier = Classifier::default();
    let network = |(case, verdict): &(Case, Verdict)| {
        verdict.cause == Cause::Network && words(&case.termination).lines().count() > 3
    };
    let cases: Vec<_> = read_right().into_iter().filter(network).collect();
    assert!(cases.len() > 100);
    let (mut all, mut bad) = (0, Vec::new());
    for (name, add) in PREFIXES {
        for (case, before) in &cases {
            let t = prefixed(&case.termination, add);
            if words(&t).len() > 4096 {
                continue;
            }
            for report in REPORTS {
                let after = classifier.classify(&followed_by(&t, report));
                all += 1;
                if loses_network(before, &after) {
                    bad.push(format!("{name} {} {} by {}", case.id, after.label(), after.rule));
                }
            }
        }
    }
    println!("reports without the prefix: {} of {all}: {:?}", bad.len(), &bad[..bad.len().min(12)]);
    assert!(bad.len() * 100 <= all, "{} of {all}", bad.len());
}

#[test]
fn a_prefix_before_every_line_changes_nothing() {
    let classifier = Classifier::default();
    let cases = read_right();
    let (mut all, mut bad) = (0, 0);
    for (name, add) in PREFIXES {
        let mut examples = Vec::new();
        for (case, before) in &cases {
            let t = prefixed(&case.termination, add);
            let fits = words(&t).len() <= 4096;
            let after = classifier.classify(&t);
            all += usize::from(fits);
            if fits && (after.cause, after.kind) != (before.cause, before.kind) {
                bad += 1;
                examples.push(format!("{} {} by {}", case.id, after.label(), after.rule));
            }
        }
        if !examples.is_empty() {
            println!(
                "{name}: {} of {}: {}",
                examples.len(),
                cases.len(),
                examples[..examples.len().min(6)].join(", ")
            );
        }
    }
    let share = bad as f64 / all as f64;
    println!("prefixes: {bad} of {all} = {share:.4}");
    assert!(share <= 0.01, "{share}");
}

/// Frames that agents put between those of a program whose calls they record: where a frame of a
/// stack is recognized by, and the frame that is added below it.
const AGENT_FRAMES: [(&str, &str); 12] = [
    ("    at ", "    at wrapped (/app/node_modules/@sentry/node/build/cjs/integrations/http.js:81:20)"),
    ("    at ", "    at Shim.applySegment (/app/node_modules/newrelic/lib/shim/shim.js:1460:20)"),
    ("    at ", "    at /app/node_modules/@opentelemetry/instrumentation-pg/build/src/utils.js:200:16"),
    ("    at ", "    at /app/node_modules/dd-trace/packages/datadog-instrumentations/src/net.js:70:9"),
    ("\tat ", "\tat com.codahale.metrics.InstrumentedExecutorService$InstrumentedCallable.call(A.java:3)"),
    ("\tat ", "\tat io.opentelemetry.javaagent.instrumentation.netty.HandlerAdvice.enter(A.java:7)"),
    ("\tat ", "\tat datadog.trace.bootstrap.instrumentation.java.concurrent.Wrapper.run(Wrapper.java:9)"),
    (
        "  File \"",
        "  File \"/lib/sentry_sdk/integrations/stdlib.py\", line 102, in getresponse\n    rv = f()",
    ),
    ("  File \"", "  File \"/lib/ddtrace/contrib/requests/connection.py\", line 90, in _wrap\n    f()"),
    ("\tfrom ", "\tfrom /gems/bugsnag-6.26/lib/bugsnag/integrations/rack.rb:49:in `call'"),
    ("\tfrom ", "\tfrom /gems/rollbar-3.4/lib/rollbar/middleware/rails/rollbar.rb:25:in `call'"),
    ("\tfrom ", "\tfrom /gems/honeybadger-5.4/lib/honeybadger/rack/error_notifier.rb:33:in `call'"),
];

/// Adds each of `added` to the words of each case, where `with` has a place for it, and returns how
/// many were added. No verdict may change.
fn nothing_changes<T: Copy + std::fmt::Debug>(
    added: &[T],
    with: impl Fn(&str, T) -> Option<String>,
) -> usize {
    let classifier = Classifier::default();
    let (mut all, mut changed) = (0, Vec::new());
    for (case, before) in read_right() {
        for added in added {
            let Some(text) = with(words(&case.termination), *added) else { continue };
            let after = classifier.classify(&with_words(&case.termination, text));
            all += 1;
            if (after.cause, after.kind) != (before.cause, before.kind) {
                changed.push(format!("{} {} by {}: {added:?}", case.id, after.label(), after.rule));
            }
        }
    }
    assert!(changed.is_empty(), "{} of {all}: {changed:#?}", changed.len());
    all
}

/// Many services run with such an agent, and their outages must be seen too.
#[test]
fn frames_of_an_agent_in_a_stack_change_nothing() {
    let all = nothing_changes(&AGENT_FRAMES, |words, (flag, frame)| {
        let lines: Vec<&str> = words.lines().collect();
        let at = lines.iter().position(|line| line.starts_with(flag))?;
        Some([&lines[..at], &[frame], &lines[at..]].concat().join("\n"))
    });
    assert!(all > 400, "{all}");
}

/// What a program says of its agents and exporters while it works, and a failure of theirs that it
/// survives.
const ASIDES: [&str; 8] = [
    "Sentry initialized",
    "OpenTelemetry tracing enabled, exporting to otel-collector:4317",
    "newrelic agent registered",
    "cleanup done",
    "INFO metrics exporter started",
    "{\"level\":\"info\",\"msg\":\"Datadog tracer ready\"}",
    "WARNING: Sentry DSN is not set",
    "Transient error StatusCode.UNAVAILABLE while exporting traces to otel:4317, retrying in 1s.",
];

/// Python prints the exception of a log record as it prints the one that ends the process.
#[test]
fn an_aside_before_a_traceback_changes_nothing() {
    let all = nothing_changes(&ASIDES, |words, aside| {
        // In a log, the traceback may belong to the record above it.
        words.starts_with("Traceback (most recent call last)").then(|| format!("{aside}\n{words}"))
    });
    assert!(all > 100, "{all}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Other scripts than Latin and invalid bytes may stand anywhere in a line.
    #[test]
    fn other_scripts_anywhere_in_a_text_are_read(
        pick in any::<prop::sample::Index>(),
        places in prop::collection::vec((any::<prop::sample::Index>(), select(vec!['\u{fffd}', 'é', '无', '😀'])), 1..40),
    ) {
        thread_local!(static CASES: Vec<(Case, Verdict)> = read_right());
        CASES.with(|cases| {
            let (case, _) = pick.get(cases);
            let mut chars: Vec<char> = words(&case.termination).chars().collect();
            for (place, other) in &places {
                chars.insert(place.index(chars.len() + 1), *other);
            }
            let text: String = chars.into_iter().collect();
            // A colon is where addresses are looked for.
            for text in [text.replace(':', "无:"), text.replace("://", "无://"), text] {
                let verdict = Classifier::default().classify(&with_words(&case.termination, text));
                prop_assert!(verdict.quote.chars().count() <= 200);
            }
            Ok(())
        })?;
    }

    /// Prefixes, footers and failed side tasks in any combination.
    #[test]
    fn what_is_added_does_not_change_the_cause(
        pick in any::<prop::sample::Index>(),
        side_tasks in prop::collection::vec(select(part(texts(SIDE_TASKS), false)), 0..3),
        footer in prop::option::of(select(part(texts(FOOTERS), false))),
        add in prop::option::of(select(PREFIXES.to_vec())),
    ) {
        thread_local!(static CASES: Vec<(Case, Verdict)> = read_right());
        CASES.with(|cases| {
            let (case, before) = pick.get(cases);
            let mut t = case.termination.clone();
            for (_, text) in footer.iter().chain(&side_tasks) {
                t = followed_by(&t, text);
            }
            if let Some((_, add)) = add {
                t = prefixed(&t, add);
            }
            if words(&t).len() <= 4096 {
                let after = Classifier::default().classify(&t);
                let network = |v: &Verdict| v.cause == Cause::Network;
                prop_assert!(network(before) || !network(&after), "{} {:?}", case.id, after);
            }
            Ok(())
        })?;
    }
}
