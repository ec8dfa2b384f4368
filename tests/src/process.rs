//! The watcher as a process, and what it told on standard output.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::{Space, Usage};

/// Longest wait for one thing to be told.
const PATIENCE: Duration = Duration::from_secs(90);

/// One line told.
pub type Told = Value;

/// A running `watcher run -o json`.
pub struct Watcher {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Everything told so far.
    pub told: Vec<Told>,
}

impl Watcher {
    /// `watcher run` on a Deployment, with more arguments.
    pub fn run(space: &Space, deployment: &str, more: &[&str]) -> Self {
        let mut args = vec!["run", "--deployment", deployment];
        args.extend(more);
        Self::start(space, &args)
    }

    /// `watcher ARGS -n SPACE -o json`.
    pub fn start(space: &Space, args: &[&str]) -> Self {
        Self::start_as(space, args, "json")
    }

    /// `watcher ARGS -n SPACE -o jsonl`, for what answers with a list.
    pub fn start_lines(space: &Space, args: &[&str]) -> Self {
        Self::start_as(space, args, "jsonl")
    }

    fn start_as(space: &Space, args: &[&str], output: &str) -> Self {
        let mut command = Command::new(program());
        command
            .args(args)
            .args(["-n", &space.name, "-o", output])
            .env("KUBECONFIG", &space.cluster.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("watcher starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines, told: Vec::new() }
    }

    /// The next line, or `None` at the end of the output.
    async fn next(&mut self) -> Option<Told> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("nothing told in time; before: {:#?}", self.told));
        let told: Told = serde_json::from_str(&line.expect("readable output")?).expect("a JSON object");
        self.told.push(told.clone());
        Some(told)
    }

    /// Waits until `event` is told.
    ///
    /// # Panics
    /// When the watcher ends before.
    pub async fn until(&mut self, event: &str) -> Told {
        loop {
            match self.next().await {
                Some(told) if told["event"] == event => return told,
                Some(_) => {}
                None => {
                    let errors = self.errors().await;
                    panic!("ended without `{event}`: {:#?}\n{errors}", self.told);
                }
            }
        }
    }

    /// Waits until `event` is told of a breaker of this test's namespace.
    pub async fn until_of(&mut self, breaker: &str, event: &str) -> Told {
        loop {
            let told = self.until(event).await;
            if told["breaker"].as_str().is_some_and(|of| of.ends_with(&format!("/{breaker}"))) {
                return told;
            }
        }
    }

    /// Waits until so many restarts have been told; answers with the last one.
    pub async fn restarts(&mut self, n: u64) -> Told {
        let mut seen = 0;
        loop {
            let told = self.until("restart").await;
            seen += told["times"].as_u64().unwrap_or(1);
            if seen >= n {
                return told;
            }
        }
    }

    /// Reads what is told in the given time.
    pub async fn for_a_while(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while let Ok(Ok(Some(line))) = tokio::time::timeout_at(end, self.lines.next_line()).await {
            self.told.push(serde_json::from_str(&line).expect("a JSON object"));
        }
    }

    /// Whether `event` was told.
    pub fn has_told(&self, event: &str) -> bool {
        self.told.iter().any(|told| told["event"] == event)
    }

    /// Waits for its end; answers with exit code and standard error.
    pub async fn end(&mut self) -> (i32, String) {
        while self.next().await.is_some() {}
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").expect("a status");
        (status.code().unwrap_or(-1), self.errors().await)
    }

    /// SIGTERM, as when a pod is stopped.
    pub fn stop(&self) {
        let pid = self.child.id().expect("it runs").to_string();
        let status = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -TERM {pid}");
    }

    /// SIGKILL, as when the machine takes it away.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Peak resident memory so far, in KiB.
    pub fn peak_memory(&self) -> Option<u64> {
        Some(Usage::of(self.child.id()?)?.peak)
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

/// The watcher under test: `WATCHER_BIN`, else the one beside this test's own build.
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
