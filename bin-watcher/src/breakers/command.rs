//! `trip NAME` and `reset NAME`: written into the CircuitBreaker for its controller, then awaited in the status.

use std::time::Duration;

use anyhow::{Context, bail};
use breaker_core::ClusterError;
use breaker_kube::crd::{ModeName, OverrideName, RESET_ANNOTATION, condition};
use breaker_kube::{BreakerName, KubeClient};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::object::{BreakerObject, NotFoundHint};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::{Exit, UsageError};
use crate::cli::format::LineFormat;
use crate::cli::reset_command;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::output::event::{CliEvent, EventWriter};

/// How long to wait for the controller. One that runs acts sooner.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Retries of a write that conflicts. The controller writes the status often, so conflicts are expected.
const MAX_RETRIES: u32 = 5;

/// Sets `spec.override` to `ForcedOpen` and waits until the controller has tripped the breaker.
///
/// # Errors
/// A breaker that cannot be read or written, or that is not open after [`WAIT_TIMEOUT`].
pub(crate) async fn trip(cluster: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Exit> {
    let mut command = PendingCommand::connect(cluster, name, format).await?;
    until_signal(command.trip()).await.map(|()| Exit::Done)
}

/// Sets the reset annotation and waits until the controller has closed the breaker.
///
/// # Errors
/// A breaker that cannot be read or written, or that is not closed after [`WAIT_TIMEOUT`].
pub(crate) async fn reset(cluster: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Exit> {
    let mut command = PendingCommand::connect(cluster, name, format).await?;
    until_signal(command.reset()).await.map(|()| Exit::Done)
}

/// A command that is written into a breaker for its controller to carry out.
struct PendingCommand {
    kube: KubeClient,
    name: BreakerName,
    undo: String,
    writer: EventWriter<std::io::Stdout>,
}

impl PendingCommand {
    async fn connect(args: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Self> {
        let cluster = with_startup_timeout(async { Ok(Cluster::connect(args).await?) }).await?;
        let name = BreakerName { namespace: cluster.namespace, name: name.to_owned() };
        let undo = reset_command::of_breaker(args, &name);
        Ok(Self { kube: cluster.kube, name, undo, writer: EventWriter::new(format, std::io::stdout()) })
    }

    async fn read(&self) -> anyhow::Result<BreakerObject> {
        with_startup_timeout(async {
            BreakerObject::read(&self.kube, &self.name).await.with_not_found_hint()
        })
        .await
    }

    fn note(&mut self, message: String) {
        self.writer.emit(Timestamp::now(), &CliEvent::Note { message });
    }

    async fn trip(&mut self) -> anyhow::Result<()> {
        let known = self.read().await?;
        let spec = known.spec.clone().with_context(|| format!("reading {}", self.name))?;
        if spec.mode == ModeName::Observe {
            return Err(UsageError(format!(
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
            self.wait_until("let go of the button", |known| {
                known.status.override_handled.as_deref() == Some("Auto")
            })
            .await?;
        }
        self.write(|known| json!({"spec": {"override": "ForcedOpen"}, "metadata": {"resourceVersion": known.version}})).await?;
        let open = self.wait_until("tripped", |known| known.phase() == "Open").await?;
        self.note(format!("{} is open{}", self.name, gives_back(&open)));
        let command = self.undo.clone();
        self.writer.emit(Timestamp::now(), &CliEvent::Undo { command });
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
        self.wait_until("reset", |known| {
            known.status.reset_handled.as_deref() == Some(&*asked_at) && known.phase() == "Closed"
        })
        .await?;
        let given = before.status.original_replicas.map(|n| format!(", {n} replicas given back"));
        self.note(format!("{} is closed{}, counting from zero", self.name, given.unwrap_or_default()));
        Ok(())
    }

    async fn write(&self, patch: impl Fn(&BreakerObject) -> Value) -> anyhow::Result<()> {
        let mut retries = 0;
        loop {
            let known = self.read().await?;
            let edited =
                with_startup_timeout(async { Ok(self.kube.edit_breaker(&self.name, patch(&known)).await) })
                    .await?;
            match edited {
                Err(ClusterError::Conflict(_)) if retries < MAX_RETRIES => retries += 1,
                edited => return Ok(edited.map(|_| ())?),
            }
        }
    }

    /// Polls the breaker until `is_done`. `done` is the verb of the error.
    async fn wait_until(
        &self,
        done: &str,
        is_done: impl Fn(&BreakerObject) -> bool,
    ) -> anyhow::Result<BreakerObject> {
        let end = tokio::time::Instant::now() + WAIT_TIMEOUT;
        loop {
            let known = self.read().await?;
            if is_done(&known) {
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
                    WAIT_TIMEOUT.as_secs(),
                    known.phase(),
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

fn gives_back(known: &BreakerObject) -> String {
    known.status.original_replicas.map_or(String::new(), |n| format!(", a reset gives back {n} replicas"))
}
