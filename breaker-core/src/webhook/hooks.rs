//! The webhooks of one breaker.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The webhooks of one breaker. Default: none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Hooks {
    /// Called after the Record with the phase `Tripping` is stored and before the target is scaled
    /// to zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_trip: Option<BeforeTrip>,
    /// Receivers of notifications; each receives every notification at least once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Endpoint>,
}

/// The webhook that is called before a trip, for example to roll back queued payments before the
/// pods terminate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BeforeTrip {
    /// The receiver.
    pub to: Endpoint,
    /// Total time for the call, retries included.
    pub timeout: SignedDuration,
    /// What happens when the call fails. Default: proceed.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// What happens when the hook cannot be reached, answers with an error, or does not answer within
/// the timeout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnFailure {
    /// The trip goes on.
    #[default]
    Proceed,
    /// The trip is held; the hook is called again later while the pods still fail.
    Hold,
}

/// The receiver of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `http` or `https` URL. May itself be a secret, as those of chat services are: never shown in
    /// full.
    pub url: String,
    /// Name of the secret that signs the message. The
    /// [`WebhookClient`](crate::webhook::WebhookClient) finds the secret by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Endpoint {
    /// A receiver without a secret.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), secret: None }
    }

    /// Scheme, host and port: what may be shown.
    pub fn shown(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if scheme.is_empty() { host.into() } else { format!("{scheme}://{host}") }
    }

    /// A hash of the URL for places that must not contain it: 64 bits of FNV-1a.
    pub(crate) fn tag(&self) -> String {
        let hash = self.url.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    }
}

/// Without path, query and user-info.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.shown()).field("secret", &self.secret).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_and_host_of_an_address_are_shown() {
        for (url, shown) in [
            ("https://hooks.example.org/services/T0/B0/key", "https://hooks.example.org"),
            ("http://user:password@10.0.0.7:8080/x?token=1", "http://10.0.0.7:8080"),
            ("https://example.org?key=1", "https://example.org"),
            ("nonsense/key", "nonsense"),
        ] {
            assert_eq!(Endpoint::new(url).shown(), shown);
            assert!(!format!("{:?}", Endpoint::new(url)).contains("key"));
        }
    }
}
