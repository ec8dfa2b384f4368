//! A fleet: every CircuitBreaker of a scope, each with a supervisor of its own, over one pod watch.
//!
//! ```text
//! CircuitBreakers ─watch─▶ Reconciler ─Desired─▶ worker ─▶ Supervisor ─▶ FleetClient
//!                              │                   │                        ├─▶ SharedPodWatch
//!                         SharedGuard ◀─ restarts ─┘                        ├─▶ StatusWriter
//!                      (outage guard)    and trips                          ├─▶ KedaSwitch
//!                                                                           └─▶ KubeClient
//! ```
//!
//! The status of a CircuitBreaker is the only state of its breaker. What is in memory can be
//! dropped at any instant; the next controller resumes from the status. So nothing is handed over,
//! and two fleets over one scope are as safe as two watchers of one target: every write has a
//! precondition.

mod breaker_watch;
mod claims;
mod client;
mod cluster_peers;
mod controller;
mod desired;
mod entry;
mod error;
mod events;
mod evidence_lanes;
#[cfg(test)]
mod fault_tests;
mod guard;
mod keda;
#[cfg(test)]
mod keda_tests;
#[cfg(test)]
mod leak_tests;
mod newer_breakers;
mod observer;
#[cfg(test)]
mod old_list_tests;
mod options;
mod own_workload;
mod partial_breaker;
mod press_end;
#[cfg(test)]
mod press_tests;
mod reconciler;
mod request_limits;
#[cfg(test)]
mod request_tests;
mod requested;
mod restarts;
mod shared;
mod startup_barrier;
mod status;
mod status_writer;
#[cfg(test)]
mod stop_tests;
#[cfg(test)]
mod test_cluster;
#[cfg(test)]
mod test_keda;
#[cfg(test)]
mod tests;
mod worker;

pub use self::controller::Fleet;
pub use self::error::FleetError;
pub use self::observer::FleetObserver;
pub use self::options::{FleetOptions, OwnPod};
pub use crate::watch_health::WatchHealth;
