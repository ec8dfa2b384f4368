//! Parsers of flag values. The error of each names the accepted values.

use std::str::FromStr;

use breaker_core::webhook::{Endpoint, NotifyFormat};
use breaker_core::workload::TargetArg;
use jiff::SignedDuration;

/// Upper bound of `--max-restarts`. The kubelet's back-off allows 288 restarts of a container a
/// day.
const MAX_RESTARTS: u32 = 1_000_000;

/// A whole number from 0 to [`MAX_RESTARTS`].
pub(crate) fn max_restarts(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(restarts @ 0..=MAX_RESTARTS) => Ok(restarts),
        _ => Err(format!("write a whole number that is 0 or more, at most {MAX_RESTARTS}, for example 3")),
    }
}

/// Interval of the heartbeat, from 1 s to 24 h; `none` turns it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heartbeat(pub(crate) Option<SignedDuration>);

impl FromStr for Heartbeat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        match text.parse::<SignedDuration>() {
            Ok(every) if (SignedDuration::from_secs(1)..=SignedDuration::from_hours(24)).contains(&every) => {
                Ok(Self(Some(every)))
            }
            _ => Err("write a span from 1s to 24h such as 30s or 5m, or none"),
        }
    }
}

/// An http or https URL without user information.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let fix = "write an http or https URL such as https://rollback.sre.example.org/before-trip";
    let parsed: http::Uri = text.parse().map_err(|error| format!("{error}; {fix}"))?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err(fix.into());
    }
    match parsed.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("user information is not allowed in the URL; sign requests with --hook-secret-file".into())
        }
        Some(authority) if !authority.host().is_empty() => Ok(text.into()),
        _ => Err(fix.into()),
    }
}

/// A receiver of notifications: a URL for CloudEvents, or `FORMAT=` with a URL or `file:PATH`.
pub(crate) fn receiver(text: &str) -> Result<Endpoint, String> {
    let named = |format: &NotifyFormat| {
        let rest = text.strip_prefix(format.as_str())?.strip_prefix('=')?;
        Some((*format, rest))
    };
    let (format, place) =
        NotifyFormat::ALL.iter().find_map(named).unwrap_or((NotifyFormat::CloudEvents, text));
    let secret = place.strip_prefix("file:").filter(|path| !path.is_empty()).map(str::to_owned);
    match (format, secret) {
        (NotifyFormat::Slack | NotifyFormat::Teams | NotifyFormat::PagerDuty, secret @ Some(_)) => {
            Ok(Endpoint { format, secret, ..Endpoint::new("") })
        }
        (NotifyFormat::PagerDuty, None) => {
            Err("write pagerduty=file:PATH; the file has the routing key, which is a secret".into())
        }
        (_, Some(_)) => Err(format!("a receiver of {format} takes no file; write its URL")),
        (_, None) => Ok(Endpoint { format, ..Endpoint::new(url(place)?) }),
    }
}

/// A span from 1 s to 30 s: the hook must answer within the minute in which a trip stays valid.
pub(crate) fn hook_timeout(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(span) if (SignedDuration::from_secs(1)..=SignedDuration::from_secs(30)).contains(&span) => {
            Ok(span)
        }
        _ => Err("write a span from 1s to 30s, for example 10s".into()),
    }
}

/// A span from 1 s to 24 h.
pub(crate) fn interval(text: &str) -> Result<SignedDuration, &'static str> {
    text.parse::<Heartbeat>()
        .ok()
        .and_then(|heartbeat| heartbeat.0)
        .ok_or("write a span from 1s to 24h such as 30s or 5m")
}

/// A name of a Kubernetes object (RFC 1123 subdomain).
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| plain(c) || c == '-' || c == '.';
    if text.len() <= 253 && text.starts_with(plain) && text.ends_with(plain) && text.chars().all(inner) {
        return Ok(text.into());
    }
    Err("names in Kubernetes have lower-case letters, digits, `-` and `.`, and start and end with a letter or digit".into())
}

/// The name of a Deployment.
pub(crate) fn deployment(text: &str) -> Result<TargetArg, String> {
    if text.contains('/') {
        return Err("write the Deployment's name alone, or use --target KIND/NAME".into());
    }
    target(&format!("deployment/{text}"))
}

/// A workload as `KIND/NAME`.
pub(crate) fn target(text: &str) -> Result<TargetArg, String> {
    let parsed: TargetArg =
        text.parse().map_err(|error: breaker_core::workload::BadTarget| error.to_string())?;
    let (kind, named) = text.split_once('/').unwrap_or_default();
    name(&kind.to_ascii_lowercase())?;
    name(named)?;
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_a_url_or_a_format_with_a_url_or_a_file() {
        let endpoint = |format, url: &str, secret: Option<&str>| Endpoint {
            format,
            secret: secret.map(str::to_owned),
            ..Endpoint::new(url)
        };
        for (text, want) in [
            ("https://x.example/?a=b", endpoint(NotifyFormat::CloudEvents, "https://x.example/?a=b", None)),
            ("cloudevents=https://x.example", endpoint(NotifyFormat::CloudEvents, "https://x.example", None)),
            ("slack=https://x.example/T0", endpoint(NotifyFormat::Slack, "https://x.example/T0", None)),
            ("slack=file:/run/chat", endpoint(NotifyFormat::Slack, "", Some("/run/chat"))),
            ("teams=file:flow", endpoint(NotifyFormat::Teams, "", Some("flow"))),
            ("pagerduty=file:/run/key", endpoint(NotifyFormat::PagerDuty, "", Some("/run/key"))),
            ("alertmanager=http://am:9093", endpoint(NotifyFormat::Alertmanager, "http://am:9093", None)),
        ] {
            assert_eq!(receiver(text), Ok(want), "{text}");
        }
        for (text, why) in [
            ("pagerduty=R0123", "pagerduty=file:PATH"),
            ("pagerduty=https://x.example", "pagerduty=file:PATH"),
            ("alertmanager=file:x", "takes no file"),
            ("file:x", "takes no file"),
            ("slack=nonsense", "http"),
            ("mattermost=https://x.example", "http"),
            ("slack=file:", "http"),
        ] {
            let error = receiver(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn heartbeats_are_spans_of_a_sane_length_or_none() {
        for (text, want) in [
            ("60s", Some(SignedDuration::from_secs(60))),
            ("24h", Some(SignedDuration::from_hours(24))),
            ("none", None),
        ] {
            assert_eq!(text.parse(), Ok(Heartbeat(want)), "{text}");
        }
        for text in ["", "0s", "-1s", "soon", "60", "500ms", "25h", "99999999999h"] {
            assert!(text.parse::<Heartbeat>().is_err(), "{text}");
        }
    }

    #[test]
    fn names_that_kubernetes_would_refuse_are_refused() {
        for text in ["", "../x", "A", "a b", "-a", "a-", "a/b", "a%2f"] {
            assert!(name(text).is_err(), "{text}");
            assert!(target(&format!("deployment/{text}")).is_err(), "{text}");
        }
        assert!(target("Deployment/swype-app").is_ok());
        assert!(target("roll out/x").is_err());
    }
}
