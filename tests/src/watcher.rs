//! The watcher as a process, and the events that it emits on standard output.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::{TestNamespace, Usage};

/// How long to wait for one event, or for the process to exit.
const WAIT_TIMEOUT: Duration = Duration::from_secs(90);

/// One line of the output.
pub type EmittedEvent = Value;

/// A running `watcher run -o json`.
pub struct Watcher {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// All events so far.
    pub events: Vec<EmittedEvent>,
}

impl Watcher {
    /// Starts `watcher run` on a Deployment, with more arguments.
    pub fn run(ns: &TestNamespace, deployment: &str, more: &[&str]) -> Self {
        let mut args = vec!["run", "--deployment", deployment];
        args.extend(more);
        Self::start(ns, &args)
    }

    /// Starts `watcher ARGS -n NAMESPACE -o json`.
    pub fn start(ns: &TestNamespace, args: &[&str]) -> Self {
        Self::start_as(ns, args, "json")
    }

    /// Starts `watcher ARGS -n NAMESPACE -o jsonl`, for a command that prints a list.
    pub fn start_lines(ns: &TestNamespace, args: &[&str]) -> Self {
        Self::start_as(ns, args, "jsonl")
    }

    fn start_as(ns: &TestNamespace, args: &[&str], output: &str) -> Self {
        let mut command = Command::new(program());
        command
            .args(args)
            .args(["-n", &ns.name, "-o", output])
            .env("KUBECONFIG", &ns.cluster.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("watcher starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines, events: Vec::new() }
    }

    /// The next line, or `None` at the end of the output.
    async fn next(&mut self) -> Option<EmittedEvent> {
        let line = timeout(WAIT_TIMEOUT, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no event in time; before: {:#?}", self.events));
        let emitted: EmittedEvent =
            serde_json::from_str(&line.expect("readable output")?).expect("a JSON object");
        self.events.push(emitted.clone());
        Some(emitted)
    }

    /// Waits for an event of this name and returns it.
    ///
    /// # Panics
    /// When the watcher exits first.
    pub async fn wait_for(&mut self, event: &str) -> EmittedEvent {
        loop {
            match self.next().await {
                Some(emitted) if emitted["event"] == event => return emitted,
                Some(_) => {}
                None => {
                    let errors = self.errors().await;
                    panic!("ended without `{event}`: {:#?}\n{errors}", self.events);
                }
            }
        }
    }

    /// Waits for an event of this name about the named breaker.
    pub async fn wait_for_breaker(&mut self, breaker: &str, event: &str) -> EmittedEvent {
        loop {
            let emitted = self.wait_for(event).await;
            if emitted["breaker"].as_str().is_some_and(|of| of.ends_with(&format!("/{breaker}"))) {
                return emitted;
            }
        }
    }

    /// Waits until `n` restarts have been emitted and returns the last event.
    pub async fn wait_for_restarts(&mut self, n: u64) -> EmittedEvent {
        let mut seen = 0;
        loop {
            let emitted = self.wait_for("restart").await;
            seen += emitted["times"].as_u64().unwrap_or(1);
            if seen >= n {
                return emitted;
            }
        }
    }

    /// Reads the events of the given time.
    pub async fn read_for(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Ok(Some(line))) = tokio::time::timeout_at(end, self.lines.next_line()).await {
            self.events.push(serde_json::from_str(&line).expect("a JSON object"));
        }
    }

    /// Whether an event of this name was emitted.
    pub fn has_emitted(&self, event: &str) -> bool {
        self.events.iter().any(|emitted| emitted["event"] == event)
    }

    /// Waits until the process exits; returns the exit code and standard error.
    pub async fn wait_for_exit(&mut self) -> (i32, String) {
        while self.next().await.is_some() {}
        let status = timeout(WAIT_TIMEOUT, self.child.wait()).await.expect("it ends").expect("a status");
        (status.code().unwrap_or(-1), self.errors().await)
    }

    /// Sends SIGTERM, as when a pod is stopped.
    pub fn stop(&self) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -TERM {pid}");
    }

    /// Sends SIGKILL, as when the node fails.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Peak resident memory so far, in KiB.
    pub fn peak_memory(&self) -> Option<u64> {
        Some(Usage::read(self.child.id()?)?.peak)
    }

    async fn errors(&mut self) -> String {
        use tokio::io::AsyncReadExt;
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _read = stderr.read_to_string(&mut text).await;
        }
        text
    }
}

impl Watcher {
    /// Path of the watcher under test.
    pub fn program() -> PathBuf {
        program()
    }
}

/// The watcher under test: `WATCHER_BIN`, or else the one built with this test.
fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("WATCHER_BIN") {
        return path.into();
    }
    let mut path = std::env::current_exe().expect("this test has a path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("watcher")
}
