//! A TCP proxy in front of the API server that cuts off one program and leaves the others alone.

use std::path::PathBuf;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Cluster;

/// A proxy in front of the API server.
///
/// While it blocks, it accepts connections and forwards no byte, like a firewall that drops
/// packets: nothing is refused and nothing answers.
pub struct TcpProxy {
    open: watch::Sender<bool>,
    /// A kubeconfig whose server is this proxy.
    pub kubeconfig: PathBuf,
    _directory: tempfile::TempDir,
}

impl TcpProxy {
    /// Starts a proxy that forwards everything.
    ///
    /// # Panics
    /// When the kubeconfig does not have the shape of the test cluster's.
    pub async fn start(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mut server = String::new();
        let (directory, kubeconfig) = cluster.kubeconfig_with(|config| {
            for named in &mut config.clusters {
                let cluster = named.cluster.as_mut().expect("a cluster");
                server = cluster.server.take().expect("a server").replace("https://", "");
                cluster.server = Some(format!("https://127.0.0.1:{port}"));
                cluster.tls_server_name = server.split(':').next().map(str::to_owned);
            }
        });
        let (open, is_open) = watch::channel(true);
        tokio::spawn(serve(listener, server, is_open));
        Self { open, kubeconfig, _directory: directory }
    }

    /// Stops forwarding, in both directions.
    pub fn block(&self) {
        self.open.send_replace(false);
    }

    /// Forwards new connections again. Connections that were blocked are closed.
    pub fn unblock(&self) {
        self.open.send_replace(true);
    }
}

async fn serve(listener: TcpListener, server: String, open: watch::Receiver<bool>) {
    while let Ok((mut near, _)) = listener.accept().await {
        let (server, mut open) = (server.clone(), open.clone());
        tokio::spawn(async move {
            if *open.borrow_and_update()
                && let Ok(mut far) = TcpStream::connect(&server).await
            {
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => return,
                    _ = open.wait_for(|open| !open) => {}
                }
            }
            // Stays open and silent until the proxy forwards again.
            let _ = open.wait_for(|open| *open).await;
        });
    }
}
