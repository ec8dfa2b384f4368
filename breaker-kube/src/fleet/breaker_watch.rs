//! [`BreakerWatch`]: the watch of the CircuitBreakers of a scope, and whether it works.

use std::sync::Arc;

use futures::stream::{BoxStream, StreamExt};
use jiff::SignedDuration;
use kube::runtime::watcher::Event;
use parking_lot::Mutex;

use super::partial_breaker::PartialBreaker;
use crate::client::KubeClient;
use crate::watch_health::WatchHealth;
use crate::watch_stream::{WatchStreamEvent, watch_objects};

/// The watch of all CircuitBreakers of a scope.
pub(super) struct BreakerWatch {
    kube: KubeClient,
    namespace: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The last sign of life, by the monotonic clock; `None` before the first list.
    alive_at: Option<SignedDuration>,
    error: Option<String>,
}

/// An event of the watch.
pub(super) enum BreakerWatchEvent {
    /// CircuitBreakers were listed or have changed.
    Breakers(Box<Event<PartialBreaker>>),
    /// The watch has failed, or works again: a sentence for people.
    Report(String),
}

impl BreakerWatch {
    pub(super) fn new(kube: KubeClient, namespace: Option<String>) -> Self {
        Self { kube, namespace, state: Arc::default() }
    }

    pub(super) fn health(&self) -> WatchHealth {
        let state = self.state.lock();
        let now = self.kube.clock.elapsed();
        WatchHealth { silent_for: state.alive_at.map(|at| now - at), error: state.error.clone() }
    }

    /// Starts the watch. The stream does not end.
    pub(super) fn run(&self) -> BoxStream<'static, BreakerWatchEvent> {
        *self.state.lock() = State::default();
        let (state, clock) = (Arc::clone(&self.state), Arc::clone(&self.kube.clock));
        let events = watch_objects::<PartialBreaker>(&self.kube, self.namespace.as_deref(), None);
        let reported = events.flat_map(move |event| {
            let report = state.lock().follow(&event, clock.elapsed()).map(BreakerWatchEvent::Report);
            let breakers = match event {
                WatchStreamEvent::Objects(event) => Some(BreakerWatchEvent::Breakers(event)),
                WatchStreamEvent::Accepted | WatchStreamEvent::Failed(_) => None,
            };
            futures::stream::iter(report.into_iter().chain(breakers))
        });
        reported.boxed()
    }
}

impl State {
    /// Takes in an event. Returns a sentence when the watch has failed, and when it works again.
    fn follow(&mut self, event: &WatchStreamEvent<PartialBreaker>, now: SignedDuration) -> Option<String> {
        match event {
            WatchStreamEvent::Failed(why) => {
                let was_up = self.error.replace(why.clone()).is_none();
                was_up.then(|| format!("the watch of CircuitBreakers is down: {why}"))
            }
            // A list that has started may still fail.
            WatchStreamEvent::Objects(event) if matches!(**event, Event::Init | Event::InitApply(_)) => None,
            WatchStreamEvent::Objects(_) | WatchStreamEvent::Accepted => {
                self.alive_at = Some(now);
                let was_down = self.error.take().is_some();
                was_down.then(|| "the watch of CircuitBreakers works again".to_owned())
            }
        }
    }
}
