//! [`NewerBreakers`]: CircuitBreakers that a read has shown before the watch did.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::partial_breaker::PartialBreaker;

/// CircuitBreakers that were read, and that ask for something else than the watch has shown.
#[derive(Default)]
pub(crate) struct NewerBreakers {
    queue: Mutex<VecDeque<PartialBreaker>>,
    arrived: Notify,
}

impl NewerBreakers {
    pub(crate) fn push(&self, breaker: PartialBreaker) {
        self.queue.lock().push_back(breaker);
        self.arrived.notify_one();
    }

    /// The next one, once there is one.
    pub(crate) async fn next(&self) -> PartialBreaker {
        loop {
            if let Some(breaker) = self.queue.lock().pop_front() {
                return breaker;
            }
            self.arrived.notified().await;
        }
    }
}
