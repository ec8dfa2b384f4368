//! An HTTP proxy in front of the API server that can block requests for pods alone.
//!
//! A controller behind it gets a stale view of the pods, while breakers, scales and the Lease work.

use std::convert::Infallible;
use std::path::PathBuf;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Cluster;

/// The requests for pods that the proxy forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodAccess {
    /// All requests.
    Allowed,
    /// Lists, but no watch.
    ListOnly,
    /// No request.
    Blocked,
}

/// A proxy that speaks plain HTTP to the program under test and talks to the API server as
/// administrator.
///
/// It never answers a blocked request, not even after a later [`set`](Self::set): the connection
/// behaves like one whose peer has vanished.
pub struct ApiProxy {
    pods: watch::Sender<PodAccess>,
    /// A kubeconfig whose server is this proxy.
    pub kubeconfig: PathBuf,
    _directory: tempfile::TempDir,
}

impl ApiProxy {
    /// Starts a proxy that forwards everything.
    ///
    /// # Panics
    /// When the kubeconfig does not have the shape of the test cluster's.
    pub async fn start(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (directory, kubeconfig) = cluster.kubeconfig_of_proxy(address);
        let (pods, pod_access) = watch::channel(PodAccess::Allowed);
        tokio::spawn(serve(listener, cluster.client.clone(), pod_access));
        Self { pods, kubeconfig, _directory: directory }
    }

    /// Changes the requests that are forwarded. A running watch that is no longer allowed falls
    /// silent.
    pub fn set(&self, pods: PodAccess) {
        self.pods.send_replace(pods);
    }
}

async fn serve(listener: TcpListener, client: Client, pods: watch::Receiver<PodAccess>) {
    while let Ok((near, _)) = listener.accept().await {
        let (client, pods) = (client.clone(), pods.clone());
        tokio::spawn(async move {
            let (watches, is_watching) = watch::channel(false);
            let service = service_fn(|request: Request<Incoming>| {
                let kind = RequestKind::from_request(&request);
                watches.send_replace(kind == RequestKind::PodWatch);
                forward(client.clone(), request, kind.is_forwarded(*pods.borrow()))
            });
            let conversation = http1::Builder::new().serve_connection(TokioIo::new(near), service);
            let mut shut = pods.clone();
            let silenced = async {
                let _ = shut.wait_for(|pods| *is_watching.borrow() && *pods != PodAccess::Allowed).await;
            };
            tokio::pin!(conversation);
            tokio::select! {
                _ = &mut conversation => {}
                // The connection stays open, but nothing is served on it.
                () = silenced => std::future::pending().await,
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    PodWatch,
    PodList,
    Other,
}

impl RequestKind {
    fn from_request(request: &Request<Incoming>) -> Self {
        let (uri, query) = (request.uri(), request.uri().query().unwrap_or_default());
        match uri.path().ends_with("/pods") {
            true if query.contains("watch=true") => Self::PodWatch,
            true => Self::PodList,
            false => Self::Other,
        }
    }

    fn is_forwarded(self, pods: PodAccess) -> bool {
        match self {
            Self::PodWatch => pods == PodAccess::Allowed,
            Self::PodList => pods != PodAccess::Blocked,
            Self::Other => true,
        }
    }
}

async fn forward(
    client: Client,
    request: Request<Incoming>,
    is_forwarded: bool,
) -> Result<Response<Body>, Infallible> {
    if !is_forwarded {
        return std::future::pending().await;
    }
    let (mut head, body) = request.into_parts();
    head.headers.remove("host");
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    match client.send(Request::from_parts(head, bytes.into())).await {
        Ok(answer) => Ok(answer),
        // The test stopped the API server, or ended.
        Err(_) => std::future::pending().await,
    }
}
