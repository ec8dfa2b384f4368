//! [`Clock`] on the world: the clocks of the watcher.

use std::task::Poll;

use async_trait::async_trait;
use futures::future::poll_fn;
use jiff::{SignedDuration, Timestamp};

use super::Sim;
use crate::Clock;

#[async_trait]
impl Clock for Sim {
    fn now(&self) -> Timestamp {
        self.world().watcher_time()
    }

    fn elapsed(&self) -> SignedDuration {
        self.world().now().duration_since(Timestamp::UNIX_EPOCH)
    }

    async fn sleep_until(&self, until: Timestamp) {
        self.sleep_for(until.duration_since(Clock::now(self))).await;
    }
}

impl Sim {
    /// Lets this time pass; what is scripted happens.
    pub fn sleep(&self, time: SignedDuration) {
        self.run(self.sleep_for(time));
    }

    /// Returns after this time. Setting the wall clock meanwhile does not change the wait.
    pub async fn sleep_for(&self, time: SignedDuration) {
        let until = self.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        poll_fn(|context| {
            let mut world = self.world();
            if world.now() >= until {
                return Poll::Ready(());
            }
            world.sleep(until, context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
