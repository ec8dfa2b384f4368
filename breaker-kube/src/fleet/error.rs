//! [`FleetError`]: why a fleet ended.

use tokio::task::JoinError;

/// A fleet ended for a reason that another run would not cure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The task of a breaker panicked.
    #[error("the task of a breaker panicked")]
    Panic(#[source] JoinError),
    /// The stream of a watch ended.
    #[error("the watch of {0} ended")]
    WatchEnded(&'static str),
}
