//! A gate before the API server that a test can shut for pods alone: the view of a fleet goes stale, and all else,
//! breakers and scales and the Lease, goes on.

use std::convert::Infallible;
use std::path::PathBuf;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use kube::config::{AuthInfo, NamedAuthInfo};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Cluster;

/// What the gate lets through of requests for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pods {
    /// All.
    Pass,
    /// Lists, and no watch.
    Listed,
    /// None.
    Withheld,
}

/// A proxy that speaks HTTP to the program under test, and to the API server as administrator. What it withholds is
/// never answered, also not later: as over a connection whose other end has forgotten it.
pub struct Gate {
    pods: watch::Sender<Pods>,
    /// A kubeconfig that leads through this gate.
    pub kubeconfig: PathBuf,
    _directory: tempfile::TempDir,
}

impl Gate {
    /// An open gate.
    ///
    /// # Panics
    /// When the kubeconfig has another shape than the test cluster's.
    pub async fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (directory, kubeconfig) = cluster.kubeconfig_with(|config| {
            for named in &mut config.clusters {
                let cluster = named.cluster.as_mut().expect("a cluster");
                cluster.server = Some(format!("http://{address}"));
                cluster.certificate_authority_data = None;
            }
            for NamedAuthInfo { auth_info, .. } in &mut config.auth_infos {
                *auth_info = Some(AuthInfo::default());
            }
        });
        let (pods, let_through) = watch::channel(Pods::Pass);
        tokio::spawn(serve(listener, cluster.client.clone(), let_through));
        Self { pods, kubeconfig, _directory: directory }
    }

    /// From now on; what is under way and not let through any more falls silent.
    pub fn set(&self, pods: Pods) {
        self.pods.send_replace(pods);
    }
}

async fn serve(listener: TcpListener, client: Client, pods: watch::Receiver<Pods>) {
    while let Ok((near, _)) = listener.accept().await {
        let (client, pods) = (client.clone(), pods.clone());
        tokio::spawn(async move {
            let (watches, is_watching) = watch::channel(false);
            let service = service_fn(|request: Request<Incoming>| {
                let about = About::of(&request);
                watches.send_replace(about == About::PodWatch);
                forward(client.clone(), request, about.passes(*pods.borrow()))
            });
            let conversation = http1::Builder::new().serve_connection(TokioIo::new(near), service);
            let mut shut = pods.clone();
            let silenced = async {
                let _ = shut.wait_for(|pods| *is_watching.borrow() && *pods != Pods::Pass).await;
            };
            tokio::pin!(conversation);
            tokio::select! {
                _ = &mut conversation => {}
                // Held, and never taken up again.
                () = silenced => std::future::pending().await,
            }
        });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    PodWatch,
    PodList,
    Else,
}

impl About {
    fn of(request: &Request<Incoming>) -> Self {
        let (uri, query) = (request.uri(), request.uri().query().unwrap_or_default());
        match uri.path().ends_with("/pods") {
            true if query.contains("watch=true") => Self::PodWatch,
            true => Self::PodList,
            false => Self::Else,
        }
    }

    fn passes(self, pods: Pods) -> bool {
        match self {
            Self::PodWatch => pods == Pods::Pass,
            Self::PodList => pods != Pods::Withheld,
            Self::Else => true,
        }
    }
}

async fn forward(
    client: Client,
    request: Request<Incoming>,
    passes: bool,
) -> Result<Response<Body>, Infallible> {
    if !passes {
        return std::future::pending().await;
    }
    let (mut head, body) = request.into_parts();
    head.headers.remove("host");
    let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    match client.send(Request::from_parts(head, bytes.into())).await {
        Ok(answer) => Ok(answer),
        // The test takes the API server away, or ends.
        Err(_) => std::future::pending().await,
    }
}
