//! The programs and their real peers: what Alertmanager and Prometheus really send, and what a browser really makes of the page.
//!
//! Nothing here is played. Each test starts the peers it needs on free ports of the loopback interface and ends them;
//! `tests/peers/run` installs them.
#![allow(missing_docs)]

mod alertmanager;
mod chromium;
mod http;
mod program;
mod prometheus;
mod triage;

mod delivered;
mod documented;
mod held_back;
mod monitoring;
mod page;
mod pushed;

use std::thread;
use std::time::{Duration, Instant};

/// Longest wait for one thing to happen; most take a second or two.
const PATIENCE: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within [`PATIENCE`].
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
