//! [`ClusterClient`](breaker_core::ClusterClient) on kube-rs, and a controller for a fleet of
//! CircuitBreakers.
//!
//! ```text
//!                 ┌─ pods, logs, events ─ evidence of restarts
//! KubeClient ─────┼─ scale ────────────── read, and write with a precondition
//!                 └─ record ───────────── the Record in a ConfigMap that the target owns
//!
//! fleet::Fleet ──── one supervisor for each CircuitBreaker, over one pod watch
//! lease::Election ─ which of several controllers acts
//! webhook ───────── the before_trip hook and notifications over HTTP
//! ```
//!
//! - [`KubeClient`] is a connection to an API server. Each call makes one attempt; `breaker-core`
//!   decides what to retry and when. Nothing here reads a clock: the [`Clock`](breaker_core::Clock)
//!   that was given to [`KubeClient::connect`] dates Events and status.
//! - [`crd`] has the custom resource, [`fleet`] the controller, [`lease`] leader election,
//!   [`webhook`] the HTTP client for hooks.
//! - [`proxies`] chooses the proxy of a connection.
//! - [`access`] checks the user's rights before they are needed, and [`request_metrics`] counts
//!   requests.

pub mod access;
mod autoscalers;
mod breakers;
mod client;
mod cluster_client;
mod connect;
pub mod crd;
mod discovery;
mod events;
pub mod fleet;
pub mod lease;
mod lenient;
mod logs;
mod partial_pod;
mod peers;
mod pods;
pub mod proxies;
mod record;
mod request;
mod request_layer;
pub mod request_metrics;
mod scale;
mod selector;
mod shared_watch;
#[cfg(test)]
mod test_server;
mod text;
mod watch;
mod watch_health;
mod watch_liveness;
mod watch_stream;
pub mod webhook;

pub use kube;

pub use self::client::KubeClient;
pub use self::connect::{ConnectError, ConnectOptions};
pub use self::request::FIELD_MANAGER;
