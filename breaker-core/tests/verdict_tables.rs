//! Tables of last words: what comes after the end, the own listener, and who the peer is.

use breaker_core::pod::Terminated;
use breaker_core::{Cause, Classifier, Termination};

fn verdict(text: &str) -> breaker_core::Verdict {
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Classifier::default().classify(&Termination::new(terminated, text))
}

/// Failures of side tasks that no table names: the kind of task is in the words.
const SIDE_TASKS: [&str; 8] = [
    "ERROR ledgerwatch: sending 12 usage records failed: dial tcp 10.43.7.21:80: connect: connection refused",
    "[feedbox] could not upload the logs: getaddrinfo ENOTFOUND in.feedbox.example",
    "ERROR leasekeeper: lock settle-close not released: read tcp 10.0.0.9:4120->10.0.0.7:443: connection reset by peer",
    "WARN pinging the heartbeat monitor failed: i/o timeout: dial tcp 10.43.7.21:80",
    "2026-06-03 11:20:54,310 ERROR Unable to write to Bus in appender [Bus]: dial tcp: lookup bus: no such host",
    "Error publishing metrics to http://gauge.example:9000: net/http: TLS handshake timeout",
    "cannot post the notification: Post \"https://chat.example/x\": dial tcp 10.0.0.7:443: i/o timeout",
    "failed to submit crash report: connect ECONNREFUSED 10.0.0.7:443",
];

/// Statements that end a process for another reason, or for none that they name.
const ENDS: [(&str, Cause); 5] = [
    ("panic: assignment to entry in nil map", Cause::Application),
    ("FATAL: ledger does not add up", Cause::Unknown),
    ("settle: exiting because the health is DOWN", Cause::Unknown),
    ("giving up after 5 checks", Cause::Unknown),
    ("java.lang.OutOfMemoryError: Java heap space", Cause::Oom),
];

#[test]
fn the_failure_of_a_side_task_is_no_cause() {
    for side_task in SIDE_TASKS {
        assert_ne!(verdict(side_task).cause, Cause::Network, "{side_task}");
        for (end, want) in ENDS {
            assert_eq!(verdict(&format!("{end}\n{side_task}\n")).cause, want, "{end}: {side_task}");
        }
    }
}

#[test]
fn a_failure_after_the_end_is_aftermath_whatever_tool_prints_it() {
    let after = "ERROR ledgerd: rates: dial tcp 10.43.7.21:80: connect: connection refused";
    for (end, want) in ENDS {
        assert_eq!(verdict(&format!("INFO up\n{end}\n{after}\n")).cause, want, "{end}");
    }
    // If the end itself was a failure of the network, it stays one.
    let before = "FATAL: dial tcp 10.0.0.7:5432: i/o timeout\nexiting";
    assert_eq!(verdict(&format!("{before}\n{after}\n")).cause, Cause::Network);
}

#[test]
fn an_orderly_end_does_not_hide_the_failure_before_it() {
    let failure = "ERROR ledgerd: dial tcp 10.43.7.21:80: connect: connection refused";
    let work = "INFO cache: cleared\nINFO rates: pages freed\n".repeat(4);
    let end = format!("INFO ledger is stopping\n{work}");
    assert_eq!(verdict(&format!("{failure}\n{end}\n")).label(), "network:refused");
    // Without the announcement the process worked on.
    assert_ne!(verdict(&format!("{failure}\n{work}\n")).cause, Cause::Network);
}

#[test]
fn a_crash_on_memory_is_not_explained_by_a_warning() {
    let warning = "WARN rates: dial tcp 10.43.7.21:80: connect: connection refused";
    for (code, network) in [(1, true), (139, false), (141, false), (136, false)] {
        let terminated = Terminated { exit_code: code, ..Terminated::default() };
        let got = Classifier::default().classify(&Termination::new(terminated, warning));
        assert_eq!(got.cause == Cause::Network, network, "exit code {code}: {}", got.rule);
    }
}

#[test]
fn the_own_listener_is_configuration() {
    for text in [
        "listen tcp :8080: bind: address already in use",
        "Error: listen EADDRINUSE: address already in use :::3000",
        "OSError: [Errno 98] Address already in use",
        "[Errno 98] error while attempting to bind on address ('0.0.0.0', 8080): address already in use",
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "java.net.BindException: Address already in use (Bind failed)",
        "Web server failed to start. Port 8080 was already in use.",
        "Only one usage of each socket address is normally permitted.",
        "Bind for 0.0.0.0:8080 failed: port is already allocated",
        "driver failed programming external connectivity on endpoint web: Bind for 0.0.0.0:80 failed: port is already allocated",
        "Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use",
        "thread 'main' panicked at src/main.rs:7:5: Os { code: 98, kind: AddrInUse, message: \"Address already in use\" }",
        "Error: bind EINVAL fc00:520a:25a3:60c4::4307:64512",
    ] {
        assert_eq!(verdict(text).cause, Cause::Config, "{text}: {}", verdict(text).rule);
    }
    let terminated = Terminated {
        exit_code: 128,
        reason: "ContainerCannotRun".into(),
        message: "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated".into(),
        ..Terminated::default()
    };
    let got = Classifier::default().classify(&Termination::new(terminated, ""));
    assert_eq!(got.cause, Cause::Config, "{}", got.rule);
}

/// The rule of the corpora: a name before the number of the same thing, with the port if it is
/// written; for DNS the name that was looked up.
#[test]
fn the_peer_is_named_by_one_rule() {
    for (text, want) in [
        (
            "Get \"https://gw.sre:8443/v1\": dial tcp 10.0.0.7:8443: connect: connection refused",
            "gw.sre:8443",
        ),
        (
            "Couldn't connect to graph:7687 (resolved to ('10.0.0.7:7687',)):\nConnection refused",
            "graph:7687",
        ),
        ("read tcp 10.0.0.9:4711->10.0.0.7:5432: read: connection reset by peer", "10.0.0.7:5432"),
        ("dial tcp: lookup ledger on 10.96.0.10:53: no such host", "ledger"),
        ("Head https://ledger:9200: dial tcp: lookup ledger on 10.96.0.10:53: no such host", "ledger:9200"),
        ("java.net.UnknownHostException: Failed to resolve 'ledger.svc' [A(1)]", "ledger.svc"),
        ("x509: cannot validate certificate for 10.0.0.6 because it doesn't contain any IP SANs", "10.0.0.6"),
        (
            "Error: connect ENETUNREACH 2001:db8:78::141:443\n  address: '2001:db8:78::141',\n  port: 443",
            "[2001:db8:78::141]:443",
        ),
        (
            "curl: (92) HTTP/2 stream 0 was not closed cleanly: PROTOCOL_ERROR (err 1)\nERROR: Command 'curl -L https://files.example.eu/x' returned code 92",
            "files.example.eu",
        ),
    ] {
        assert_eq!(verdict(text).peer.as_deref(), Some(want), "{text}: {}", verdict(text).label());
    }
}
