//! The parts of `watcher controller`: leadership, output, health, metrics, and the HTTP endpoints.

pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod leader_loop;
pub(crate) mod metrics;
pub(crate) mod output;
pub(crate) mod own_pod;
