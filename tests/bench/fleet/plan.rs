//! How much is measured.

use std::time::Duration;

/// Sizes and times of one run.
pub(crate) struct Plan {
    /// Breakers that wait, each with a Deployment.
    pub(crate) breakers: usize,
    /// Pods of each Deployment, step by step.
    pub(crate) pods_each: &'static [usize],
    /// How long nothing happens while CPU and requests are counted.
    pub(crate) idle: Duration,
    /// Trips of each contestant, each way and each load.
    pub(crate) trips: usize,
    /// Pod status updates a second under load; a multiple of 100.
    pub(crate) updates: u32,
    /// The load lasts so long at least.
    pub(crate) loaded: Duration,
}

impl Plan {
    /// What the bars are about.
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

    /// A tenth of most: whether it runs, not how well.
    pub(crate) fn small() -> Self {
        Self { breakers: 100, idle: Duration::from_secs(6), trips: 3, updates: 100, ..Self::full() }
    }
}
