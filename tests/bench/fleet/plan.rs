//! Sizes and durations of a run.

use std::time::Duration;

/// Sizes and times of one run.
pub(crate) struct Plan {
    /// Idle breakers, each with a Deployment.
    pub(crate) breakers: usize,
    /// Pods of each Deployment, for each size of the fleet.
    pub(crate) pods_each: &'static [usize],
    /// How long CPU and requests of the idle fleet are measured.
    pub(crate) idle: Duration,
    /// Trips of each contender, for each order of patches and each load.
    pub(crate) trips: usize,
    /// Pod status updates a second under load; a multiple of 100.
    pub(crate) updates: u32,
    /// Minimum duration of the load.
    pub(crate) loaded: Duration,
}

impl Plan {
    /// The plan that the bars apply to.
    pub(crate) fn full() -> Self {
        Self {
            breakers: 1000,
            pods_each: &[1, 3, 10],
            idle: Duration::from_secs(60),
            trips: 30,
            updates: 500,
            loaded: Duration::from_secs(30),
        }
    }

    /// A tenth of the sizes, to show that the benchmark works.
    pub(crate) fn small() -> Self {
        Self { breakers: 100, idle: Duration::from_secs(6), trips: 3, updates: 100, ..Self::full() }
    }
}
