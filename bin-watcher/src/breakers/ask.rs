//! `trip NAME` and `reset NAME`: asked of the controller, and waited for.

use std::time::Duration;

use anyhow::{Context, bail};
use breaker_core::ClusterError;
use breaker_kube::crd::{ModeName, OverrideName, RESET_ANNOTATION, condition};
use breaker_kube::{BreakerName, KubeClient};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Known, Missing};
use crate::args::ClusterArgs;
use crate::connect::{Cluster, in_time};
use crate::exit::{Exit, Usage};
use crate::output::{Aside, Format, Teller};
use crate::signals::unless_stopped;
use crate::undo;

/// A controller that runs has acted by then.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The status is written often: a conflict is routine.
const TRIES: u32 = 5;

pub(crate) async fn trip(cluster: &ClusterArgs, name: &str, format: Format) -> anyhow::Result<Exit> {
    let mut asked = Asked::begin(cluster, name, format).await?;
    match unless_stopped(asked.trip()).await? {
        Ok(done) => done.map(|()| Exit::Done),
        Err(signal) => Ok(Exit::Signal(signal)),
    }
}

pub(crate) async fn reset(cluster: &ClusterArgs, name: &str, format: Format) -> anyhow::Result<Exit> {
    let mut asked = Asked::begin(cluster, name, format).await?;
    match unless_stopped(asked.reset()).await? {
        Ok(done) => done.map(|()| Exit::Done),
        Err(signal) => Ok(Exit::Signal(signal)),
    }
}

struct Asked {
    kube: KubeClient,
    name: BreakerName,
    undo: String,
    teller: Teller<std::io::Stdout>,
}

impl Asked {
    async fn begin(args: &ClusterArgs, name: &str, format: Format) -> anyhow::Result<Self> {
        let cluster = in_time(async { Ok(Cluster::connect(args).await?) }).await?;
        let name = BreakerName { namespace: cluster.namespace, name: name.to_owned() };
        let undo = undo::breaker(args, &name);
        Ok(Self { kube: cluster.kube, name, undo, teller: Teller::new(format, std::io::stdout()) })
    }

    async fn read(&self) -> anyhow::Result<Known> {
        in_time(async { Known::read(&self.kube, &self.name).await.or_how_to_find_it() }).await
    }

    fn note(&mut self, message: String) {
        self.teller.tell(Timestamp::now(), &Aside::Note { message });
    }

    async fn trip(&mut self) -> anyhow::Result<()> {
        let known = self.read().await?;
        let spec = known.spec.clone().with_context(|| format!("reading {}", self.name))?;
        if spec.mode == ModeName::Observe {
            return Err(Usage(format!(
                "{} only observes: set spec.mode to Enforce first, or trip the workload itself by --deployment or \
                 --target",
                self.name
            ))
            .into());
        }
        if known.phase() == "Open" && spec.override_ == OverrideName::ForcedOpen {
            self.note(format!("{} is open already{}", self.name, gives_back(&known)));
            return Ok(());
        }
        if spec.override_ == OverrideName::ForcedOpen {
            // Pressed before, and the workload is up again: a button must come up before it can be pressed.
            self.write(
                |known| json!({"spec": {"override": "Auto"}, "metadata": {"resourceVersion": known.version}}),
            )
            .await?;
            self.until("let go of the button", |known| {
                known.status.override_handled.as_deref() == Some("Auto")
            })
            .await?;
        }
        self.write(|known| json!({"spec": {"override": "ForcedOpen"}, "metadata": {"resourceVersion": known.version}})).await?;
        let open = self.until("tripped", |known| known.phase() == "Open").await?;
        self.note(format!("{} is open{}", self.name, gives_back(&open)));
        let command = self.undo.clone();
        self.teller.tell(Timestamp::now(), &Aside::Undo { command });
        Ok(())
    }

    async fn reset(&mut self) -> anyhow::Result<()> {
        let before = self.read().await?;
        let asked_at = Timestamp::now().to_string();
        self.write(|known| {
            let mut patch = json!({"metadata": {
                "resourceVersion": known.version,
                "annotations": {RESET_ANNOTATION: asked_at},
            }});
            // Disabled is not the button: it stays as it was set.
            if known.spec.as_ref().is_ok_and(|spec| spec.override_ == OverrideName::ForcedOpen) {
                patch["spec"] = json!({"override": "Auto"});
            }
            patch
        })
        .await?;
        self.until("reset", |known| {
            known.status.reset_handled.as_deref() == Some(&*asked_at) && known.phase() == "Closed"
        })
        .await?;
        let given = before.status.original_replicas.map(|n| format!(", {n} replicas given back"));
        self.note(format!("{} is closed{}, counting anew", self.name, given.unwrap_or_default()));
        Ok(())
    }

    async fn write(&self, patch: impl Fn(&Known) -> Value) -> anyhow::Result<()> {
        let mut tries = 0;
        loop {
            let known = self.read().await?;
            let edited =
                in_time(async { Ok(self.kube.edit_breaker(&self.name, patch(&known)).await) }).await?;
            match edited {
                Err(ClusterError::Conflict(_)) if tries < TRIES => tries += 1,
                edited => return Ok(edited.map(|_| ())?),
            }
        }
    }

    /// Until the status says so.
    async fn until(&self, done: &str, is: impl Fn(&Known) -> bool) -> anyhow::Result<Known> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let known = self.read().await?;
            if is(&known) {
                return Ok(known);
            }
            if tokio::time::Instant::now() > end {
                let why = [condition::HELD, condition::READY].map(|kind| known.condition(kind).cloned());
                let why = match why {
                    [Some(held), _] if held.status == "True" => held.message,
                    [_, Some(ready)] => ready.message,
                    _ => "no controller has looked at it".into(),
                };
                bail!(
                    "the controller has not {done} {} within {} s (phase {}: {why}); does one run and lead? What was \
                     asked for stays asked for",
                    self.name,
                    PATIENCE.as_secs(),
                    known.phase(),
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn gives_back(known: &Known) -> String {
    known.status.original_replicas.map_or(String::new(), |n| format!(", a reset gives back {n} replicas"))
}
