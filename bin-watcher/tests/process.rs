//! The process as a whole: exit codes, signals, its streams.

mod binary;
mod stub;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use binary::{refused, text, watcher};
use stub::{Stub, StubBehavior};

fn ask(stub: &Stub, command: &str, more: &[&str]) -> std::process::Output {
    let config = stub.kubeconfig();
    let mut args = vec![command, "--deployment", "swype-app", "--kubeconfig", config.to_str().unwrap()];
    args.extend(more);
    watcher(&args)
}

fn start(stub: &Stub, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args(["run", "--deployment", "swype-app", "--kubeconfig"])
        .arg(stub.kubeconfig())
        .args(more)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn each_way_to_fail_has_its_exit_code() {
    for command in ["run", "trip", "reset", "status"] {
        let nobody = Stub::new(StubBehavior { no_target: true, ..StubBehavior::default() });
        let stderr = refused(command, &ask(&nobody, command, &[]), 3);
        assert!(stderr.contains("swype-app"), "{command}: {stderr}");

        let strict = Stub::new(StubBehavior { forbid: vec!["/scale"], ..StubBehavior::default() });
        let stderr = refused(command, &ask(&strict, command, &[]), 4);
        let rule =
            "missing rule: - {apiGroups: [\"apps\"], resources: [\"deployments/scale\"], verbs: [\"get\"]}";
        assert!(stderr.contains(rule), "{command}: {stderr}");

        let vague = Stub::new(StubBehavior { no_selector: true, ..StubBehavior::default() });
        let stderr = refused(command, &ask(&vague, command, &[]), 2);
        assert!(stderr.contains("no selector"), "{command}: {stderr}");
    }
}

#[test]
fn status_asks_and_never_writes() {
    let stub = Stub::new(StubBehavior::default());
    let output = ask(&stub, "status", &["-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&status["phase"], &status["replicas"]), (&"Closed".into(), &2.into()), "{status}");
    assert_eq!(status["target"], "sre/deployment/swype-app");
    assert!(stub.requests().iter().all(|asked| asked.starts_with("GET ")), "{:?}", stub.requests());
}

#[test]
fn status_names_what_it_may_not_read() {
    let stub = Stub::new(StubBehavior { forbid: vec!["/configmaps"], ..StubBehavior::default() });
    let output = ask(&stub, "status", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("resources: [\"configmaps\"]"), "{}", text(&output.stdout));
}

#[test]
fn a_signal_ends_the_watch_in_an_orderly_way() {
    for (signal, code, name) in [("-INT", 130, "SIGINT"), ("-TERM", 143, "SIGTERM")] {
        let stub = Stub::new(StubBehavior::default());
        let mut child = start(&stub, &["-o", "json"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let watching: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        assert_eq!(watching["event"], "watching");
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let stopped: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
        assert_eq!((&stopped["event"], &stopped["signal"]), (&"stopped".into(), &name.into()));
    }
}

/// The CPU time of a process so far.
fn cpu_time(child: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // `utime` and `stime`, in hundredths of a second on Linux.
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(10 * ticks)
}

/// The receiver of the notification accepts connections and never answers. The command waits for
/// it first to be settled, then together with the pods.
#[test]
fn a_trip_that_waits_says_for_what_takes_no_cpu_time_and_ends_at_once_on_a_signal() {
    for (signal, code, name, wait) in [("-INT", 130, "SIGINT", 0..5), ("-TERM", 143, "SIGTERM", 5..120)] {
        let stub = Stub::new(StubBehavior::default());
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        let mut child = Command::new(env!("CARGO_BIN_EXE_watcher"))
            .args(["trip", "--deployment", "swype-app", "-o", "json", "--notify", &url, "--kubeconfig"])
            .arg(stub.kubeconfig())
            .env_clear()
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
        let waits = |line: &serde_json::Value| {
            line["event"] == "waiting"
                && line["secondsLeft"].as_u64().is_some_and(|left| wait.contains(&left))
        };
        let line = lines.find(waits).expect("it says what it waits for");
        assert_eq!(line["what"], "1 notification to be acknowledged");
        let before = cpu_time(&child);
        std::thread::sleep(Duration::from_secs(1));
        let used = cpu_time(&child) - before;
        assert!(used < Duration::from_millis(200), "{used:?} of 1 s");
        let sent = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(sent.elapsed() < Duration::from_millis(500), "{:?}", sent.elapsed());
        let stopped = lines.last().expect("it says that it was stopped");
        assert_eq!((&stopped["event"], &stopped["signal"]), (&"stopped".into(), &name.into()));
        assert_eq!(stopped["phase"], "Open");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_watch() {
    let stub = Stub::new(StubBehavior::default());
    let mut child = start(&stub, &["--heartbeat", "1s"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("watching sre/deployment/swype-app"));
    drop(lines);
    let until = Instant::now() + Duration::from_millis(2500);
    while Instant::now() < until {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
