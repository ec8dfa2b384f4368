//! The measured processes and the one that generates load. Each ends with the benchmark.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use bigredbutton_tests::{Cluster, Usage, Watcher};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

/// A process whose output is read, so that it never blocks on a full pipe.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    /// The number of counted lines so far, and the last line.
    output: watch::Receiver<(usize, String)>,
}

impl Process {
    /// Starts `watcher controller` for all namespaces.
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

    /// Starts this program in another role.
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

    /// Waits until `lines` counted lines have been written.
    pub(crate) async fn wait_for_lines(&mut self, lines: usize) {
        let enough = self.output.wait_for(|output| output.0 >= lines);
        let waited = tokio::time::timeout(Duration::from_secs(180), enough).await;
        waited.expect("written within three minutes").expect("the process goes on");
    }

    /// Its memory and CPU time.
    pub(crate) fn usage(&self) -> Usage {
        self.child.id().and_then(Usage::read).expect("the process runs")
    }

    /// Sends SIGTERM and waits until it exits.
    pub(crate) async fn stop(mut self) {
        let pid = self.child.id().expect("the process runs").to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(asked.is_ok_and(|status| status.success()), "kill -TERM {pid}");
        self.ended().await;
    }

    /// Closes its standard input and returns the last line of its output.
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
