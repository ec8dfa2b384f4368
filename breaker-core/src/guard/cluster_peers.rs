//! [`ClusterPeers`]: which peers are parts of the cluster itself. Their failure is an outage of the
//! cluster, not of a dependency.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::cluster::ServiceAddress;
use crate::text::{host_of, port_of};

/// Names of Services that belong to the cluster, in whichever namespace.
const SERVICE_NAMES: [&str; 5] = ["kubernetes", "kube-dns", "coredns", "core-dns", "node-local-dns"];

/// Beginnings of namespaces that belong to the cluster. Kubernetes reserves the first one.
const NAMESPACE_PREFIXES: [&str; 2] = ["kube-", "openshift-"];

/// Ports of DNS, of the API server and of the kubelet.
const PORTS: [&str; 5] = ["53", "853", "6443", "10250", "10255"];

/// A peer without its port, as the workloads of one namespace mean it: `redis` in two namespaces
/// are two peers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PeerId {
    /// A name or an address of a Service, or another IP address.
    Address(ServiceAddress),
    /// Anything else: a host, in lower case.
    Host(String),
}

impl PeerId {
    /// Reads a peer as a pod of `namespace` writes it.
    pub(super) fn new(peer: &str, namespace: &str) -> Self {
        match ServiceAddress::of_peer(peer, namespace) {
            Some(ServiceAddress::ClusterIp(ip)) => {
                Self::Address(ServiceAddress::ClusterIp(ip.to_canonical()))
            }
            Some(name) => Self::Address(name),
            None => Self::Host(host_of(peer).trim_end_matches('.').to_ascii_lowercase()),
        }
    }
}

/// The addresses and names of the cluster's own parts, as far as its objects show them: the API
/// server, the Services of the system, and the nodes.
///
/// ```
/// use breaker_core::guard::ClusterPeers;
///
/// let cluster = ClusterPeers::new(["10.96.0.1".parse()?, "192.168.7.20".parse()?], ["node-1"]);
/// for peer in ["10.96.0.1:443", "192.168.7.20:30080", "node-1:9100", "kube-dns.kube-system:53"] {
///     assert!(cluster.contains(peer, "sre"), "{peer}");
/// }
/// for peer in ["swype-gateway:443", "api.swype.com:443", "10.96.0.7:8080"] {
///     assert!(!cluster.contains(peer, "sre"), "{peer}");
/// }
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterPeers {
    addresses: BTreeSet<IpAddr>,
    names: BTreeSet<String>,
}

impl ClusterPeers {
    /// The parts of a cluster: their addresses, and the names of its nodes and of its API server.
    pub fn new<'n>(
        addresses: impl IntoIterator<Item = IpAddr>,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        Self {
            addresses: addresses.into_iter().map(|ip| ip.to_canonical()).collect(),
            names: names.into_iter().map(str::to_ascii_lowercase).collect(),
        }
    }

    /// Whether a peer, as a pod of `namespace` writes it, is one of these parts, or one by its name
    /// or port. The addresses of the pod and of its node itself (loopback, link-local) are parts,
    /// too: a sidecar or the DNS cache of the node listens there.
    pub fn contains(&self, peer: &str, namespace: &str) -> bool {
        self.owns(&PeerId::new(peer, namespace)) || port_of(peer).is_some_and(|port| PORTS.contains(&port))
    }

    fn owns(&self, peer: &PeerId) -> bool {
        match peer {
            PeerId::Address(ServiceAddress::Name { namespace, name }) => {
                SERVICE_NAMES.contains(&name.as_str())
                    || NAMESPACE_PREFIXES.iter().any(|prefix| namespace.starts_with(prefix))
                    || self.names.contains(name)
                    || self.names.contains(&format!("{name}.{namespace}"))
            }
            PeerId::Address(ServiceAddress::ClusterIp(ip)) => self.owns_address(*ip),
            PeerId::Host(host) => match host.trim_matches(['[', ']']).parse::<IpAddr>() {
                Ok(ip) => self.owns_address(ip.to_canonical()),
                Err(_) => host.is_empty() || host == "localhost" || self.names.contains(host),
            },
        }
    }

    fn owns_address(&self, ip: IpAddr) -> bool {
        let link_local = match ip {
            IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        };
        ip.is_loopback()
            || ip.is_unspecified()
            || ip.is_multicast()
            || link_local
            || self.addresses.contains(&ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_cluster_are_known_by_name_port_or_address() {
        let addresses = ["10.96.0.1", "fd00::1", "203.0.113.9"].map(|ip| ip.parse().unwrap());
        let names = ["node-1", "Node-2.example.com", "api.k8s.example.com", "worker.lan"];
        let cluster = ClusterPeers::new(addresses, names);
        for (peer, own) in [
            ("kubernetes:443", true),
            ("kubernetes.default", true),
            ("kubernetes.default.svc.cluster.local:443", true),
            ("kube-dns:9153", true),
            ("CoreDNS:9153", true),
            ("metrics-server.kube-system.svc:443", true),
            ("dns-default.openshift-dns.svc:9154", true),
            ("8.8.8.8:53", true),
            ("dns.example.com:853", true),
            ("10.0.0.5:6443", true),
            ("10.0.0.5:10250", true),
            ("10.96.0.1:443", true),
            ("[fd00::1]:443", true),
            ("[::ffff:10.96.0.1]:443", true),
            ("203.0.113.9:30443", true),
            ("node-1:30443", true),
            ("node-2.example.com.:9100", true),
            ("worker.lan:9100", true),
            ("API.k8s.example.com:443", true),
            ("localhost:8080", true),
            ("127.0.0.1:15001", true),
            ("[::1]:15001", true),
            ("0.0.0.0:80", true),
            ("169.254.20.10:9253", true),
            ("169.254.169.254:80", true),
            ("[fe80::1]:80", true),
            ("", true),
            ("swype-gateway:443", false),
            ("swype-gateway.pay:443", false),
            ("api.swype.com:443", false),
            ("kubernetes.io:443", true), // it can be the Service of that name in a namespace `io`
            ("docs.kubernetes.io:443", false),
            ("10.96.0.7:8080", false),
            ("203.0.113.10:443", false),
            ("node-10:443", false),
            ("gateway:5353", false),
        ] {
            assert_eq!(cluster.contains(peer, "sre"), own, "{peer}");
        }
    }

    #[test]
    fn one_peer_has_several_spellings_and_one_spelling_may_be_several_peers() {
        let id = |peer, namespace| PeerId::new(peer, namespace);
        for same in ["redis", "redis:6380", "Redis.pay", "redis.pay.svc:6379", "redis.pay.svc.cluster.local."]
        {
            assert_eq!(id(same, "pay"), id("redis:6379", "pay"), "{same}");
        }
        assert_ne!(id("redis:6379", "pay"), id("redis:6379", "sre"));
        assert_eq!(id("redis.pay:6379", "sre"), id("redis", "pay"));
        assert_eq!(id("API.swype.com:443", "sre"), id("api.swype.com.", "pay"));
        assert_eq!(id("[::ffff:10.0.0.7]:443", "sre"), id("10.0.0.7", "pay"));
    }
}
