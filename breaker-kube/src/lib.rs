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
//! [`HttpMessenger`] is [`WebhookClient`](breaker_core::webhook::WebhookClient) over HTTP: the hook and the notices.
//!
//! Each call is one attempt: what to try again, and when, is decided in `breaker-core`. Nothing here reads
//! a clock: the one given to [`KubeClient::connect`] dates the Events.

mod breakers;
mod client;
mod connect;
pub mod crd;
mod errors;
mod events;
mod fleet;
mod hub;
mod kinds;
mod last_words;
pub mod lease;
mod messenger;
mod pods;
mod pulse;
mod record;
mod rights;
mod scale;
mod secrets;
mod selector;
mod traffic;
mod truce;
mod watch;
mod witness;

pub use client::KubeClient;
pub use connect::{ConnectError, Options};
pub use fleet::{Audience, BreakerName, Fleet, FleetError, FleetOptions};
pub use hub::SharedPodWatch;
pub use messenger::{HttpMessenger, SIGNATURE, SecretFiles, Secrets, read_secret};
pub use rights::Rights;
pub use secrets::KubeSecrets;
pub use traffic::Traffic;

/// Field manager of every write.
pub const FIELD_MANAGER: &str = "bigredbutton";
