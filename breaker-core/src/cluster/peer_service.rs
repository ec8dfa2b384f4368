//! What the cluster knows of a peer that is one of its Services.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::host_of;

/// The Service that a peer may be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceAddress {
    /// A Service by its name.
    Name {
        /// Namespace of the Service.
        namespace: String,
        /// Name of the Service.
        name: String,
    },
    /// The Service with this ClusterIP.
    ClusterIp(IpAddr),
}

impl ServiceAddress {
    /// Reads a peer as a pod of `namespace` writes it: `name`, `name.ns`, `name.ns.svc` with or
    /// without the domain of the cluster, or an IP address; each with or without a port. `None` if
    /// it cannot be a Service.
    ///
    /// ```
    /// use breaker_core::cluster::ServiceAddress;
    ///
    /// let address = ServiceAddress::of_peer("swype-gateway.pay:443", "sre");
    /// let (namespace, name) = ("pay".into(), "swype-gateway".into());
    /// assert_eq!(address, Some(ServiceAddress::Name { namespace, name }));
    /// assert_eq!(ServiceAddress::of_peer("api.swype.com:443", "sre"), None);
    /// ```
    pub fn of_peer(peer: &str, namespace: &str) -> Option<Self> {
        let host = host_of(peer);
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return (!ip.is_loopback() && !ip.is_unspecified()).then_some(Self::ClusterIp(ip));
        }
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let labels: Vec<&str> = host.split('.').collect();
        let (name, namespace) = match labels[..] {
            ["localhost"] => return None,
            [name] => (name, namespace),
            [name, namespace] | [name, namespace, "svc", ..] => (name, namespace),
            // A pod of a StatefulSet, behind its headless Service.
            [_, name, namespace, "svc", ..] => (name, namespace),
            _ => return None,
        };
        let is_label = |text: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            (1..=63).contains(&text.len()) && text.chars().all(inner) && !text.starts_with('-')
        };
        (is_label(name) && is_label(namespace))
            .then(|| Self::Name { namespace: namespace.into(), name: name.into() })
    }
}

/// A Service and its endpoints, as its EndpointSlices show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerService {
    /// Namespace of the Service.
    pub namespace: String,
    /// Name of the Service.
    pub name: String,
    /// Endpoints that are ready.
    pub ready: u32,
    /// All endpoints.
    pub total: u32,
    /// When the endpoints last changed.
    pub changed_at: Option<Timestamp>,
}

impl PeerService {
    /// Its endpoints, as a phrase to put behind the peer. `now` decides whether a date is needed.
    ///
    /// ```
    /// use breaker_core::cluster::{PeerService, ServiceAddress};
    ///
    /// let service = PeerService {
    ///     namespace: "pay".into(),
    ///     name: "swype-gateway".into(),
    ///     ready: 0,
    ///     total: 3,
    ///     changed_at: "2026-11-29T08:24:31Z".parse().ok(),
    /// };
    /// let now = "2026-11-29T08:30:00Z".parse()?;
    /// let by_name = ServiceAddress::of_peer("swype-gateway.pay:443", "sre").unwrap();
    /// assert_eq!(service.describe(&by_name, now), "0 ready endpoints since 08:24");
    /// let by_ip = ServiceAddress::of_peer("10.96.0.12:443", "sre").unwrap();
    /// let want = "Service pay/swype-gateway: 0 ready endpoints since 08:24";
    /// assert_eq!(service.describe(&by_ip, now), want);
    /// # Ok::<(), breaker_core::jiff::Error>(())
    /// ```
    pub fn describe(&self, address: &ServiceAddress, now: Timestamp) -> String {
        let endpoints = match (self.ready, self.total) {
            (0, _) => format!("0 ready endpoints{}", self.since(now)),
            (1, 1) => "the only endpoint is ready: the fault may be on the way".into(),
            (ready, total) if ready == total => {
                format!("all {total} endpoints ready: the fault may be on the way")
            }
            (ready, total) => format!("{ready} of {total} endpoints ready"),
        };
        match address {
            ServiceAddress::Name { .. } => endpoints,
            ServiceAddress::ClusterIp(_) => format!("Service {}/{}: {endpoints}", self.namespace, self.name),
        }
    }

    /// ` since 08:24`, in UTC; with the date if that was on another day.
    fn since(&self, now: Timestamp) -> String {
        let Some(at) = self.changed_at else { return String::new() };
        let (at, now) = (at.to_zoned(TimeZone::UTC), now.to_zoned(TimeZone::UTC));
        let same_day = at.date() == now.date();
        let time = format!("{:02}:{:02}", at.hour(), at.minute());
        if same_day { format!(" since {time}") } else { format!(" since {} {time}", at.date()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_read_as_the_service_that_it_can_be() {
        for (peer, want) in [
            ("swype-gateway:443", "sre/swype-gateway"),
            ("swype-gateway", "sre/swype-gateway"),
            ("Swype-Gateway.Pay:443", "pay/swype-gateway"),
            ("swype-gateway.pay.svc:443", "pay/swype-gateway"),
            ("swype-gateway.pay.svc.cluster.local.:443", "pay/swype-gateway"),
            ("db-0.db.pay.svc.cluster.local:5432", "pay/db"),
            ("10.96.0.12:443", "10.96.0.12"),
            ("[fd00::12]:443", "fd00::12"),
            ("fd00::12", "fd00::12"),
            ("127.0.0.1:5432", "-"),
            ("[::1]:5432", "-"),
            ("0.0.0.0:80", "-"),
            ("localhost:5432", "-"),
            ("api.swype.com:443", "-"),
            ("swype_gateway:443", "-"),
            ("", "-"),
            (":443", "-"),
        ] {
            let got = match ServiceAddress::of_peer(peer, "sre") {
                Some(ServiceAddress::Name { namespace, name }) => format!("{namespace}/{name}"),
                Some(ServiceAddress::ClusterIp(ip)) => ip.to_string(),
                None => "-".into(),
            };
            assert_eq!(got, want, "{peer}");
        }
    }

    #[test]
    fn the_phrase_says_how_many_endpoints_are_ready() {
        let now = "2026-11-29T08:30:00Z".parse().unwrap();
        let address = ServiceAddress::of_peer("swype-gateway:443", "sre").unwrap();
        for (ready, total, changed_at, want) in [
            (0, 3, "2026-11-29T08:24:59Z", "0 ready endpoints since 08:24"),
            (0, 0, "2026-11-28T23:01:00Z", "0 ready endpoints since 2026-11-28 23:01"),
            (0, 0, "", "0 ready endpoints"),
            (1, 3, "2026-11-29T08:24:59Z", "1 of 3 endpoints ready"),
            (3, 3, "2026-11-29T08:24:59Z", "all 3 endpoints ready: the fault may be on the way"),
            (1, 1, "2026-11-29T08:24:59Z", "the only endpoint is ready: the fault may be on the way"),
        ] {
            let (namespace, name) = ("sre".into(), "swype-gateway".into());
            let service = PeerService { namespace, name, ready, total, changed_at: changed_at.parse().ok() };
            assert_eq!(service.describe(&address, now), want);
        }
    }
}
