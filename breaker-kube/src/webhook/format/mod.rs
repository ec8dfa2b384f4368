//! The request that a receiver gets, by its format. Makes no requests.

mod alert;
mod alertmanager;
mod pagerduty;
mod slack;
mod teams;

use breaker_core::webhook::{CloudEvent, Endpoint, NotifyFormat, WebhookError};
use serde::Serialize;

use self::alert::Alert;
pub(super) use self::teams::refusal as refusal_of_teams;
use super::answer::permanent;

/// The longest routing key or URL that is used, in bytes.
const MAX_SECRET_LEN: usize = 4096;

/// A request to a receiver. Its URL or its body may hold a secret, so it has no `Debug`.
pub(super) struct Outgoing {
    pub(super) url: String,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Whether the secret signs the body.
    pub(super) signed: bool,
}

impl Outgoing {
    /// The request for `event` to a receiver whose secret has this value.
    ///
    /// # Errors
    /// When the endpoint lacks its URL or its secret, or the format cannot express the event.
    pub(super) fn new(
        to: &Endpoint,
        event: &CloudEvent,
        secret: Option<&[u8]>,
    ) -> Result<Self, WebhookError> {
        if to.format == NotifyFormat::CloudEvents {
            let body = json(event)?;
            let content_type = "application/cloudevents+json";
            return Ok(Self { url: to.url.clone(), content_type, body, signed: true });
        }
        let secret = secret.map(text).transpose()?;
        let alert = Alert::of(event)?;
        let url = || match (&*to.url, &secret) {
            ("", Some(url)) => Ok(url.clone()),
            ("", None) => Err(permanent(format!("{} has neither a URL nor a secret with one", to.shown()))),
            (url, _) => Ok(url.to_owned()),
        };
        let request = |url, body| Self { url, content_type: "application/json", body, signed: false };
        match to.format {
            NotifyFormat::Slack => Ok(request(url()?, json(&slack::message(&alert))?)),
            NotifyFormat::Teams => Ok(request(url()?, json(&teams::message(&alert))?)),
            NotifyFormat::PagerDuty => {
                let key = secret.as_deref().ok_or_else(|| permanent("the routing key is missing".into()))?;
                let url = if to.url.is_empty() { pagerduty::URL } else { &to.url };
                Ok(request(url.to_owned(), json(&pagerduty::event(&alert, key))?))
            }
            NotifyFormat::Alertmanager => {
                Ok(request(alertmanager::url(&to.url), json(&alertmanager::alerts(&alert))?))
            }
            other => Err(permanent(format!("the format {other} is not known"))),
        }
    }
}

fn json(body: &impl Serialize) -> Result<Vec<u8>, WebhookError> {
    serde_json::to_vec(body).map_err(|error| permanent(error.to_string()))
}

/// A secret that is a URL or a key: one word. The error does not show it.
fn text(secret: &[u8]) -> Result<String, WebhookError> {
    let word = std::str::from_utf8(secret).map(str::trim).unwrap_or_default();
    let is_word =
        !word.is_empty() && word.len() <= MAX_SECRET_LEN && word.bytes().all(|byte| byte.is_ascii_graphic());
    is_word
        .then(|| word.to_owned())
        .ok_or_else(|| permanent("its secret is not one word of ASCII characters".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::format::alert::test_event;

    fn endpoint(format: NotifyFormat, url: &str) -> Endpoint {
        Endpoint { format, ..Endpoint::new(url) }
    }

    #[test]
    fn a_secret_is_the_url_of_a_chat_or_the_key_of_a_pager() {
        let event = test_event("tripped");
        for (format, url, secret, want) in [
            (
                NotifyFormat::Slack,
                "",
                Some("https://hooks.example.org/T0/key\n"),
                "https://hooks.example.org/T0/key",
            ),
            (NotifyFormat::Slack, "https://chat.example.org/x", None, "https://chat.example.org/x"),
            (NotifyFormat::Teams, "", Some("https://flows.example.org/key"), "https://flows.example.org/key"),
            (NotifyFormat::PagerDuty, "", Some("R0"), "https://events.pagerduty.com/v2/enqueue"),
            (
                NotifyFormat::PagerDuty,
                "https://events.eu.pagerduty.com/v2/enqueue",
                Some("R0"),
                "https://events.eu.pagerduty.com/v2/enqueue",
            ),
            (
                NotifyFormat::Alertmanager,
                "http://am.example.org:9093",
                None,
                "http://am.example.org:9093/api/v2/alerts",
            ),
        ] {
            let sent = Outgoing::new(&endpoint(format, url), &event, secret.map(str::as_bytes)).unwrap();
            assert_eq!(
                (sent.url.as_str(), sent.content_type, sent.signed),
                (want, "application/json", false)
            );
            let body = String::from_utf8(sent.body).unwrap();
            assert_eq!(body.contains("\"R0\""), format == NotifyFormat::PagerDuty, "{body}");
            assert!(!body.contains("/key"), "{body}");
        }
        let ce =
            Outgoing::new(&endpoint(NotifyFormat::CloudEvents, "https://x"), &event, Some(b"\xff")).unwrap();
        assert_eq!((ce.content_type, ce.signed), ("application/cloudevents+json", true));
    }

    #[test]
    fn what_is_missing_or_unusable_is_an_error_without_the_secret() {
        let event = test_event("tripped");
        for (format, secret, why) in [
            (NotifyFormat::Slack, None, "neither a URL nor a secret"),
            (NotifyFormat::PagerDuty, None, "the routing key is missing"),
            (NotifyFormat::PagerDuty, Some(&b"two words"[..]), "not one word"),
            (NotifyFormat::Teams, Some(&b"\xffhidden"[..]), "not one word"),
        ] {
            let error = Outgoing::new(&endpoint(format, ""), &event, secret).err().unwrap();
            assert!(error.why.contains(why) && !error.why.contains("hidden"), "{}", error.why);
        }
        let hook = test_event("before_trip");
        let error = Outgoing::new(&endpoint(NotifyFormat::Slack, "https://x"), &hook, None).err().unwrap();
        assert!(!error.retryable, "a hook is always a CloudEvent");
    }
}
