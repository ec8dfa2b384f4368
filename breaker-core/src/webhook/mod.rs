//! Webhooks: the hook that is asked before a trip, the receivers of notifications, and the client that calls them.

mod client;
pub(crate) mod delivery;
mod hooks;

pub use self::client::{CloudEvent, HookDecision, WebhookClient, WebhookError};
pub use self::hooks::{BeforeTrip, Endpoint, Hooks, OnFailure};
