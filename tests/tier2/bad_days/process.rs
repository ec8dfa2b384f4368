//! [`KeptProcess`]: a watcher that is started again whenever it ends, and killed now and then.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bigredbutton_tests::{TestNamespace, Watcher};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

/// Time before a process that has ended is started again.
const RESTART_DELAY: Duration = Duration::from_millis(500);

/// How a watcher is started.
#[derive(Debug, Clone)]
pub(crate) struct CommandLine {
    args: Vec<String>,
    kubeconfig: PathBuf,
    log: PathBuf,
}

impl CommandLine {
    /// `watcher ARGS -n NAMESPACE -o json`; the output is appended to `log`.
    pub(crate) fn new(ns: &TestNamespace, kubeconfig: &Path, log: &Path, args: Vec<String>) -> Self {
        let args = args.into_iter().chain(["-n".into(), ns.name.clone(), "-o".into(), "json".into()]);
        Self { args: args.collect(), kubeconfig: kubeconfig.into(), log: log.into() }
    }

    fn spawn(&self) -> Child {
        let log = |path: &Path| -> File {
            OpenOptions::new().create(true).append(true).open(path).expect("a log file")
        };
        Command::new(Watcher::program())
            .args(&self.args)
            .env("KUBECONFIG", &self.kubeconfig)
            .stdin(Stdio::null())
            .stdout(log(&self.log))
            .stderr(log(&self.log))
            .kill_on_drop(true)
            .spawn()
            .expect("watcher starts")
    }

    /// Runs it once, to its end or for at most `time`; then it gets SIGKILL. Returns whether it
    /// succeeded.
    pub(crate) async fn succeeds_within(&self, time: Duration) -> bool {
        let mut child = self.spawn();
        tokio::select! {
            status = child.wait() => status.is_ok_and(|status| status.success()),
            () = sleep(time) => {
                child.kill().await.expect("killed");
                false
            }
        }
    }
}

/// A watcher that runs until it succeeds.
pub(crate) struct KeptProcess {
    task: JoinHandle<()>,
    kills: Arc<AtomicU32>,
}

impl KeptProcess {
    /// Starts it. It gets SIGKILL at each of the times `kills` after this start.
    pub(crate) fn start(command: CommandLine, mut kills: Vec<Duration>) -> Self {
        kills.sort();
        let count = Arc::new(AtomicU32::new(0));
        let task = tokio::spawn(keep(command, kills, Arc::clone(&count)));
        Self { task, kills: count }
    }

    /// The number of SIGKILLs so far.
    pub(crate) fn kills(&self) -> u32 {
        self.kills.load(Ordering::Relaxed)
    }

    /// Ends it by SIGKILL.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let _cancelled = self.task.await;
    }
}

async fn keep(command: CommandLine, kills: Vec<Duration>, count: Arc<AtomicU32>) {
    let started = Instant::now();
    let mut kills = kills.into_iter().map(|after| started + after).peekable();
    loop {
        let mut child = command.spawn();
        let kill = kills.peek().copied().unwrap_or_else(|| started + Duration::from_secs(3600));
        tokio::select! {
            status = child.wait() => {
                if status.is_ok_and(|status| status.success()) {
                    return;
                }
            }
            () = sleep_until(kill) => {
                kills.next();
                child.kill().await.expect("killed");
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        sleep(RESTART_DELAY).await;
    }
}
