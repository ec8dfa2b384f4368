//! Incidents over time: which one is which, and when to notify again.

mod notification;
mod tracker;

pub use self::notification::{Change, Notification};
pub use self::tracker::IncidentTracker;

#[cfg(test)]
mod tests;
