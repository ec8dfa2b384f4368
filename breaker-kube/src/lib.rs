//! The breaker's door to a real cluster, on kube-rs.
//!
//! [`KubeClient`] is [`ClusterClient`](breaker_core::ClusterClient) over an API server:
//!
//! ```text
//! watch      pods of a selector, as facts         scale      read, and written with a precondition
//! last_words the log's end of a dead container    record     a ConfigMap owned by the target
//! events     a pod's, to read; the target's, to write        rights  what the user may do, asked up front
//! ```
//!
//! [`HttpWebhookClient`] is [`WebhookClient`](breaker_core::webhook::WebhookClient) over HTTP: the hook and the notices.
//!
//! Each call is one attempt: what to try again, and when, is decided in `breaker-core`. Nothing here reads
//! a clock: the one given to [`KubeClient::connect`] dates the Events.

mod access;
mod autoscalers;
mod breakers;
mod client;
mod connect;
pub mod crd;
mod discovery;
mod events;
mod fleet;
pub mod lease;
mod logs;
mod pods;
mod record;
mod request;
mod request_layer;
mod request_metrics;
mod scale;
mod secrets;
mod selector;
mod shared_watch;
mod watch;
mod watch_liveness;
mod webhook;

pub use access::MissingPermissions;
pub use client::KubeClient;
pub use connect::{ConnectError, Options};
pub use fleet::{BreakerName, Fleet, FleetError, FleetObserver, FleetOptions};
pub use request_metrics::RequestMetrics;
pub use secrets::KubeSecrets;
pub use shared_watch::SharedPodWatch;
pub use webhook::{HttpWebhookClient, SIGNATURE, SecretFiles, Secrets, read_secret};

/// Field manager of every write.
pub const FIELD_MANAGER: &str = "bigredbutton";
