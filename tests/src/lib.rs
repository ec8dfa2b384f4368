//! Shared parts of the tests on a real Kubernetes: the cluster, a simulated kubelet, the watcher as
//! a process.
//!
//! Tier 2 has an API server but no node: nothing schedules its pods, and [`Kubelet`] patches their
//! status as a kubelet would. Tier 3 has a node whose containers really terminate.

mod api_proxy;
mod auditor;
mod baseline;
mod breakers;
mod cluster;
mod controller_endpoints;
mod fault_proxy;
mod keda;
mod kubelet;
mod rules;
mod scaled_to_zero;
mod statistics;
mod tcp_proxy;
mod usage;
mod watcher;

pub use api_proxy::{ApiProxy, PodAccess};
pub use auditor::{Auditor, Expected, HookCall, Law, PodRevision, Revision, Stored, Violation, audit};
pub use baseline::{fourth_restarts, scale_to_zero};
pub use breakers::condition;
pub use cluster::{Cluster, TestNamespace, eventually};
pub use controller_endpoints::ControllerEndpoints;
pub use fault_proxy::{
    BadAnswer, Fault, FaultProxy, FaultRule, FaultSchedule, InjectedFault, Injection, Moment, RequestClass,
};
pub use keda::PAUSED_REPLICAS;
pub use kubelet::Kubelet;
pub use rules::{controller_rules, run_rules};
pub use scaled_to_zero::ScaledToZero;
pub use statistics::{percentile, verdict};
pub use tcp_proxy::TcpProxy;
pub use usage::Usage;
pub use watcher::{EmittedEvent, Watcher};

/// The termination message of a process whose peer refused the connection.
pub const REFUSED: &str = "Error: dial tcp 10.96.0.7:8080: connect: connection refused";
/// The termination message of a process that crashed by a bug.
pub const BUG: &str = "panic: runtime error: index out of range [3] with length 3";
