//! How this crate watches: page size, timeout and back-off of every watch.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use breaker_core::backoff::Backoff;
use breaker_core::jiff::SignedDuration;
use breaker_core::printable;
use kube::core::Status;
use kube::runtime::utils::Backoff as StreamBackoff;
use kube::runtime::watcher;

use crate::request::innermost;
use crate::text::truncate;

/// The API server ends a watch after this number of seconds, and kube opens the next one.
pub(crate) const SERVER_TIMEOUT: u32 = 60;

/// Objects in one page of a list. The JSON of a page is in memory while it is decoded.
pub(crate) const PAGE_SIZE: u32 = 100;

/// Longest sentence of an error, in bytes.
const MAX_SENTENCE_LEN: usize = 300;

/// The configuration of a watch of all objects of a scope.
pub(crate) fn config() -> watcher::Config {
    watcher::Config::default().timeout(SERVER_TIMEOUT).page_size(PAGE_SIZE)
}

/// Delay after the first failure of a watch in a row.
const MIN_BACKOFF: SignedDuration = SignedDuration::from_millis(200);

/// Longest delay between two attempts to watch. kube's default of 30 s is too long: an outage that
/// starts meanwhile would be seen late.
const MAX_BACKOFF: SignedDuration = SignedDuration::from_secs(5);

/// The delays between attempts to watch: those of [`Backoff`], each with up to [`MIN_BACKOFF`] of
/// random jitter.
#[derive(Debug, Clone)]
pub(crate) struct WatchBackoff {
    failures: u32,
    random: RandomState,
}

pub(crate) fn backoff() -> WatchBackoff {
    WatchBackoff { failures: 0, random: RandomState::new() }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let delay = Backoff::new(MIN_BACKOFF, MAX_BACKOFF).delay(self.failures);
        let jitter = self.random.hash_one(self.failures) % MIN_BACKOFF.unsigned_abs().as_millis() as u64;
        self.failures = self.failures.saturating_add(1);
        Some(delay.unsigned_abs() + Duration::from_millis(jitter))
    }
}

impl StreamBackoff for WatchBackoff {
    fn reset(&mut self) {
        self.failures = 0;
    }
}

/// What failed and why, as one sentence without a full stop.
pub(crate) fn describe(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(error) => format!("the list failed: {}", client_error(error)),
        watcher::Error::WatchStartFailed(error) => {
            format!("the watch did not start: {}", client_error(error))
        }
        watcher::Error::WatchFailed(error) => format!("the watch broke off: {}", client_error(error)),
        watcher::Error::WatchError(status) => {
            format!("the API server ended the watch: {}", answer(status))
        }
        watcher::Error::NoResourceVersion => "an answer has no metadata.resourceVersion".into(),
    }
}

fn client_error(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => answer(status),
        error => sentence(&innermost(error).to_string()),
    }
}

/// The sentence of the API server, with the code of its answer.
fn answer(status: &Status) -> String {
    match sentence(&status.message) {
        empty if empty.is_empty() => format!("HTTP status {}", status.code),
        message => format!("{message} ({})", status.code),
    }
}

/// One line of printable characters. A proxy answers with a whole page.
fn sentence(text: &str) -> String {
    truncate(printable::one_line(text).trim(), MAX_SENTENCE_LEN)
}
