//! Steps of the wall clock, found by comparing it with the monotonic clock.

use jiff::{SignedDuration, Timestamp};

use crate::Clock;

/// A change of the wall clock up to this size is not a step.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// The distance between the wall clock and the monotonic clock.
#[derive(Debug)]
pub(crate) struct ClockSteps {
    distance: SignedDuration,
}

impl ClockSteps {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self { distance: distance(clock) }
    }

    /// By how much the wall clock was set since the last step; `None` if it was not.
    pub(crate) fn take(&mut self, clock: &dyn Clock) -> Option<SignedDuration> {
        let distance = distance(clock);
        let by = distance - self.distance;
        if by.abs() <= TOLERANCE {
            return None;
        }
        self.distance = distance;
        Some(by)
    }
}

fn distance(clock: &dyn Clock) -> SignedDuration {
    clock.now().duration_since(Timestamp::UNIX_EPOCH) - clock.elapsed()
}
