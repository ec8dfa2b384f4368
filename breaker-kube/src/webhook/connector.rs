//! [`Connector`]: connections to receivers, direct or through a proxy.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use breaker_core::cluster::BoxError;
use http::Uri;
use http::uri::Authority;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::dial::{LocalReceivers, Resolver};
use crate::proxies::{Proxies, proxy_url};

/// Connects to a receiver, or to the proxy that [`Proxies`] name for it.
///
/// A proxy resolves the name of the receiver by itself, so its address is not known here. A name
/// that resolves to a refused address on this machine is refused all the same.
#[derive(Clone)]
pub(super) struct Connector {
    direct: HttpConnector<Resolver>,
    resolver: Resolver,
    proxies: Proxies,
}

impl Connector {
    pub(super) fn new(local: LocalReceivers, proxies: Proxies) -> Self {
        let resolver = Resolver::new(local);
        let mut direct = HttpConnector::new_with_resolver(resolver.clone());
        direct.enforce_http(false);
        Self { direct, resolver, proxies }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, receiver: Uri) -> Self::Future {
        let Some(proxy) = self.proxies.intercept(&receiver) else {
            let connecting = self.direct.call(receiver);
            return Box::pin(async { Ok(connecting.await?) });
        };
        let resolver = self.resolver.clone();
        Box::pin(async move {
            resolver.check(receiver.host().unwrap_or_default()).await?;
            through(&proxy, with_port(receiver)?).await
        })
    }
}

/// A connection to `receiver` through `proxy`, which the operator has chosen and may be local.
async fn through(proxy: &Intercept, receiver: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let url = proxy_url(&proxy.uri().to_string())?;
    if url.scheme_str() == Some("socks5") {
        let mut socks = SocksV5::new(url, http);
        if let Some((user, password)) = proxy.raw_auth() {
            socks = socks.with_auth(user.to_owned(), password.to_owned());
        }
        return Ok(socks.call(receiver).await?);
    }
    let mut tunnel = Tunnel::new(url, http);
    if let Some(auth) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(auth.clone());
    }
    Ok(tunnel.call(receiver).await?)
}

/// The URL with its port: without one a tunnel would lead to that of HTTPS.
fn with_port(url: Uri) -> Result<Uri, BoxError> {
    if url.port().is_some() || url.scheme_str() == Some("https") {
        return Ok(url);
    }
    let mut parts = url.into_parts();
    let authority = parts.authority.ok_or_else(|| io::Error::other("the URL has no host"))?;
    parts.authority = Some(format!("{authority}:80").parse::<Authority>()?);
    Ok(Uri::from_parts(parts)?)
}
