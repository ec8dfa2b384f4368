//! Webhooks: the hook that is called before a trip, the receivers of notifications, and the client
//! that calls them.

mod client;
mod cloud_event;
pub(crate) mod delivery;
mod hooks;

pub use self::client::{HookDecision, WebhookClient, WebhookError};
pub use self::cloud_event::{CloudEvent, CloudEventData};
pub use self::delivery::DeliveryError;
pub use self::hooks::{BeforeTrip, Endpoint, Hooks, NotifyFormat, OnFailure};
