//! Values as they are typed: each parser says in one line what it takes.

use std::str::FromStr;

use breaker_core::workload::TargetArg;
use jiff::SignedDuration;

/// More restarts than this in a window mean nothing: the kubelet's back-off allows 288 in a day.
const MOST_RESTARTS: u32 = 1_000_000;

pub(crate) fn max_restarts(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(restarts @ 0..=MOST_RESTARTS) => Ok(restarts),
        _ => Err(format!("write a whole number that is 0 or more, at most {MOST_RESTARTS}, for example 3")),
    }
}

/// How often to say where things stand; `none` is never.
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

/// Where a message can be sent.
pub(crate) fn url(text: &str) -> Result<String, String> {
    let fix = "write an http or https URL such as https://rollback.sre.example.org/before-trip";
    let parsed: http::Uri = text.parse().map_err(|error| format!("{error}; {fix}"))?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err(fix.into());
    }
    match parsed.authority() {
        Some(authority) if authority.as_str().contains('@') => {
            Err("leave out the user; what is sent is signed with --hook-secret-file".into())
        }
        Some(authority) if !authority.host().is_empty() => Ok(text.into()),
        _ => Err(fix.into()),
    }
}

/// Within the minute that a trip stays fresh.
pub(crate) fn hook_timeout(text: &str) -> Result<SignedDuration, String> {
    match text.parse::<SignedDuration>() {
        Ok(span) if (SignedDuration::from_secs(1)..=SignedDuration::from_secs(30)).contains(&span) => {
            Ok(span)
        }
        _ => Err("write a span from 1s to 30s, for example 10s".into()),
    }
}

pub(crate) fn every(text: &str) -> Result<SignedDuration, &'static str> {
    text.parse::<Heartbeat>()
        .ok()
        .and_then(|heartbeat| heartbeat.0)
        .ok_or("write a span from 1s to 24h such as 30s or 5m")
}

/// `NAME`, `NAMESPACE/NAME` or `none`.
pub(crate) fn lease(text: &str) -> Result<LeaseArg, String> {
    match text.split_once('/') {
        None if text == "none" => Ok(LeaseArg::None),
        None => Ok(LeaseArg::Named(None, name(text)?)),
        Some((namespace, lease)) => Ok(LeaseArg::Named(Some(name(namespace)?), name(lease)?)),
    }
}

/// Name of the Lease, beside the controller or in the namespace that it is confined to.
const LEASE: &str = "bigredbutton-controller";

/// Which Lease decides who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseArg {
    /// The usual one.
    Usual,
    /// Another one, perhaps in another namespace.
    Named(Option<String>, String),
    /// None: this controller always leads.
    None,
}

impl LeaseArg {
    pub(crate) fn place(&self, namespace: &str) -> Option<(String, String)> {
        match self {
            Self::Usual => Some((namespace.into(), LEASE.into())),
            Self::Named(other, name) => Some((other.as_deref().unwrap_or(namespace).into(), name.clone())),
            Self::None => None,
        }
    }
}

/// A name as Kubernetes gives them (RFC 1123 subdomain).
pub(crate) fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let inner = |c: char| plain(c) || c == '-' || c == '.';
    if text.len() <= 253 && text.starts_with(plain) && text.ends_with(plain) && text.chars().all(inner) {
        return Ok(text.into());
    }
    Err("names in Kubernetes are lower-case letters, digits, `-` and `.`, and start and end with a letter or digit".into())
}

pub(crate) fn deployment(text: &str) -> Result<TargetArg, String> {
    if text.contains('/') {
        return Err("write the Deployment's name alone, or use --target KIND/NAME".into());
    }
    target(&format!("deployment/{text}"))
}

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
    fn a_lease_is_named_with_or_without_its_namespace_or_is_none() {
        let named =
            |namespace: Option<&str>, name: &str| LeaseArg::Named(namespace.map(Into::into), name.into());
        for (text, want) in [
            ("none", Some(LeaseArg::None)),
            ("brb", Some(named(None, "brb"))),
            ("ops/brb", Some(named(Some("ops"), "brb"))),
            ("ops/", None),
            ("a/b/c", None),
            ("Brb", None),
        ] {
            assert_eq!(lease(text).ok(), want, "{text}");
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
