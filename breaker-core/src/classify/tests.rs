use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::{Death, NetworkKind, PodEvent};

fn said(text: &str) -> Termination {
    let death = Death { exit_code: 1, reason: "Error".into(), ..Death::default() };
    Termination { death, log_tail: text.into(), ..Termination::default() }
}

#[test]
fn each_row_decides_its_own_example() {
    let classifier = Classifier::default();
    let mut ids = HashSet::new();
    for row in classifier.rules.rows() {
        assert!(ids.insert(&row.id), "{} is there twice", row.id);
        assert_eq!(row.cause == Cause::Network, row.kind.is_some(), "{}", row.id);
        let example = row.example.as_deref().unwrap_or_else(|| panic!("{} has no example", row.id));
        let statements = statement::statements(example);
        let (_, hit) =
            classifier.decide(&statements[0]).unwrap_or_else(|| panic!("{}: nothing fits", row.id));
        assert_eq!(classifier.rules.row(hit).id, row.id, "{example}");
    }
}

#[test]
fn last_words_are_told_apart() {
    use NetworkKind::{Dns, Gateway, Refused, Reset, Timeout, Tls, Unreachable};
    let classifier = Classifier::default();
    for (words, cause, kind) in [
        (
            "curl: (7) Failed to connect to swype-gateway port 8080 after 0 ms: Couldn't connect to server",
            Cause::Network,
            Some(Refused),
        ),
        ("curl: (6) Could not resolve host: swype-gateway", Cause::Network, Some(Dns)),
        (
            "curl: (28) Failed to connect to swype-gateway port 8080 after 2000 ms: Timeout was reached",
            Cause::Network,
            Some(Timeout),
        ),
        ("wget: can't connect to remote host (10.0.0.1): Connection refused", Cause::Network, Some(Refused)),
        ("wget: bad address 'swype-gateway'", Cause::Network, Some(Dns)),
        (
            "psql: error: connection to server at \"db\" (10.0.0.2), port 5432 failed: No route to host",
            Cause::Network,
            Some(Unreachable),
        ),
        ("Could not connect to Redis at redis:6379: Connection refused", Cause::Network, Some(Refused)),
        (
            "panic: dial tcp 10.0.0.1:443: connect: connection refused\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:9 +0x1d",
            Cause::Network,
            Some(Refused),
        ),
        (
            "rpc error: code = Unavailable desc = connection error: desc = \"transport: Error while dialing: dial tcp: lookup ledger: no such host\"",
            Cause::Network,
            Some(Dns),
        ),
        (
            "Exception in thread \"main\" org.postgresql.util.PSQLException: The connection attempt failed.\nCaused by: java.net.SocketTimeoutException: Connect timed out\n\tat java.base/sun.nio.ch.X.y(X.java:1)",
            Cause::Network,
            Some(Timeout),
        ),
        (
            "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused.",
            Cause::Network,
            Some(Refused),
        ),
        ("pika.exceptions.AMQPConnectionError", Cause::Network, Some(Refused)),
        (
            "TypeError: fetch failed\n    at node:internal/deps/undici {\n  [cause]: Error: getaddrinfo EAI_AGAIN ledger\n}",
            Cause::Network,
            Some(Dns),
        ),
        (
            "Error: read ECONNRESET\n    at TCP.onStreamRead (node:internal/stream_base_commons:217:20)",
            Cause::Network,
            Some(Reset),
        ),
        (
            "System.Net.Http.HttpRequestException: Response status code does not indicate success: 503 (Service Unavailable).",
            Cause::Network,
            Some(Gateway),
        ),
        (
            "SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo for db failed",
            Cause::Network,
            Some(Dns),
        ),
        ("error: x509: certificate has expired or is not yet valid", Cause::Network, Some(Tls)),
        ("\u{1b}[31mERROR\u{1b}[0m dial tcp: connection refused\r\n", Cause::Network, Some(Refused)),
        (
            "nginx: [emerg] host not found in upstream \"api\" in /etc/nginx/nginx.conf:3",
            Cause::Network,
            Some(Dns),
        ),
        (
            "WARN connection refused, retrying in 5s\npanic: runtime error: index out of range",
            Cause::Application,
            None,
        ),
        (
            "connection reset by peer, reconnecting\nfatal: invalid configuration: timeout must be set",
            Cause::Config,
            None,
        ),
        ("Error: listen EADDRINUSE: address already in use :::8080", Cause::Config, None),
        ("FATAL: password authentication failed for user \"app\"", Cause::Config, None),
        ("java.lang.OutOfMemoryError: Java heap space", Cause::Oom, None),
        ("config: request_timeout=30s upstream=api.example.com", Cause::Unknown, None),
        ("open /data: read-only file system", Cause::Storage, None),
        ("it is over", Cause::Unknown, None),
    ] {
        let verdict = classifier.classify(&said(words));
        assert_eq!((verdict.cause, verdict.kind), (cause, kind), "{words}\n{verdict:?}");
    }
}

#[test]
fn kubernetes_own_word_comes_first() {
    let classifier = Classifier::default();
    let refused = "dial tcp: connect: connection refused";
    for (code, reason, event, cause) in [
        (137, "OOMKilled", None, Cause::Oom),
        (0, "Completed", None, Cause::Completed),
        (137, "Error", None, Cause::Unknown),
        (143, "Error", None, Cause::Unknown),
        (
            1,
            "Error",
            Some(("Killing", "Container app failed liveness probe, will be restarted")),
            Cause::Probe,
        ),
        (1, "Error", Some(("Killing", "Stopping container app")), Cause::Network),
        (1, "Error", Some(("Unhealthy", "Readiness probe failed: connection refused")), Cause::Network),
        (137, "Error", Some(("Evicted", "The node was low on resource: memory.")), Cause::Eviction),
    ] {
        let mut termination = said(refused);
        (termination.death.exit_code, termination.death.reason) = (code, reason.into());
        if let Some((reason, message)) = event {
            let event = PodEvent { reason: reason.into(), message: message.into(), ..PodEvent::default() };
            termination.events.push(event);
        }
        assert_eq!(classifier.classify(&termination).cause, cause, "{code} {reason} {event:?}");
    }
    // Beside events alone, nothing says network.
    let mut silent = said("");
    let message = "Liveness probe failed: dial tcp: connection refused".into();
    silent.events.push(PodEvent { reason: "Unhealthy".into(), message, ..PodEvent::default() });
    assert_eq!(classifier.classify(&silent), Verdict::unknown("no-last-words"));
}

#[test]
fn users_extend_override_and_disable() {
    let quota = said("QUOTA-17 at provider");
    assert_eq!(Classifier::default().classify(&quota).cause, Cause::Unknown);
    let own = "rules:\n- {id: quota, cause: application, any: [quota-17]}\n";
    assert_eq!(Classifier::with_rules(own).unwrap().classify(&quota).rule, "quota");
    let off = Classifier::with_rules("disable: [connection-refused, cannot-connect]").unwrap();
    assert_eq!(off.classify(&said("connect: connection refused")).cause, Cause::Unknown);
}

#[test]
fn a_bad_rules_file_is_told_by_line_and_column() {
    for (yaml, line, words) in [
        ("rules:\n- {id: a, cause: gremlins, any: [x]}", "line 2", "gremlins"),
        ("rules:\n- {id: a, cause: oom, anny: [x]}", "line 2", "anny"),
        ("rules:\n- {id: a, cause: network, any: [x]}", "line 2", "kind"),
        ("rules:\n- {id: a, cause: oom, any: [x]}\n- {id: a, cause: oom, any: [y]}", "line 3", "twice"),
        ("rules:\n- {id: a, cause: oom, any: ['']}", "line 2", "empty"),
        ("rules: [\n", "line", ""),
        ("disable: [no-such-rule]", "line 1", "no-such-rule"),
    ] {
        let error = Classifier::with_rules(yaml).unwrap_err().to_string();
        assert!(error.contains(line) && error.contains(words), "{yaml}\n{error}");
    }
}

#[test]
fn the_quote_shows_the_deciding_words_of_a_long_line() {
    let line = format!("{} connect: connection refused {}", "a".repeat(900), "b".repeat(900));
    let quote = Classifier::default().classify(&said(&line)).quote;
    assert!(quote.chars().count() <= QUOTE && quote.contains("connection refused"), "{quote}");
}

proptest! {
    /// Law: no input makes it panic; a quote is at most 200 characters on one line; signals from outside
    /// and silence are never network.
    #[test]
    fn any_bytes_give_a_verdict(bytes in prop::collection::vec(any::<u8>(), 0..6000), code in prop::sample::select(vec![0, 1, 137, 143, 255])) {
        let mut termination = said(&String::from_utf8_lossy(&bytes));
        termination.death.exit_code = code;
        let verdict = Classifier::default().classify(&termination);
        prop_assert!(verdict.quote.chars().count() <= QUOTE && !verdict.quote.contains('\n'));
    }

    /// The same for text made of the words that rules are about.
    #[test]
    fn any_words_give_a_sound_verdict(
        words in prop::collection::vec(prop::sample::select(vec![
            "connection refused", "Caused by: ", "\n", "\n  at x.y(Z.java:1)", "WARN ", "panic: ", "Traceback (most recent call last):\n",
            "  File \"a.py\", line 1\n", "During handling of the above exception, another exception occurred:\n", "ECONNRESET", "exiting",
            "é", "\u{1b}[31m", "\r\n", "password=hunter2hunter2", "----", "0: ", "}", "timeout", "bind: address already in use",
        ]), 0..60),
        code in prop::sample::select(vec![1, 137, 143]),
    ) {
        let mut termination = said(&words.concat());
        termination.death.exit_code = code;
        let verdict = Classifier::default().classify(&termination);
        prop_assert!(verdict.quote.chars().count() <= QUOTE && !verdict.quote.contains('\n'));
        prop_assert!(!verdict.quote.contains("hunter2"));
        prop_assert_eq!(verdict.kind.is_some(), verdict.cause == Cause::Network);
        prop_assert!(code == 1 || verdict.cause != Cause::Network);
    }
}
