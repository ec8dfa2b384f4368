//! `watcher controller`: every CircuitBreaker of one or all namespaces, in one process.
//!
//! ```text
//! Lease ─▶ Election ─standing─▶ LeaderLoop ── while it leads ──▶ Fleet ─▶ ControllerOutput ─▶ stdout, Metrics
//!                      └──────────────────▶ Health ─▶ /metrics /readyz
//! ```

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use anyhow::Context;
use breaker_core::ClusterError;
use breaker_kube::lease::{Election, Leadership, LeaseParams};
use breaker_kube::{
    fleet::{Fleet, FleetOptions},
    webhook::{HttpWebhookClient, KubeSecrets},
};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::cli::controller_args::ControllerOptions;
use crate::cli::exit::{Exit, UsageError};
use crate::cli::format::LogFormat;
use crate::cli::signal::Signal;
use crate::cluster::access;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::controller::health::Health;
use crate::controller::http::serve;
use crate::controller::leader_loop::LeaderLoop;
use crate::controller::output::ControllerOutput;
use crate::controller::own_pod::own_pod;

pub(crate) async fn controller(controller: ControllerOptions) -> anyhow::Result<Exit> {
    let ControllerOptions { cluster: args, namespace, classifier, .. } = controller;
    let output = Arc::new(ControllerOutput::new(controller.format));
    let starting = with_startup_timeout(async {
        let cluster = Cluster::connect(&args).await?;
        let secrets = Arc::new(KubeSecrets::new(cluster.kube.clone()));
        let webhooks = HttpWebhookClient::new(secrets, controller.local_receivers)
            .context("TLS to hooks cannot be set up")?;
        let mut options = FleetOptions::default();
        options.namespace = namespace;
        options.outage_guard_targets = controller.outage_guard_targets;
        options.outage_guard_common_peer = controller.outage_guard_common_peer;
        options.classifier = Arc::new(classifier);
        options.status_interval = controller.status_interval;
        options.own_pod = own_pod(|variable| std::env::var(variable).ok(), cluster.kube.default_namespace());
        options.webhooks = Some(Arc::new(webhooks));
        let lease = controller.lease.as_ref();
        let lease =
            lease.map(|lease| (lease.namespace.as_deref().unwrap_or(&cluster.namespace), &*lease.name));
        options.lease = lease.map(|(namespace, name)| format!("{namespace}/{name}"));
        let missing = access::check_controller(&cluster.kube, options.namespace.as_deref(), lease).await?;
        if let Some(missing) = missing {
            match controller.log_format {
                LogFormat::Text => eprint!("{missing}"),
                LogFormat::Json => tracing::warn!("{missing}"),
            }
        }
        let fleet = Fleet::new(cluster.kube.clone(), options.clone(), output.clone());
        match fleet.check().await {
            Err(error @ ClusterError::NotFound(_)) => {
                Err(error).context("install it with `watcher crd | kubectl apply --server-side -f -`")
            }
            checked => checked.context("starting the controller"),
        }?;
        Ok((cluster, options))
    });
    let (cluster, options) = until_signal(starting).await?;
    let (standing_sender, standing) = watch::channel(Leadership::Following(None));
    let health = Arc::new(Health::new(Arc::clone(&output.metrics), cluster.kube.clone(), standing.clone()));
    if let Some(address) = controller.bind_address {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| UsageError(format!("--bind-address {address} cannot be used: {error}")))?;
        output.note(&format!("serving /metrics, /healthz and /readyz on http://{}", listener.local_addr()?));
        tokio::spawn(serve(listener, Arc::clone(&health) as _));
    }
    let leader_loop = LeaderLoop { kube: cluster.kube.clone(), options, output: Arc::clone(&output), health };
    let (done, is_done) = oneshot::channel::<()>();
    let work = async {
        let result =
            until_signal(async { leader_loop.run(standing).await.context("running the fleet") }).await;
        // The fleet has ended: only now may another controller lead.
        drop(done);
        result
    };
    let election = async {
        let over = async { is_done.await.unwrap_or_default() };
        match &controller.lease {
            Some(lease) => {
                let namespace = lease.namespace.as_deref().unwrap_or(&cluster.namespace);
                let params = LeaseParams::new(namespace, &lease.name, identity());
                let election = Election::new(&cluster.kube, params);
                election.run(&standing_sender, over).await;
            }
            None => {
                standing_sender.send_replace(Leadership::Leading);
                over.await;
            }
        }
    };
    let (result, ()) = tokio::join!(work, election);
    if let Err(error) = &result
        && let Some(signal) = error.downcast_ref::<Signal>()
    {
        output.note(&format!("stopped by {signal}; in-flight trips resume on the next controller"));
    }
    result.map(|()| Exit::Done)
}

/// The holder identity of this process, also unique among processes of one pod.
fn identity() -> String {
    let pod = ["POD_NAME", "HOSTNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}_{random:016x}", pod.as_deref().unwrap_or("watcher"))
}
