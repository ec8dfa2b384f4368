//! What is typed wrongly gets one clear error that tells the fix, and exit code 2.

mod binary;

use binary::{refused, text, watcher};

#[test]
fn a_usage_error_names_its_fix() {
    let run = ["run", "-n", "sre", "--deployment", "swype-app"];
    for (flags, fix) in [
        (&["--causes", "gremlins"][..], "unknown cause `gremlins`; write any, or some of network"),
        (&["--causes", ""], "write any, or some of network"),
        (
            &["--peers", "http://swype"],
            "`http://swype` is not the name of a peer; write any, or hosts with * and ?",
        ),
        (
            &["--window", "soon"],
            "`soon` is not a window; write a span longer than zero such as 90s, 10m or 1h",
        ),
        (&["--window", "-5m"], "`-5m` is not a window"),
        (&["--window", "0s"], "longer than zero"),
        (&["--max-restarts", "-1"], "0 or more"),
        (&["--max-restarts", "three"], "a whole number that is 0 or more"),
        (&["--max-restarts", "99999999999999"], "at most 1000000"),
        (&["--min-failing-pods", "0%"], "from 1% to 100%"),
        (&["--min-failing-pods", "-1"], "a number of pods from 1 on"),
        (&["--unobserved", "guess"], "possible values: inherit, ignore"),
        (&["--heartbeat", "often"], "from 1s to 24h such as 30s or 5m, or none"),
        (&["--heartbeat", "0s"], "from 1s to 24h"),
        (&["--heartbeat", "-1s"], "from 1s to 24h"),
        (&["--heartbeat", "999999999999h"], "from 1s to 24h"),
        (&["--rules", "/nonexistent/rules.yaml"], "/nonexistent/rules.yaml cannot be read"),
        (
            &["--kubeconfig", "/nonexistent/config"],
            "kubeconfig /nonexistent/config cannot be used; check its path and KUBECONFIG",
        ),
        (&["--before-trip", "ftp://rollback/x"], "write an http or https URL such as https://"),
        (&["--before-trip", "rollback"], "write an http or https URL such as https://"),
        (
            &["--notify", "https://me:pw@pager.example.org"],
            "user information is not allowed in the URL; sign requests with --hook-secret-file",
        ),
        (&["--hook-timeout", "5s"], "--before-trip <URL>"),
        (&["--hook-failure", "hold"], "--before-trip <URL>"),
        (&["--before-trip", "http://r", "--hook-timeout", "0s"], "from 1s to 30s"),
        (&["--before-trip", "http://r", "--hook-failure", "retry"], "possible values: proceed, hold"),
        (&["--hook-secret-file", "/nonexistent"], "nothing to sign; add --before-trip or --notify"),
        (
            &["--notify", "http://r", "--hook-secret-file", "/nonexistent/secret"],
            "/nonexistent/secret cannot be read: No such file or directory (os error 2); check the path given to --hook-secret-file",
        ),
        (&["-o", "yaml"], "possible values: text, json"),
        (&["--target", "deployment/other"], "cannot be used with"),
    ] {
        let args: Vec<_> = run.iter().chain(flags).copied().collect();
        let stderr = refused(&args.join(" "), &watcher(&args), 2);
        assert!(stderr.contains(fix), "{flags:?}: {stderr}");
    }
}

#[test]
fn a_target_is_exactly_one_workload_by_name() {
    for command in ["run", "trip", "reset"] {
        let stderr = refused(command, &watcher(&[command]), 2);
        assert!(stderr.contains("--deployment <NAME>|--target <KIND/NAME>"), "{command}: {stderr}");
    }
    for command in ["run", "trip", "reset", "status"] {
        for (flags, fix) in [
            (&["--deployment", "a", "--target", "sts/b"][..], "cannot be used with"),
            (&["--deployment", "a", "--deployment", "b"], "cannot be used multiple times"),
            (&["--deployment", "deployment/a"], "or use --target KIND/NAME"),
            (&["--deployment", ""], "write for example deployment/swype-app"),
            (&["--deployment", "../secrets"], "--target KIND/NAME"),
            (&["--deployment", "Swype"], "lower-case letters, digits, `-` and `.`"),
            (&["--target", "ledger"], "`ledger` is not KIND/NAME"),
            (&["--target", "sts/"], "is not KIND/NAME"),
            (&["--deployment", "a", "-n", "s/r/e"], "lower-case letters"),
        ] {
            let args: Vec<_> = [command].iter().chain(flags).copied().collect();
            let stderr = refused(&args.join(" "), &watcher(&args), 2);
            assert!(stderr.contains(fix), "{args:?}: {stderr}");
        }
    }
}

#[test]
fn a_breaker_has_its_own_target_policy_and_hooks() {
    for (args, fix) in [
        (&["trip", "swype", "--deployment", "a"][..], "cannot be used with"),
        (&["status", "-A", "swype"], "cannot be used with"),
        (&["status", "-A", "-n", "sre"], "cannot be used with"),
        (&["trip", "Swype"], "lower-case letters"),
        (
            &["trip", "swype", "--notify", "http://pager"],
            "--notify cannot be used with a CircuitBreaker; set spec.hooks",
        ),
        (
            &["trip", "swype", "--before-trip", "http://r"],
            "--before-trip cannot be used with a CircuitBreaker",
        ),
        (&["reset", "swype", "--notify", "http://pager"], "--notify cannot be used with a CircuitBreaker"),
        (&["controller", "--bind-address", "9090"], "invalid socket address"),
        (&["controller", "--leader-election-id", "a/b"], "lower-case letters"),
        (&["controller", "--log-format", "xml"], "possible values: text, json"),
        (&["completions", "tcsh"], "possible values: bash, elvish, fish, powershell, zsh"),
    ] {
        let stderr = refused(&args.join(" "), &watcher(args), 2);
        assert!(stderr.contains(fix), "{args:?}: {stderr}");
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = watcher(&["run", "--help"]);
    assert_eq!(help.status.code(), Some(0));
    insta::assert_snapshot!(text(&help.stdout));
    let version = text(&watcher(&["--version"]).stdout);
    assert_eq!(version, format!("watcher {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_a_command_it_lists_the_commands() {
    let output = watcher(&[]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    for command in ["run", "trip", "reset", "status", "Exit codes:"] {
        assert!(stderr.contains(command), "{stderr}");
    }
}

#[test]
fn the_demo_rolls_back_what_waits_before_the_pods_go() {
    let output = watcher(&["demo"]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    let place = |words: &str| stdout.find(words).unwrap_or_else(|| panic!("no `{words}` in {stdout}"));
    assert!(
        place("tripping: scaling 1 replica to 0") < place("still is there, rolls back payments 4711, 4712")
    );
    assert!(place("rolls back payments") < place("answered: proceed"));
    assert!(place("answered: proceed") < place("scaled to 0 (was 1)"));
    let json = watcher(&["demo", "-o", "json"]);
    assert_eq!(text(&json.stdout).matches("\"event\":\"hook\"").count(), 1);
    // The tests of `triage` read this output.
    let read_by_triage = include_str!("../../bin-triage/tests/fixtures/watcher-demo.jsonl");
    assert_eq!(text(&json.stdout), read_by_triage);
}
