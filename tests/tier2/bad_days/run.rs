//! One schedule: a workload, its breaker, faults, and what must be true in the end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bigredbutton_tests::{
    Auditor, Cluster, Expected, FaultProxy, FaultSchedule, HookCall, InjectedFault, REFUSED, TestNamespace,
    audit, condition,
};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::plan::{Plan, Program, Story};
use crate::pods::{Health, WorkloadPods};
use crate::process::{CommandLine, KeptProcess};
use crate::receiver::Receiver;

const APP: &str = "swype";

/// How long the faults of one step last, if the step does not succeed before.
const FAULTS_TIME: Duration = Duration::from_secs(14);

/// How long a breaker may take after the last fault. A refusal that was repeated is tried again
/// after up to 40 s.
const CONVERGENCE_TIMEOUT: Duration = Duration::from_secs(150);

/// How long a state must stay as it is.
const QUIET: Duration = Duration::from_secs(3);

/// The longest time that the requests of a killed or late watcher may take, beside the delay of a
/// fault.
const MARGIN: Duration = Duration::from_secs(4);

/// How old the view of a breaker may be before it must list the pods again.
const MAX_VIEW_AGE: Duration = Duration::from_secs(60);

/// What came out of one schedule.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) plan: Plan,
    pub(crate) requests: u32,
    pub(crate) faults: Vec<InjectedFault>,
    pub(crate) kills: u32,
    /// Laws that are broken, and expectations that are not met.
    pub(crate) violations: Vec<String>,
    pub(crate) log: PathBuf,
}

impl Outcome {
    pub(crate) fn faults_by_kind(&self) -> BTreeMap<String, u32> {
        let mut kinds = BTreeMap::new();
        for fault in &self.faults {
            *kinds.entry(fault.injection.fault.kind()).or_default() += 1;
        }
        kinds
    }
}

/// Carries out the schedule of a seed. The output of the watcher goes to a file in `logs`.
pub(crate) async fn run(cluster: &Cluster, seed: u64, logs: &Path) -> Outcome {
    let plan = Plan::new(seed);
    let ns = cluster.test_namespace("chaos").await;
    let auditor = Auditor::start(&ns, APP, REFUSED).await;
    let log = logs.join(format!("seed-{seed}.log"));
    let schedule = Schedule::start(plan.clone(), ns.clone(), log.clone()).await;
    let broken = schedule.play().await.err();
    let Schedule { proxy, receiver, process, pods, .. } = schedule;
    let kills = process.kills();
    process.stop().await;
    drop(pods);
    let history = auditor.finish().await;
    let expected = expected(&plan, receiver.as_ref());
    let violations = audit(history, &expected);
    let violations: Vec<_> = violations.iter().map(ToString::to_string).chain(broken).collect();
    let (requests, faults) = (proxy.requests(), proxy.injected());
    if violations.is_empty() {
        ns.delete().await;
    }
    Outcome { plan, requests, faults, kills, violations, log }
}

fn expected(plan: &Plan, receiver: Option<&Receiver>) -> Expected {
    let delay = FaultSchedule::max_delay() + MARGIN;
    let calls = receiver.map(|receiver| {
        let calls = receiver
            .requests()
            .into_iter()
            .filter(|call| call.event["type"].as_str().is_some_and(|kind| kind.ends_with(".before_trip")));
        let call = |call: crate::receiver::ReceivedRequest| HookCall {
            id: call.event["id"].as_str().unwrap_or_default().to_owned(),
            episode: call.event["data"]["episode"].as_u64().unwrap_or_default(),
            at: Timestamp::try_from(call.arrived).expect("a time"),
        };
        calls.map(call).collect()
    });
    Expected {
        presses: u32::from(plan.story == Story::Pressed),
        resets: u32::from(!matches!(plan.story, Story::Trials { .. } | Story::Observed)),
        may_scale: plan.story != Story::Observed,
        view_delay: if plan.touches_pods { MAX_VIEW_AGE + delay } else { delay },
        hook_calls: calls,
        ..Expected::default()
    }
}

struct Schedule {
    plan: Plan,
    ns: TestNamespace,
    proxy: FaultProxy,
    receiver: Option<Receiver>,
    pods: WorkloadPods,
    process: KeptProcess,
    log: PathBuf,
}

/// Where a breaker stands: the phase of its Record, `Closed` without one, and the replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    phase: String,
    replicas: u32,
    to_restore: Option<u64>,
}

impl Schedule {
    async fn start(plan: Plan, ns: TestNamespace, log: PathBuf) -> Self {
        ns.create_deployment(APP, plan.replicas).await;
        let pods = WorkloadPods::start(&ns, plan.pace);
        ns.wait_for_pods(plan.replicas as usize).await;
        let receiver = plan.hook.as_ref().map(|hook| Receiver::new(hook.behaviors.clone(), || 0));
        let hook = receiver.as_ref().map(Receiver::url);
        if plan.has_keda {
            ns.scaled_object(APP, None).await;
        }
        let schedule = FaultSchedule::new(plan.seed, plan.touches_pods);
        let proxy = FaultProxy::start(&ns.cluster, Some(schedule)).await;
        let mut args: Vec<String> = match plan.program {
            Program::Run => vec!["run".into(), "--deployment".into(), APP.into()],
            Program::RunOn => vec!["run".into(), "--deployment".into(), APP.into(), "--keep-watching".into()],
            Program::Controller => {
                ["controller", "--status-interval", "1s", "--leader-elect=false"].map(str::to_owned).into()
            }
            Program::Leader => {
                let args = ["controller", "--status-interval", "1s", "--leader-election-namespace"];
                args.into_iter().map(str::to_owned).chain([ns.name.clone()]).collect()
            }
        };
        if plan.program.is_controller() {
            args.push("--allow-local-hooks".into());
            ns.breaker(APP, plan.spec(hook.as_deref())).await;
        } else {
            args.extend(plan.hook_flags(hook.as_deref()));
            if plan.story == Story::Observed {
                args.push("--dry-run".into());
            }
        }
        let command = CommandLine::new(&ns, &proxy.kubeconfig, &log, args);
        let process = KeptProcess::start(command, plan.kills.clone());
        Self { plan, ns, proxy, receiver, pods, process, log }
    }

    /// Plays the story; an error says what is not as it must be in the end.
    async fn play(&self) -> Result<(), String> {
        sleep(self.plan.head_start).await;
        match self.plan.story {
            Story::Outage => {
                self.pods.set(Health::Terminates);
                self.tripped_and_reset().await
            }
            Story::Pressed => {
                self.press().await?;
                self.tripped_and_reset().await
            }
            Story::Recovers(after) => {
                self.pods.set(Health::Terminates);
                sleep(after).await;
                self.pods.set(Health::RunsForLong);
                sleep(FAULTS_TIME.saturating_sub(after)).await;
                self.recovered().await
            }
            Story::Trials { failing } => self.tried(failing).await,
            Story::Observed => self.observed().await,
        }
    }

    /// The breaker trips; then the network recovers, and a reset brings the replicas back.
    async fn tripped_and_reset(&self) -> Result<(), String> {
        let under_faults = self.wait_for(FAULTS_TIME, |standing| self.is_open(standing)).await;
        if self.plan.calm_reset || under_faults.is_err() {
            self.proxy.be_quiet();
            self.wait_for(CONVERGENCE_TIMEOUT, |standing| self.is_open(standing)).await?;
        }
        self.pods.set(Health::Runs);
        self.reset().await
    }

    /// The breaker has tripped before the pods ran again, or it stays closed.
    async fn recovered(&self) -> Result<(), String> {
        self.proxy.be_quiet();
        let standing = self
            .wait_for(CONVERGENCE_TIMEOUT, |standing| self.is_open(standing) || self.is_closed(standing))
            .await?;
        sleep(QUIET).await;
        let later = self.standing().await;
        if later != standing {
            return Err(format!("it was {standing:?}, and later {later:?}"));
        }
        if self.is_open(&standing) { self.reset().await } else { Ok(()) }
    }

    async fn tried(&self, failing: u32) -> Result<(), String> {
        self.pods.set(Health::Terminates);
        let under_faults = self.wait_for(FAULTS_TIME, |standing| self.is_open(standing)).await;
        if self.plan.calm_reset || under_faults.is_err() {
            self.proxy.be_quiet();
            self.wait_for(CONVERGENCE_TIMEOUT, |standing| standing.phase != "Closed").await?;
        }
        for _ in 0..failing {
            self.wait_for(CONVERGENCE_TIMEOUT, |standing| standing.phase == "HalfOpen").await?;
            self.wait_for(CONVERGENCE_TIMEOUT, |standing| self.is_open(standing)).await?;
        }
        self.pods.set(Health::Runs);
        if !self.plan.calm_reset {
            sleep(FAULTS_TIME).await;
            self.proxy.be_quiet();
        }
        self.wait_for(CONVERGENCE_TIMEOUT, |standing| self.is_closed(standing)).await?;
        self.keda_is_resumed().await
    }

    async fn observed(&self) -> Result<(), String> {
        self.pods.set(Health::Terminates);
        sleep(FAULTS_TIME).await;
        self.proxy.be_quiet();
        let end = Instant::now() + CONVERGENCE_TIMEOUT;
        while !self.would_trip().await {
            if Instant::now() > end {
                return Err("it does not say that it would trip".into());
            }
            sleep(Duration::from_millis(200)).await;
        }
        let standing = self.standing().await;
        if self.is_closed(&standing) { Ok(()) } else { Err(format!("it observes, and is {standing:?}")) }
    }

    async fn would_trip(&self) -> bool {
        if !self.plan.program.is_controller() {
            return std::fs::read_to_string(&self.log).is_ok_and(|log| log.contains("\"would_trip\""));
        }
        condition(&self.ns.breaker_status(APP).await, "Tripped")["reason"] == "WouldTrip"
    }

    async fn press(&self) -> Result<(), String> {
        if self.plan.program.is_controller() {
            self.ns.edit_breaker(APP, json!({"override": "ForcedOpen"})).await;
            return Ok(());
        }
        let hook = self.receiver.as_ref().map(Receiver::url);
        let mut args = vec!["trip".into(), "--deployment".into(), APP.into()];
        args.extend(self.plan.hook_flags(hook.as_deref()));
        self.persist(args).await
    }

    async fn reset(&self) -> Result<(), String> {
        if self.plan.program.is_controller() {
            let at = Timestamp::now().to_string();
            let annotations = json!({"bigredbutton.dev/reset-requested-at": at});
            let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
            let annotated = self.ns.breakers().patch(APP, &PatchParams::default(), &patch).await;
            annotated.map_err(|error| error.to_string())?;
        } else {
            self.persist(vec!["reset".into(), "--deployment".into(), APP.into()]).await?;
        }
        let under_faults = self.wait_for(FAULTS_TIME, |standing| self.is_closed(standing)).await;
        self.proxy.be_quiet();
        if under_faults.is_err() {
            self.wait_for(CONVERGENCE_TIMEOUT, |standing| self.is_closed(standing)).await?;
        }
        sleep(QUIET).await;
        let standing = self.standing().await;
        if !self.is_closed(&standing) {
            return Err(format!("closed by the reset, and later {standing:?}"));
        }
        self.keda_is_resumed().await
    }

    /// Runs a command until it succeeds, as a person does; a first attempt may be killed.
    async fn persist(&self, args: Vec<String>) -> Result<(), String> {
        let command = CommandLine::new(&self.ns, &self.proxy.kubeconfig, &self.log, args);
        let mut random = fastrand::Rng::with_seed(self.plan.seed);
        let end = Instant::now() + CONVERGENCE_TIMEOUT;
        let faults_end = Instant::now() + FAULTS_TIME;
        let mut time = Duration::from_millis(random.u64(200..20_000));
        while !command.succeeds_within(time).await {
            if Instant::now() > end {
                return Err("the command does not succeed".into());
            }
            if Instant::now() > faults_end {
                self.proxy.be_quiet();
            }
            time = CONVERGENCE_TIMEOUT;
            sleep(Duration::from_millis(500)).await;
        }
        Ok(())
    }

    /// KEDA is no longer paused once the breaker is closed.
    async fn keda_is_resumed(&self) -> Result<(), String> {
        if !self.plan.has_keda {
            return Ok(());
        }
        let end = Instant::now() + CONVERGENCE_TIMEOUT;
        while let Some(paused) = self.ns.paused_replicas(APP).await {
            if Instant::now() > end {
                return Err(format!("KEDA stays paused at {paused}"));
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    fn is_open(&self, standing: &Standing) -> bool {
        let to_restore = standing.to_restore == Some(self.plan.replicas.into());
        standing.phase == "Open" && standing.replicas == 0 && to_restore
    }

    fn is_closed(&self, standing: &Standing) -> bool {
        standing.phase == "Closed" && standing.replicas == self.plan.replicas
    }

    async fn standing(&self) -> Standing {
        let record = match self.plan.program.is_controller() {
            true => self.ns.breaker_status(APP).await["record"].clone(),
            false => self.ns.record(APP).await.unwrap_or_default(),
        };
        let state = &record["state"];
        Standing {
            phase: state["phase"].as_str().unwrap_or("Closed").to_owned(),
            replicas: u32::try_from(self.ns.replicas(APP).await).unwrap_or_default(),
            to_restore: state.get("replicas").and_then(Value::as_u64),
        }
    }

    async fn wait_for(&self, time: Duration, is: impl Fn(&Standing) -> bool) -> Result<Standing, String> {
        let end = Instant::now() + time;
        loop {
            let standing = self.standing().await;
            if is(&standing) {
                return Ok(standing);
            }
            if Instant::now() > end {
                return Err(format!("not within {time:?}: it stays {standing:?}"));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}
