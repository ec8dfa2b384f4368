//! `triage` with its real peers: Alertmanager and Prometheus send the input, and a browser opens
//! the HTML page. And the notifications of `watcher`, which Alertmanager takes.
//!
//! Each test starts the peers it needs on free loopback ports and stops them. `tests/peers/run`
//! installs them.
#![allow(missing_docs)]

mod alertmanager;
mod chromium;
mod http;
mod program;
mod prometheus;
mod triage;

mod configurations;
mod html_page;
mod monitoring;
mod notifications;
mod push;
mod screenshots;
mod suppressed;
mod webhook;

use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for one event; most take a second or two.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls `ask` until it returns a value.
///
/// # Panics
/// When it has returned none within [`WAIT_TIMEOUT`].
fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + WAIT_TIMEOUT;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "not within {WAIT_TIMEOUT:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
