//! Webhooks over HTTP: [`WebhookClient`](breaker_core::webhook::WebhookClient) on the HTTP client
//! that kube uses.
//!
//! ```text
//! POST <url>
//! Content-Type: application/cloudevents+json
//! Idempotency-Key: <id of the event>
//! webhook-id: <id of the event>
//! webhook-timestamp: <seconds since the epoch>
//! webhook-signature: v1,<Base64 of HMAC-SHA256 over id, time and body, by each key of the secret>
//! X-BigRedButton-Signature: sha256=<hex of HMAC-SHA256 over the body, by the secret>
//! ```
//!
//! Notifications to an endpoint of another format have its body, and neither signature nor
//! CloudEvent. A status 2xx accepts the event. The answer of a `before_trip` hook may be JSON with
//! a `decision`: `proceed`, or `hold` with a `reason`. Without a decision 2xx means proceed; any
//! other decision is an error. Redirects are errors because the body is signed for one receiver.
//! Any other status is an error too. A 3xx and a 4xx (except 408, 425 and 429) are not retried. No
//! proxy is used. What a receiver says, and why it cannot be reached, is logged; an error has fixed
//! words.

mod answer;
mod client;
mod connector;
mod dial;
mod format;
mod kube_secrets;
mod secret_error;
mod secret_files;
mod secrets;
mod signature;

pub use self::client::HttpWebhookClient;
pub use self::dial::LocalReceivers;
pub use self::kube_secrets::KubeSecrets;
pub use self::secret_error::SecretError;
pub use self::secret_files::{SecretFiles, read_secret};
pub use self::secrets::Secrets;
pub use self::signature::SIGNATURE_HEADER;
