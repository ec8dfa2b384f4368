//! `watcher controller`: every CircuitBreaker of a scope, in one process.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use breaker_core::{ClusterError, Notice};
use breaker_kube::{Audience, BreakerName, Fleet, FleetOptions, HttpMessenger, KubeSecrets};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::Controller;
use crate::connect::{Cluster, in_time};
use crate::exit::Exit;
use crate::output::{Aside, Format, Teller, Told};
use crate::signals::unless_stopped;

pub(crate) async fn controller(controller: Controller) -> anyhow::Result<Exit> {
    let Controller { cluster: args, namespace, guard_targets, classifier, heartbeat, format } = controller;
    let stage = Arc::new(Stage::new(format));
    let audience: Arc<dyn Audience> = Arc::clone(&stage) as _;
    let starting = in_time(async {
        let cluster = Cluster::connect(&args).await?;
        let secrets = Arc::new(KubeSecrets::new(cluster.kube.clone()));
        let messenger = HttpMessenger::new(secrets).context("TLS to hooks cannot be set up")?;
        let options = FleetOptions {
            namespace,
            guard_targets,
            classifier: Arc::new(classifier),
            heartbeat,
            messenger: Some(Arc::new(messenger)),
        };
        let fleet = Fleet::new(cluster.kube, options, audience);
        match fleet.check().await {
            Err(error @ ClusterError::NotFound(_)) => {
                Err(error).context("install it with `watcher crd | kubectl apply --server-side -f -`")
            }
            checked => checked.context("starting the controller"),
        }?;
        Ok(fleet)
    });
    let fleet = match unless_stopped(starting).await? {
        Ok(started) => started?,
        Err(signal) => return Ok(Exit::Signal(signal)),
    };
    stage.aside(None, Timestamp::now(), "watching every CircuitBreaker of its scope");
    match unless_stopped(fleet.run()).await? {
        Ok(ended) => {
            ended.context("running the fleet")?;
            Ok(Exit::Done)
        }
        Err(signal) => {
            let message = format!("stopped by {signal}; what had begun is resumed by the next controller");
            stage.aside(None, Timestamp::now(), &message);
            Ok(Exit::Signal(signal))
        }
    }
}

/// Tells on stdout what happens to which breaker. Heartbeats are for the status alone.
struct Stage(Mutex<Teller<Box<dyn Write + Send>>>);

impl Stage {
    fn new(format: Format) -> Self {
        Self(Mutex::new(Teller::new(format, Box::new(std::io::stdout()))))
    }

    fn tell(&self, breaker: Option<&BreakerName>, at: Timestamp, told: &impl Told) {
        let told = Of { breaker: breaker.map(ToString::to_string), told };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tell(at, &told);
    }

    fn aside(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.tell(breaker, at, &Aside::Note { message: message.into() });
    }
}

impl Audience for Stage {
    fn told(&self, breaker: &BreakerName, at: Timestamp, notice: &Notice) {
        if !matches!(notice, Notice::Heartbeat { .. }) {
            self.tell(Some(breaker), at, notice);
        }
    }

    fn remark(&self, breaker: Option<&BreakerName>, at: Timestamp, message: &str) {
        self.aside(breaker, at, message);
    }

    fn phase(&self, _: &BreakerName, _: &'static str) {}

    fn gone(&self, _: &BreakerName) {}
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
