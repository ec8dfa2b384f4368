//! Runs a future on scripted time: whenever it waits, time jumps to the next scheduled change.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use jiff::SignedDuration;

use super::Sim;

/// Scripted time that one run may take; a future that waits longer is stuck.
const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(48);

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Sim {
    /// Polls `future` to its end. `None` when it never ends, or when a
    /// [`Fault::Crash`](super::Fault) applied: then the future is dropped, like a killed process,
    /// and the world stays as it is.
    ///
    /// # Panics
    /// If the future makes calls without end at one instant of scripted time.
    pub fn run<F: Future>(&self, future: F) -> Option<F::Output> {
        let end = self.now() + LONGEST_RUN;
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&flag));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while flag.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                    return Some(output);
                }
                if self.world().take_crash() {
                    return None;
                }
            }
            let woken = self.world().advance(end)?;
            woken.into_iter().for_each(Waker::wake);
        }
    }
}
