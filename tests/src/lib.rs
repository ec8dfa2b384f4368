//! What the tests on a real Kubernetes share: the cluster, a kubelet played by hand, the watcher as a process.
//!
//! Tier 2 has an API server and no node: its pods are scheduled by nobody, and [`Kubelet`] patches their
//! status as a kubelet would. Tier 3 has a node, and containers that die by themselves.

mod bare;
mod breakers;
mod cluster;
mod figures;
mod gate;
mod kubelet;
mod pages;
mod process;
mod road;
mod usage;
mod zeroes;

pub use bare::{fourth_restarts, scale_to_zero};
pub use breakers::condition;
pub use cluster::{Cluster, Space, eventually};
pub use figures::{percentile, verdict};
pub use gate::{Gate, Pods};
pub use kubelet::Kubelet;
pub use pages::Pages;
pub use process::{Told, Watcher};
pub use road::Road;
pub use usage::Usage;
pub use zeroes::Zeroes;

/// Last words of a process whose peer refused the connection.
pub const REFUSED: &str = "Error: dial tcp 10.96.0.7:8080: connect: connection refused";
/// Last words of a bug.
pub const BUG: &str = "panic: runtime error: index out of range [3] with length 3";
