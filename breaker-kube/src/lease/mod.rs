//! Leader election by a `coordination.k8s.io` Lease: of several controllers, one acts.
//!
//! ```text
//!            absent, released, or unchanged for its duration
//! Following ──────────────────────────────────────────────────▶ Leading
//!     ▲                                                            │ renews every retry_period
//!     └── held by another, or not renewed for renew_deadline ──────┘ releases it when stopped
//! ```
//!
//! Clocks of two machines are never compared. A candidate takes the Lease when it has not seen the
//! Lease change for the Lease's duration, by its own clock. A leader stops leading by its own clock
//! too, [`renew_deadline`](LeaseParams::renew_deadline) after it sent the last renewal that was
//! accepted. Every write names the `resourceVersion` that was read, so of two candidates one wins.
//!
//! This is code of our own because kube-lease-manager and kube-leader-election compare the wall
//! clocks of machines, and kubert needs an older kube. The Lease is for economy. Two leaders would
//! not trip a workload twice: the precondition of every write prevents that.

mod api;
mod election;
mod health;
mod observed;
mod params;

pub use self::election::{Election, Leadership};
pub use self::health::LeaseHealth;
pub use self::params::LeaseParams;
