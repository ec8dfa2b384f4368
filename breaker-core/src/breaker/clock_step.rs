//! Steps of the wall clock: what the breaker waits for keeps its distance.
//!
//! A step back shifts every instant that the breaker has read from the clock; nothing must lie in
//! the future, where it would last until the clock gets there. A step forward may be a machine that
//! was suspended. Waits then go on where they were, but what was known and decided before is as old
//! as it looks, and restarts that counted still count.

use jiff::SignedDuration;

use super::machine::Breaker;
use crate::clock::shifted;
use crate::state::State;

impl Breaker {
    /// The wall clock was set forward by `by`, or back if it is negative.
    pub(super) fn clock_stepped(&mut self, by: SignedDuration) {
        self.pods.shift(by);
        self.watch.shift(by);
        self.clock_skew.shift(by);
        self.scale.shift(by);
        self.retries.shift(by);
        self.hook.shift(by);
        self.outbox.shift(by);
        match &mut self.state {
            State::Closed => {}
            State::Tripping { since, .. } => {
                if by.is_negative() {
                    *since = shifted(*since, by);
                }
            }
            State::HalfOpen { since, started, .. } => {
                *since = shifted(*since, by);
                *started = started.map(|at| shifted(at, by));
            }
            State::Open { since, .. } | State::Restoring { since, .. } => *since = shifted(*since, by),
        }
        if by.is_negative() {
            self.counts_from = self.counts_from.map(|at| shifted(at, by));
            self.trips.iter_mut().for_each(|at| *at = shifted(*at, by));
            self.ledger.shift(by);
        }
        if self.state != State::Closed || self.counts_from.is_some() {
            self.saves.request();
        }
        self.wake_for_recovery();
    }
}
