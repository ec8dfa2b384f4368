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

/// The form in which a receiver takes notifications.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NotifyFormat {
    /// CloudEvents 1.0, signed by the secret of the endpoint.
    #[default]
    CloudEvents,
    /// An incoming webhook of Slack, or of a chat that takes the same. Its URL may be the secret.
    Slack,
    /// A webhook of a Teams workflow. Its URL may be the secret.
    Teams,
    /// The Events API v2 of PagerDuty. The secret is the routing key.
    PagerDuty,
    /// The API v2 of Alertmanager. It has no secret.
    Alertmanager,
}

impl NotifyFormat {
    /// Every format.
    pub const ALL: [Self; 5] =
        [Self::CloudEvents, Self::Slack, Self::Teams, Self::PagerDuty, Self::Alertmanager];

    /// The name in lower case, as on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
            Self::Alertmanager => "alertmanager",
        }
    }
}

impl fmt::Display for NotifyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The receiver of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// `http` or `https` URL. May itself be a secret, as those of chat services are: never shown in
    /// full. Empty if the secret is the URL, or if the format has a URL of its own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Name of the secret of the receiver; what it is for depends on the format. The
    /// [`WebhookClient`](crate::webhook::WebhookClient) finds the secret by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The form of notifications. Default: CloudEvents.
    #[serde(default, skip_serializing_if = "is_default")]
    pub format: NotifyFormat,
}

fn is_default(format: &NotifyFormat) -> bool {
    *format == NotifyFormat::default()
}

impl Endpoint {
    /// A receiver of CloudEvents without a secret.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), secret: None, format: NotifyFormat::default() }
    }

    /// Scheme, host and port: what may be shown. Without a URL, the format and the name of the
    /// secret.
    pub fn shown(&self) -> String {
        if self.url.is_empty() {
            let secret = self.secret.as_deref().unwrap_or("-");
            return format!("{} of secret {secret}", self.format);
        }
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if scheme.is_empty() { host.into() } else { format!("{scheme}://{host}") }
    }

    /// A hash of the URL for places that must not contain it: 64 bits of FNV-1a. For other formats
    /// than CloudEvents also of the format and of the name of the secret, since several receivers
    /// can have one URL.
    pub(crate) fn tag(&self) -> String {
        let receiver = match self.format {
            NotifyFormat::CloudEvents => self.url.clone(),
            format => format!("{format} {} {}", self.secret.as_deref().unwrap_or_default(), self.url),
        };
        let hash = receiver.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
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
        let by_secret =
            Endpoint { url: String::new(), secret: Some("sre/chat/url".into()), ..Endpoint::new("") };
        let by_secret = Endpoint { format: NotifyFormat::Slack, ..by_secret };
        assert_eq!(by_secret.shown(), "slack of secret sre/chat/url");
    }

    #[test]
    fn receivers_with_one_url_are_told_apart_and_a_receiver_of_cloudevents_keeps_its_tag() {
        let with = |format, secret: &str| Endpoint {
            format,
            secret: Some(secret.into()),
            ..Endpoint::new("https://x")
        };
        let mut tags: Vec<_> = NotifyFormat::ALL.map(|format| with(format, "a").tag()).into();
        tags.push(with(NotifyFormat::PagerDuty, "b").tag());
        let all = tags.len();
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), all);
        // Records of earlier versions have the hash of the URL alone.
        assert_eq!(with(NotifyFormat::CloudEvents, "a").tag(), Endpoint::new("https://x").tag());
        let stored: Endpoint = serde_json::from_str(r#"{"url": "https://x", "secret": "a"}"#).unwrap();
        assert_eq!(stored, with(NotifyFormat::CloudEvents, "a"));
    }
}
