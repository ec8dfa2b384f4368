//! A cluster that cannot be had is told at once: exit code 2 for what the kubeconfig lacks, 5 when
//! nobody answers.

mod binary;
mod stub;

use std::time::{Duration, Instant};

use binary::{refused, watcher};
use stub::kubeconfig;

#[test]
fn without_a_kubeconfig_it_says_where_one_was_looked_for() {
    for command in ["run", "trip", "reset", "status"] {
        let stderr = refused(command, &watcher(&[command, "--deployment", "swype-app"]), 2);
        assert!(stderr.contains("kubeconfig"), "{command}: {stderr}");
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    for (content, fix) in [
        ("clusters: [", "config"),
        ("not a kubeconfig", "config"),
        ("{apiVersion: v1, kind: Config}", "config"),
    ] {
        std::fs::write(&path, content).unwrap();
        let args = ["status", "--deployment", "a", "--kubeconfig", path.to_str().unwrap()];
        let stderr = refused(content, &watcher(&args), 2);
        assert!(stderr.contains(fix), "{content}: {stderr}");
    }
    kubeconfig(&path, "https://127.0.0.1:1");
    let args = ["status", "--deployment", "a", "--context", "prod", "--kubeconfig", path.to_str().unwrap()];
    let stderr = refused("no such context", &watcher(&args), 2);
    assert!(stderr.contains("prod"), "{stderr}");
}

#[test]
fn a_controller_on_a_cluster_without_the_definition_says_how_to_install_it() {
    let stub = stub::Stub::new(stub::StubBehavior::default());
    let kubeconfig = stub.kubeconfig();
    let args = ["controller", "-n", "sre", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let stderr = refused("no definition", &watcher(&args), 3);
    assert!(stderr.contains("watcher crd | kubectl apply --server-side -f -"), "{stderr}");
}

#[test]
fn on_a_cluster_without_the_definition_a_breaker_by_name_says_how_to_install_it_or_do_without() {
    let stub = stub::Stub::new(stub::StubBehavior::default());
    let kubeconfig = stub.kubeconfig();
    let kubeconfig = kubeconfig.to_str().unwrap();
    for args in
        [&["status"][..], &["status", "-A"], &["status", "swype"], &["trip", "swype"], &["reset", "swype"]]
    {
        let stderr = refused(args[0], &watcher(&[args, &["--kubeconfig", kubeconfig]].concat()), 3);
        for words in [
            "watcher crd | kubectl apply",
            "with --deployment or --target",
            "the kind CircuitBreaker does not exist",
        ] {
            assert!(stderr.contains(words), "{args:?}: {stderr}");
        }
    }
    // There a name can only be a pod's.
    let stderr = refused("explain", &watcher(&["explain", "swype", "--kubeconfig", kubeconfig]), 3);
    assert!(stderr.contains("there is no CircuitBreaker of that name either"), "{stderr}");
    assert!(stderr.contains("pod sre/swype does not exist"), "{stderr}");
}

#[test]
fn its_log_is_json_on_request_and_its_level_comes_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    kubeconfig(&path, "https://127.0.0.1:1");
    let log = |format: &str, level: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_watcher"));
        command.args(["controller", "-n", "sre", "--log-format", format, "--kubeconfig"]).arg(&path);
        let output = command.env_clear().env("RUST_LOG", level).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        // The last word is for people: why it ended.
        stderr.lines().filter(|line| !line.starts_with("error: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = log("json", "debug");
    assert!(!lines.is_empty());
    for line in lines {
        let object: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(object["timestamp"].is_string() && object["level"].is_string(), "{line}");
    }
    assert!(log("text", "debug").iter().any(|line| line.contains("DEBUG")));
    assert_eq!(log("json", "off"), Vec::<String>::new());
}

#[test]
fn an_unreachable_api_server_is_reported_within_ten_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    // One that refuses, and one that takes the connection and never says a word.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (case, port, commands) in [
        ("refuses", closed.port(), &["run", "trip", "reset", "status"][..]),
        ("is silent", silent.local_addr().unwrap().port(), &["run"]),
    ] {
        kubeconfig(&path, &format!("https://127.0.0.1:{port}"));
        for command in commands {
            let began = Instant::now();
            let args = [command, "--deployment", "swype-app", "--kubeconfig", path.to_str().unwrap()];
            let stderr = refused(case, &watcher(&args), 5);
            assert!(began.elapsed() < Duration::from_secs(10), "{case}: {:?}", began.elapsed());
            assert!(stderr.contains("API server"), "{case}: {stderr}");
        }
    }
}
