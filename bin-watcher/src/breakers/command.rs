//! `trip NAME` and `reset NAME`: written into the CircuitBreaker for its controller, then awaited
//! in the status.

use std::time::Duration;

use anyhow::{Context, bail};
use breaker_core::state::Phase;
use breaker_core::text::plural;
use breaker_core::{ClusterClient, ClusterError};
use breaker_kube::KubeClient;
use breaker_kube::crd::{BreakerName, ModeName, OverrideName, RESET_ANNOTATION, condition};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::liveness::Liveness;
use super::object::{BreakerObject, NotFoundHint};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::{Exit, UsageError};
use crate::cli::format::LineFormat;
use crate::cli::reset_command;
use crate::cli::signal::Signal;
use crate::cluster::access;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::output::event::{CliEvent, EventWriter};
use crate::workload::nothing_to_restore::NothingToRestore;

/// How long to wait for the controller. One that runs acts sooner.
const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
/// A wait that ends sooner is not reported.
const REPORT_AFTER: Duration = Duration::from_secs(2);
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Retries of a write that conflicts. The controller writes the status often, so conflicts are
/// expected.
const MAX_RETRIES: u32 = 5;

/// Sets `spec.override` to `ForcedOpen` and waits until the controller has tripped the breaker.
///
/// # Errors
/// A breaker that cannot be read or written, or that is not open after [`WAIT_TIMEOUT`].
pub(crate) async fn trip(cluster: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Exit> {
    let mut command = until_signal(PendingCommand::connect(cluster, name, format)).await?;
    let done = until_signal(command.trip()).await;
    command.ended(done)
}

/// Sets the reset annotation and waits until the controller has closed the breaker.
///
/// # Errors
/// A breaker that cannot be read or written, or that is not closed after [`WAIT_TIMEOUT`].
pub(crate) async fn reset(cluster: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Exit> {
    let mut command = until_signal(PendingCommand::connect(cluster, name, format)).await?;
    let done = until_signal(command.reset()).await;
    command.ended(done)
}

/// A command that is written into a breaker for its controller to carry out.
struct PendingCommand {
    kube: KubeClient,
    name: BreakerName,
    undo: String,
    /// What was asked is stored in the breaker.
    is_stored: bool,
    writer: EventWriter<std::io::Stdout>,
}

impl PendingCommand {
    async fn connect(args: &ClusterArgs, name: &str, format: LineFormat) -> anyhow::Result<Self> {
        let (cluster, name) = with_startup_timeout(async {
            let cluster = Cluster::connect(args).await?;
            let name = BreakerName { namespace: cluster.namespace.clone(), name: name.to_owned() };
            access::check_request(&cluster.kube, &name).await?;
            Ok((cluster, name))
        })
        .await?;
        let undo = reset_command::of_breaker(args, &name);
        let writer = EventWriter::new(format, std::io::stdout()).about_breaker(&name);
        Ok(Self { kube: cluster.kube, name, undo, is_stored: false, writer })
    }

    /// The exit of a command that has ended. After a signal it says what becomes of the request.
    fn ended(&mut self, done: anyhow::Result<()>) -> anyhow::Result<Exit> {
        if let Err(error) = &done
            && let Some(signal) = error.downcast_ref::<Signal>()
        {
            let request = match self.is_stored {
                true => "the request stays, and the controller carries it out",
                false => "nothing was asked",
            };
            self.note(format!("stopped by {signal}; {request}"));
        }
        done.map(|()| Exit::Done)
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
        let breaker = self.read().await?;
        let spec = breaker.spec.clone().with_context(|| format!("reading {}", self.name))?;
        if spec.mode == ModeName::Observe {
            return Err(UsageError(format!(
                "{} has spec.mode Observe; set it to Enforce, or name the workload with --deployment or --target",
                self.name
            ))
            .into());
        }
        if breaker.phase() == Some(Phase::Open) && spec.override_ == OverrideName::ForcedOpen {
            self.note(format!("{} is already open{}", self.name, restores(&breaker)));
            return Ok(());
        }
        let stopped = self.stopped_controller(&breaker).await?;
        if let Some(why) = stopped {
            self.write(|_| json!({"spec": {"override": "ForcedOpen"}})).await?;
            bail!("{} is not tripped: {why}", self.name);
        }
        if spec.override_ == OverrideName::ForcedOpen {
            // It was forced open before, and the workload runs again. The controller acts on a
            // change of the override.
            self.write(
                |breaker| json!({"spec": {"override": "Auto"}, "metadata": {"resourceVersion": breaker.version}}),
            )
            .await?;
            self.wait_until("cleared the override of", |breaker| {
                breaker.status.override_handled.as_deref() == Some("Auto")
            })
            .await?;
        }
        self.write(|breaker| json!({"spec": {"override": "ForcedOpen"}, "metadata": {"resourceVersion": breaker.version}})).await?;
        let open = self.wait_until("tripped", |breaker| breaker.phase() == Some(Phase::Open)).await?;
        self.note(format!("{} is open{}", self.name, restores(&open)));
        let command = self.undo.clone();
        self.writer.emit(Timestamp::now(), &CliEvent::Undo { command });
        Ok(())
    }

    async fn reset(&mut self) -> anyhow::Result<()> {
        let before = self.read().await?;
        let stopped = self.stopped_controller(&before).await?;
        let requested_at = Timestamp::now().to_string();
        self.write(|breaker| {
            let mut patch = json!({"metadata": {
                "resourceVersion": breaker.version,
                "annotations": {RESET_ANNOTATION: requested_at},
            }});
            // `Disabled` is not a trip: it stays.
            if breaker.spec.as_ref().is_ok_and(|spec| spec.override_ == OverrideName::ForcedOpen) {
                patch["spec"] = json!({"override": "Auto"});
            }
            patch
        })
        .await?;
        if let Some(why) = stopped {
            bail!("{} is not reset: {why}", self.name);
        }
        let after = self
            .wait_until("reset", |breaker| {
                breaker.status.reset_handled.as_deref() == Some(&*requested_at)
                    && breaker.phase() == Some(Phase::Closed)
            })
            .await?;
        self.check_restored(&after).await?;
        let restored =
            before.status.original_replicas.map(|n| format!(", {} restored", plural(n, "replica")));
        self.note(format!("{} is closed{}, counting from zero", self.name, restored.unwrap_or_default()));
        Ok(())
    }

    /// Why waiting is of no use, if no controller runs.
    async fn stopped_controller(&self, breaker: &BreakerObject) -> anyhow::Result<Option<String>> {
        let liveness = with_startup_timeout(async { Ok(Liveness::of(&self.kube, breaker).await) }).await?;
        let Liveness::Stopped(why) = liveness else { return Ok(None) };
        let namespace = breaker.status.lease.as_deref().and_then(|lease| lease.split_once('/'));
        let pods = namespace.map_or(String::new(), |(namespace, _)| {
            format!("; `kubectl get pods -n {namespace}` may show why")
        });
        Ok(Some(format!(
            "{why}; the request is stored, and a controller carries it out as soon as one runs{pods}"
        )))
    }

    /// An error if the workload of a breaker that was reset has 0 replicas. A user without the
    /// right to read the scale gets none.
    async fn check_restored(&self, breaker: &BreakerObject) -> anyhow::Result<()> {
        let spec = breaker.spec.clone().with_context(|| format!("reading {}", self.name))?;
        let target =
            spec.parse(&self.name.namespace).with_context(|| format!("reading {}", self.name))?.target;
        let scale = with_startup_timeout(async { Ok(self.kube.read_scale(&target).await) }).await?;
        if !scale.is_ok_and(|scale| scale.replicas == 0) {
            return Ok(());
        }
        let hint = format!(
            "an Event WorkloadLeftScaledDown on it may (`kubectl events -n {} --for {}`); then run",
            target.namespace,
            target.slash()
        );
        Err(NothingToRestore { target, hint }.into())
    }

    async fn write(&mut self, patch: impl Fn(&BreakerObject) -> Value) -> anyhow::Result<()> {
        let mut retries = 0;
        loop {
            let breaker = self.read().await?;
            let edited =
                with_startup_timeout(async { Ok(self.kube.edit_breaker(&self.name, patch(&breaker)).await) })
                    .await?;
            match edited {
                Err(ClusterError::Conflict(_)) if retries < MAX_RETRIES => retries += 1,
                edited => {
                    edited?;
                    self.is_stored = true;
                    return Ok(());
                }
            }
        }
    }

    /// Polls the breaker until `is_done`. `done` is the verb of the error.
    async fn wait_until(
        &mut self,
        done: &str,
        is_done: impl Fn(&BreakerObject) -> bool,
    ) -> anyhow::Result<BreakerObject> {
        let start = tokio::time::Instant::now();
        let (end, mut report_at) = (start + WAIT_TIMEOUT, Some(start + REPORT_AFTER));
        loop {
            let breaker = self.read().await?;
            if is_done(&breaker) {
                return Ok(breaker);
            }
            let now = tokio::time::Instant::now();
            // Of a breaker that no controller has observed, nothing says that one runs.
            let is_unobserved = breaker.status.phase.is_none();
            if report_at.take_if(|at| is_unobserved || now >= *at).is_some() {
                let left = (end - now).as_secs();
                if is_unobserved {
                    self.note(format!("no controller has observed {} yet", self.name));
                }
                self.note(format!("waiting up to {left} s until the controller has {done} {}", self.name));
            }
            if now > end {
                let why = [condition::HELD, condition::READY].map(|kind| breaker.condition(kind).cloned());
                let why = match why {
                    [Some(held), _] if held.status == "True" => held.message,
                    [_, Some(ready)] => ready.message,
                    _ => "no controller has observed it".into(),
                };
                bail!(
                    "the controller has not {done} {} within {} s (phase {}: {why}); check that a controller runs and \
                     leads; it carries the command out as soon as it does",
                    self.name,
                    WAIT_TIMEOUT.as_secs(),
                    breaker.phase_text(),
                );
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

fn restores(breaker: &BreakerObject) -> String {
    let replicas = breaker.status.original_replicas;
    replicas.map_or(String::new(), |n| format!("; a reset restores {}", plural(n, "replica")))
}
