//! The processes that are measured, and the one that makes the load. Each ends with the benchmark.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bigredbutton_tests::{Cluster, Usage, Watcher};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

/// A process whose lines are read, so that it never waits for a reader.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Lines that were counted so far, and the last line.
    output: watch::Receiver<(usize, String)>,
}

impl Process {
    /// `watcher controller` for all namespaces.
    pub(crate) fn controller(cluster: &Cluster, lease: &str) -> Self {
        let (namespace, lease) = lease.split_once('/').expect("NAMESPACE/NAME");
        let args = [
            "controller",
            "--leader-election-namespace",
            namespace,
            "--leader-election-id",
            lease,
            "-o",
            "json",
        ];
        Self::start(cluster, Watcher::program(), &args, r#""event":"watching""#)
    }

    /// This program in another of its roles.
    pub(crate) fn role(cluster: &Cluster, args: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        Self::start(cluster, program, args, "")
    }

    fn start(cluster: &Cluster, program: PathBuf, args: &[&str], counted: &'static str) -> Self {
        let mut child = Command::new(&program)
            .args(args)
            .env("KUBECONFIG", &cluster.kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (sender, output) = watch::channel((0, String::new()));
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let counts = usize::from(line.contains(counted));
                sender.send_modify(|output| *output = (output.0 + counts, line));
            }
        });
        Self { child, stdin, output }
    }

    /// Waits for so many lines of those that are counted.
    pub(crate) async fn wait_for_lines(&mut self, lines: usize) {
        let enough = self.output.wait_for(|output| output.0 >= lines);
        let waited = tokio::time::timeout(Duration::from_secs(180), enough).await;
        waited.expect("written within three minutes").expect("the process goes on");
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> Usage {
        self.child.id().and_then(Usage::read).expect("the process runs")
    }

    /// SIGTERM, and its end.
    pub(crate) async fn stop(mut self) {
        let pid = self.child.id().expect("the process runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "kill -TERM {pid}");
        self.ended().await;
    }

    /// Closes its standard input; answers with the last line it writes.
    pub(crate) async fn finish(mut self) -> String {
        drop(self.stdin.take());
        self.ended().await;
        while self.output.changed().await.is_ok() {}
        self.output.borrow().1.clone()
    }

    async fn ended(&mut self) {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("it ends within 30 s").expect("a status");
    }
}
