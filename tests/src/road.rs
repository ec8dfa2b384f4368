//! The road to the API server, which a test can close: for one program alone, without disturbing the others.

use std::path::PathBuf;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::Cluster;

/// A proxy in front of the API server. Closed, it accepts connections and lets no byte through, as a firewall that
/// drops would: nothing is refused, nothing answers.
pub struct Road {
    open: watch::Sender<bool>,
    /// A kubeconfig that leads over this road.
    pub kubeconfig: PathBuf,
    _directory: tempfile::TempDir,
}

impl Road {
    /// An open road.
    ///
    /// # Panics
    /// When the kubeconfig has another shape than the test cluster's.
    pub async fn to(cluster: &Cluster) -> Self {
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

    /// No byte passes any more, in either direction.
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    /// New connections pass again; those that were under way when it closed are gone.
    pub fn open(&self) {
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
            // Held, silent, until the road opens.
            let _ = open.wait_for(|open| *open).await;
        });
    }
}
