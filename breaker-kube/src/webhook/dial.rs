//! [`LocalReceivers`]: whether a webhook may connect to addresses of its own machine and link.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

/// Whether a webhook may connect to loopback, link-local and unspecified addresses.
///
/// Who may write a CircuitBreaker chooses its URLs, and the controller calls them from where it
/// runs: such an address leads to neighbours in its pod and to the metadata service of a cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LocalReceivers {
    /// Refused, after the name was resolved.
    #[default]
    Refused,
    /// Allowed: whoever chose the URL also runs the program.
    Allowed,
}

/// The receiver has only addresses that are refused.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("its address is loopback, link-local or unspecified, which is refused")]
pub(super) struct LocalAddress;

impl LocalReceivers {
    /// Checks the host of a URL that is an address. A name is checked once it is resolved.
    pub(super) fn check(self, url: &Uri) -> Result<(), LocalAddress> {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if self.refuses(address) => Err(LocalAddress),
            _ => Ok(()),
        }
    }

    fn refuses(self, address: IpAddr) -> bool {
        self == Self::Refused && is_local(address)
    }
}

/// Resolves names and leaves out the addresses that are refused.
#[derive(Clone)]
pub(super) struct Resolver {
    names: GaiResolver,
    local: LocalReceivers,
}

impl Resolver {
    pub(super) fn new(local: LocalReceivers) -> Self {
        Self { names: GaiResolver::new(), local }
    }
}

/// How long a name is resolved that a proxy will resolve again.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

impl Resolver {
    /// Refuses a host that a proxy is to resolve, if one of the addresses that this machine knows
    /// for it is refused. A host that is not known here passes: only the proxy knows it.
    pub(super) async fn check(&self, host: &str) -> io::Result<()> {
        let Ok(name) = host.trim_matches(['[', ']']).parse::<Name>() else { return Ok(()) };
        if self.local == LocalReceivers::Allowed {
            return Ok(());
        }
        let resolving = tokio::time::timeout(CHECK_TIMEOUT, self.names.clone().call(name)).await;
        let Ok(Ok(mut addresses)) = resolving else { return Ok(()) };
        if addresses.any(|address| self.local.refuses(address.ip())) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, LocalAddress));
        }
        Ok(())
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.names.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, local) = (self.names.call(name), self.local);
        Box::pin(async move {
            let mut addresses = resolving.await?.peekable();
            let is_known = addresses.peek().is_some();
            let allowed: Vec<_> = addresses.filter(|address| !local.refuses(address.ip())).collect();
            if is_known && allowed.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, LocalAddress));
            }
            Ok(allowed.into_iter())
        })
    }
}

/// Whether the address is one of this machine or of its link, in any of the ways to write it.
fn is_local(address: IpAddr) -> bool {
    let v4 = |address: Ipv4Addr| {
        address.is_loopback() || address.is_link_local() || address.octets()[0] == 0 || address.is_broadcast()
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unicast_link_local()
                || embedded_v4(address).is_some_and(v4)
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, or translated by NAT64 or 6to4.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(from(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), LocalAddress> {
        LocalReceivers::Refused.check(&url.parse().unwrap())
    }

    #[test]
    fn an_address_of_this_machine_or_its_link_is_refused_however_it_is_written() {
        for url in [
            "http://127.0.0.1:8080/x",
            "http://127.9.9.9/",
            "http://0.0.0.0/",
            "http://0.1.2.3/",
            "http://169.254.169.254/latest/meta-data",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]:80/",
            "http://[fe80::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::169.254.169.254]/",
            "http://[2002:7f00:1::]/",
        ] {
            assert!(check(url).is_err(), "{url}");
            assert!(LocalReceivers::Allowed.check(&url.parse().unwrap()).is_ok(), "{url}");
        }
    }

    #[test]
    fn other_addresses_are_not() {
        for url in [
            "http://10.0.0.7/",
            "https://192.168.1.1/",
            "http://[fd00::7]/",
            "http://[2001:db8::1]/",
            "http://[::ffff:10.0.0.7]/",
            "http://[64:ff9b::808:808]/",
            "https://hooks.example.org/x",
        ] {
            assert!(check(url).is_ok(), "{url}");
        }
    }

    /// The resolver of the machine also reads numbers as addresses.
    #[tokio::test]
    async fn a_name_that_resolves_to_such_an_address_is_refused() {
        for name in ["localhost", "2130706433", "0x7f.1", "127.1"] {
            let resolve = |local| Resolver::new(local).call(name.parse().unwrap());
            let refused = resolve(LocalReceivers::Refused).await.unwrap_err();
            assert!(refused.to_string().contains("loopback"), "{name}: {refused}");
            let found: Vec<_> = resolve(LocalReceivers::Allowed).await.unwrap().collect();
            assert!(found.iter().all(|address| address.ip().is_loopback()), "{name}: {found:?}");
        }
    }
}
