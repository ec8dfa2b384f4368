//! `watcher controller`: every CircuitBreaker of a scope, in one process.
//!
//! ```text
//! Lease ─▶ Election ─standing─▶ Reign ── while it leads ──▶ Fleet ─▶ Stage ─▶ stdout, Metrics
//!                      └──────────────────▶ Vitals ─▶ /metrics /readyz
//! ```

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use breaker_core::{BreakerEvent, ClusterError};
use breaker_kube::lease::{Election, Leadership, LeaseParams};
use breaker_kube::{
    BreakerName, Fleet, FleetError, FleetObserver, FleetOptions, HttpWebhookClient, KubeClient, KubeSecrets,
};
use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::args::Controller;
use crate::connect::{Cluster, in_time};
use crate::exit::{Exit, Usage};
use crate::metrics::Metrics;
use crate::output::{Aside, Format, Teller, Told};
use crate::serve::serve;
use crate::signals::unless_stopped;
use crate::vitals::Vitals;

/// Name of the Lease, beside the controller or in the namespace that it is confined to.
const LEASE: &str = "bigredbutton-controller";

pub(crate) async fn controller(controller: Controller) -> anyhow::Result<Exit> {
    let Controller { cluster: args, namespace, guard_targets, classifier, heartbeat, format, .. } =
        controller;
    let stage = Arc::new(Stage::new(format));
    let starting = in_time(async {
        let cluster = Cluster::connect(&args).await?;
        let secrets = Arc::new(KubeSecrets::new(cluster.kube.clone()));
        let messenger = HttpWebhookClient::new(secrets).context("TLS to hooks cannot be set up")?;
        let options = FleetOptions {
            namespace,
            guard_targets,
            classifier: Arc::new(classifier),
            heartbeat,
            messenger: Some(Arc::new(messenger)),
        };
        let fleet = Fleet::new(cluster.kube.clone(), options.clone(), stage.clone());
        match fleet.check().await {
            Err(error @ ClusterError::NotFound(_)) => {
                Err(error).context("install it with `watcher crd | kubectl apply --server-side -f -`")
            }
            checked => checked.context("starting the controller"),
        }?;
        Ok((cluster, options))
    });
    let (cluster, options) = match unless_stopped(starting).await? {
        Ok(started) => started?,
        Err(signal) => return Ok(Exit::Signal(signal)),
    };
    let (tell, standing) = watch::channel(Leadership::Following(None));
    let vitals = Arc::new(Vitals::new(Arc::clone(&stage.metrics), cluster.kube.clone(), standing.clone()));
    if let Some(address) = controller.listen {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Usage(format!("--listen {address} cannot be used: {error}")))?;
        stage.note(&format!("serving /metrics, /healthz and /readyz on http://{}", listener.local_addr()?));
        tokio::spawn(serve(listener, Arc::clone(&vitals) as _));
    }
    let reign = Reign { kube: cluster.kube.clone(), options, stage: Arc::clone(&stage), vitals };
    let (done, is_done) = oneshot::channel::<()>();
    let work = async {
        let ended = unless_stopped(reign.whenever_it_leads(standing)).await;
        // What acted as leader has ended: now another one may.
        drop(done);
        ended
    };
    let office = async {
        let over = async { is_done.await.unwrap_or_default() };
        match controller.lease.place(&cluster.namespace) {
            Some((namespace, name)) => {
                let election = Election::new(&cluster.kube, LeaseParams::new(&namespace, &name, &identity()));
                election.run(&tell, over).await;
            }
            None => {
                tell.send_replace(Leadership::Leading);
                over.await;
            }
        }
    };
    let (ended, ()) = tokio::join!(work, office);
    match ended? {
        Ok(ended) => {
            ended.context("running the fleet")?;
            Ok(Exit::Done)
        }
        Err(signal) => {
            stage.note(&format!("stopped by {signal}; what had begun is resumed by the next controller"));
            Ok(Exit::Signal(signal))
        }
    }
}

/// Another one for each process, also in the same pod.
fn identity() -> String {
    let pod = ["POD_NAME", "HOSTNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    let random = RandomState::new().hash_one(std::process::id());
    format!("{}_{random:016x}", pod.as_deref().unwrap_or("watcher"))
}

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
    fn place(&self, namespace: &str) -> Option<(String, String)> {
        match self {
            Self::Usual => Some((namespace.into(), LEASE.into())),
            Self::Named(other, name) => Some((other.as_deref().unwrap_or(namespace).into(), name.clone())),
            Self::None => None,
        }
    }
}

/// A fleet for each time that this controller leads.
struct Reign {
    kube: KubeClient,
    options: FleetOptions,
    stage: Arc<Stage>,
    vitals: Arc<Vitals>,
}

impl Reign {
    async fn whenever_it_leads(&self, mut standing: watch::Receiver<Leadership>) -> Result<(), FleetError> {
        loop {
            let now = standing.borrow_and_update().clone();
            match now {
                Leadership::Leading => {
                    self.stage.note("it leads, and watches every CircuitBreaker of its scope");
                    let audience = Arc::clone(&self.stage) as Arc<dyn FleetObserver>;
                    let fleet = Arc::new(Fleet::new(self.kube.clone(), self.options.clone(), audience));
                    self.vitals.runs(Some(Arc::clone(&fleet)));
                    let ended = tokio::select! {
                        ended = fleet.run() => Some(ended),
                        _ = standing.wait_for(|standing| !standing.leads()) => None,
                    };
                    self.vitals.runs(None);
                    match ended {
                        Some(ended) => return ended,
                        None => {
                            standing.mark_changed();
                            self.stage.note("it does not lead any more; what had begun is the next leader's");
                        }
                    }
                }
                Leadership::Following(Some(leader)) => {
                    self.stage.note(&format!("it stands by; {leader} leads"))
                }
                Leadership::Following(None) => {}
                Leadership::Unknown(why) => self.stage.note(&format!("it cannot learn who leads: {why}")),
            }
            if standing.changed().await.is_err() {
                // Nobody decides any more: the controller is about to end.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Tells on stdout what happens to which breaker. Heartbeats are for the status alone.
struct Stage {
    teller: Mutex<Teller<Box<dyn Write + Send>>>,
    metrics: Arc<Metrics>,
}

impl Stage {
    fn new(format: Format) -> Self {
        let teller = Teller::new(format, Box::new(std::io::stdout()) as _);
        Self { teller: Mutex::new(teller), metrics: Arc::default() }
    }

    fn tell(&self, breaker: Option<&BreakerName>, at: Timestamp, told: &impl Told) {
        let told = Of { breaker: breaker.map(ToString::to_string), told };
        self.teller.lock().unwrap_or_else(PoisonError::into_inner).tell(at, &told);
    }

    fn note(&self, message: &str) {
        self.aside(None, Timestamp::now(), message);
    }

    fn aside(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.tell(breaker, at, &Aside::Note { message: message.into() });
    }
}

impl FleetObserver for Stage {
    fn told(&self, breaker: &BreakerName, at: Timestamp, notice: &BreakerEvent) {
        self.metrics.notice(breaker, notice);
        if !matches!(notice, BreakerEvent::Heartbeat { .. }) {
            self.tell(Some(breaker), at, notice);
        }
    }

    fn remark(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.aside(breaker, at, message);
    }

    fn phase(&self, breaker: &BreakerName, phase: &'static str) {
        self.metrics.phase(breaker, phase);
    }

    fn gone(&self, breaker: &BreakerName) {
        self.metrics.gone(breaker);
    }
}

/// What is told, and of which breaker.
#[derive(Serialize)]
struct Of<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    breaker: Option<String>,
    #[serde(flatten)]
    told: &'a T,
}

impl<T: fmt::Display> fmt::Display for Of<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.breaker {
            Some(breaker) => write!(f, "{breaker} {}", self.told),
            None => self.told.fmt(f),
        }
    }
}

impl<T: Told> Told for Of<'_, T> {}
