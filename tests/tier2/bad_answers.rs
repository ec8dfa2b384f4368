//! One bad answer at the wrong time, on a real API server: what `watcher run` and
//! `watcher controller` make of it.
#![allow(missing_docs)]

#[path = "../../bin-watcher/tests/receiver/mod.rs"]
mod receiver;

use std::time::Duration;

use bigredbutton_tests::{
    Auditor, BadAnswer, Cluster, Expected, Fault, FaultProxy, FaultRule, Kubelet, REFUSED, TestNamespace,
    Watcher, audit, eventually,
};
use jiff::Timestamp;
use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use receiver::Receiver;
use serde_json::{Value, json};

const APP: &str = "swype";

/// How long to wait before asserting that nothing happened.
const QUIET: Duration = Duration::from_secs(4);

/// Both programs that drive a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Program {
    Run,
    Controller,
}

const BOTH: [Program; 2] = [Program::Run, Program::Controller];

/// A workload whose watcher talks to the API server through a proxy.
struct Setup {
    program: Program,
    ns: TestNamespace,
    proxy: FaultProxy,
    auditor: Auditor,
    apps: Vec<Kubelet>,
    /// More flags of `watcher run`.
    flags: Vec<String>,
}

impl Setup {
    /// `spec` is the spec of the CircuitBreaker, `flags` are its equivalent for `run`.
    async fn new(program: Program, replicas: u32, spec: Value, flags: &[&str]) -> Self {
        let cluster = Cluster::connect().await.with_breakers().await;
        let ns = cluster.test_namespace("bad-answer").await;
        let auditor = Auditor::start(&ns, APP, REFUSED).await;
        let pods = ns.deployment(APP, replicas).await;
        let apps = Kubelet::start_all(&ns, &pods).await;
        if program == Program::Controller {
            ns.breaker(APP, spec).await;
        }
        let proxy = FaultProxy::start(&cluster, None).await;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self { program, ns, proxy, auditor, apps, flags }
    }

    /// Starts the watcher and waits until it watches.
    async fn watcher(&self) -> Watcher {
        let mut behind = self.ns.clone();
        behind.cluster.kubeconfig = self.proxy.kubeconfig.clone();
        let mut watcher = match self.program {
            Program::Run => {
                let flags: Vec<&str> = self.flags.iter().map(String::as_str).collect();
                Watcher::run(&behind, APP, &flags)
            }
            Program::Controller => Watcher::start(
                &behind,
                &["controller", "--status-interval", "1s", "--leader-elect=false", "--allow-local-hooks"],
            ),
        };
        watcher.wait_for("watching").await;
        watcher
    }

    /// Restarts each pod this number of times.
    async fn restart_all(&mut self, times: u32) {
        for _ in 0..times {
            for app in &mut self.apps {
                app.restart(REFUSED).await;
            }
        }
    }

    /// Waits until the Record has this number of restarts in all.
    async fn recorded(&self, restarts: usize) {
        eventually("the restarts are in the Record", || async {
            let record = self.record().await;
            let containers = record["containers"].as_array().cloned().unwrap_or_default();
            let count = |container: &Value| container["restarts"].as_array().map_or(0, Vec::len);
            (containers.iter().map(count).sum::<usize>() >= restarts).then_some(())
        })
        .await;
    }

    /// The Record; null when there is none or it cannot be read.
    async fn record(&self) -> Value {
        match self.program {
            Program::Run => self.ns.record(APP).await.unwrap_or_default(),
            Program::Controller => self.ns.breaker_status(APP).await["record"].clone(),
        }
    }

    /// The requests that store a Record after the first one.
    fn saves(&self, fault: Fault) -> FaultRule {
        match self.program {
            Program::Run => FaultRule::new("patch", "configmaps", fault),
            Program::Controller => FaultRule::new("patch", "circuitbreakers/status", fault),
        }
    }

    /// Waits until the breaker is open, and has these replicas to restore.
    async fn wait_for_open(&self, replicas: u32) {
        eventually(&format!("{:?} is open with {replicas} to restore", self.program), || async {
            let state = self.record().await["state"].clone();
            let is_open = state["phase"] == "Open" && state["replicas"] == replicas;
            (is_open && self.ns.replicas(APP).await == 0).then_some(())
        })
        .await;
    }

    /// Resets the breaker and waits until it has restored these replicas.
    async fn reset(&self, replicas: u32) {
        match self.program {
            Program::Run => {
                let (code, errors) =
                    Watcher::start(&self.ns, &["reset", "--deployment", APP]).wait_for_exit().await;
                assert_eq!(code, 0, "{errors}");
            }
            Program::Controller => {
                let at = Timestamp::now().to_string();
                let annotations = json!({"bigredbutton.dev/reset-requested-at": at});
                let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
                self.ns.breakers().patch(APP, &PatchParams::default(), &patch).await.expect("annotated");
            }
        }
        eventually("the reset restores the replicas", || async {
            let is_closed = self.record().await["state"]["phase"] == "Closed";
            (is_closed && self.ns.replicas(APP).await == i32::try_from(replicas).ok()?).then_some(())
        })
        .await;
    }

    /// Stops the watcher and audits every revision.
    async fn audit(self, watcher: Watcher, expected: Expected) {
        watcher.kill().await;
        let violations = audit(self.auditor.finish().await, &expected);
        assert!(violations.is_empty(), "{:?}: {violations:#?}", self.program);
        self.ns.delete().await;
    }
}

/// Waits for the event `held` and returns its reason.
async fn held_for(watcher: &mut Watcher) -> Value {
    let held = tokio::time::timeout(Duration::from_secs(60), watcher.wait_for("held")).await;
    held.expect("held within a minute")["reason"].clone()
}

fn one_reset() -> Expected {
    Expected { resets: 1, ..Expected::default() }
}

fn gateway_page() -> Fault {
    Fault::Answer(BadAnswer::NginxPage(502))
}

#[tokio::test]
async fn a_write_of_zero_that_took_effect_behind_a_gateway_error_is_a_trip_that_a_reset_undoes() {
    for program in BOTH {
        let mut setup = Setup::new(program, 3, json!({}), &["--keep-watching"]).await;
        let watcher = setup.watcher().await;
        setup.proxy.add(FaultRule::new("patch", "deployments/scale", gateway_page()).only(1..=1));
        setup.restart_all(4).await;
        setup.wait_for_open(3).await;
        setup.reset(3).await;
        setup.audit(watcher, one_reset()).await;
    }
}

#[tokio::test]
async fn a_write_of_zero_that_a_gateway_did_not_forward_is_made_again() {
    for program in BOTH {
        let mut setup = Setup::new(program, 3, json!({}), &["--keep-watching"]).await;
        let watcher = setup.watcher().await;
        setup.proxy.add(FaultRule::new("patch", "deployments/scale", gateway_page()).before().only(1..=1));
        setup.restart_all(4).await;
        setup.wait_for_open(3).await;
        setup.audit(watcher, Expected::default()).await;
    }
}

#[tokio::test]
async fn a_gateway_error_for_the_first_save_of_the_record_does_not_let_a_trip_go_without_one() {
    for program in BOTH {
        for before in [true, false] {
            let mut setup = Setup::new(program, 2, json!({}), &["--keep-watching"]).await;
            let watcher = setup.watcher().await;
            let rules = [
                FaultRule::new("create", "configmaps", gateway_page()).only(1..=1),
                setup.saves(gateway_page()).only(1..=1),
            ];
            for rule in rules {
                setup.proxy.add(if before { rule.before() } else { rule });
            }
            setup.restart_all(4).await;
            setup.wait_for_open(2).await;
            setup.reset(2).await;
            setup.audit(watcher, one_reset()).await;
        }
    }
}

#[tokio::test]
async fn a_gateway_error_for_the_save_of_a_trip_does_not_let_it_go_without_a_record() {
    for program in BOTH {
        let mut setup = Setup::new(program, 1, json!({}), &["--keep-watching"]).await;
        let watcher = setup.watcher().await;
        setup.restart_all(3).await;
        setup.recorded(3).await;
        setup.proxy.add(setup.saves(gateway_page()).before().only(1..=3));
        setup.restart_all(1).await;
        setup.wait_for_open(1).await;
        setup.reset(1).await;
        setup.audit(watcher, one_reset()).await;
    }
}

#[tokio::test]
async fn a_record_that_becomes_unreadable_holds_the_trip() {
    for program in BOTH {
        let mut setup = Setup::new(program, 2, json!({}), &["--keep-watching"]).await;
        let mut watcher = setup.watcher().await;
        setup.restart_all(1).await;
        setup.recorded(2).await;
        let params = PatchParams::default();
        match program {
            Program::Run => {
                let patch = Patch::Merge(json!({"data": {"record.json": "{not json"}}));
                let name = format!("bigredbutton-deployment-{APP}");
                setup.ns.api::<ConfigMap>().patch(&name, &params, &patch).await.expect("written");
            }
            Program::Controller => {
                let record = json!({"state": {"phase": "Nonsense"}});
                let patch = Patch::Merge(json!({"status": {"record": record}}));
                setup.ns.breakers().patch_status(APP, &params, &patch).await.expect("written");
            }
        }
        setup.restart_all(4).await;
        assert_eq!(held_for(&mut watcher).await, "record", "{program:?}");
        watcher.read_for(QUIET).await;
        assert_eq!(setup.ns.replicas(APP).await, 2, "{program:?} trips without a Record");
        setup.audit(watcher, Expected::default()).await;
    }
}

#[tokio::test]
async fn a_trip_whose_record_is_stored_after_the_pods_have_healed_is_not_carried_out() {
    for program in BOTH {
        let trip = json!({"trip": {"minFailingPods": 1}});
        let flags = ["--keep-watching", "--min-failing-pods", "1"];
        let mut setup = Setup::new(program, 2, trip, &flags).await;
        let mut watcher = setup.watcher().await;
        for _ in 0..3 {
            setup.apps[0].restart(REFUSED).await;
        }
        setup.recorded(3).await;
        let unavailable = Fault::Answer(BadAnswer::Status(503));
        setup.proxy.add(setup.saves(unavailable).before());
        setup.apps[0].restart(REFUSED).await;
        watcher.read_for(QUIET).await;
        for app in &mut setup.apps {
            app.has_run_for(Duration::from_secs(20 * 60)).await;
        }
        watcher.read_for(Duration::from_secs(8)).await;
        setup.proxy.clear();
        watcher.read_for(Duration::from_secs(12)).await;
        assert_eq!(setup.ns.replicas(APP).await, 2, "{program:?} shuts down a healed service");
        eventually("the trip is given up", || async {
            (setup.record().await["state"]["phase"] == "Closed").then_some(())
        })
        .await;
        setup.audit(watcher, Expected::default()).await;
    }
}

/// A policy that lets nobody scale the Deployments of one namespace to zero.
async fn forbid_zero(ns: &TestNamespace) {
    let policy = json!({
        "metadata": {"name": ns.name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"],
                "resources": ["deployments/scale"],
            }]},
            "validations": [{
                "expression": "has(object.spec.replicas) && object.spec.replicas > 0",
                "message": "never scale to zero here; ask the platform team",
                "reason": "Forbidden",
            }],
        },
    });
    let binding = json!({
        "metadata": {"name": ns.name},
        "spec": {
            "policyName": ns.name,
            "validationActions": ["Deny"],
            "matchResources": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": ns.name}},
            },
        },
    });
    let client = &ns.cluster.client;
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let policy = serde_json::from_value(policy).expect("a policy");
    policies.create(&PostParams::default(), &policy).await.expect("created");
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    let binding = serde_json::from_value(binding).expect("a binding");
    bindings.create(&PostParams::default(), &binding).await.expect("created");
    let none = Patch::Merge(json!({"spec": {"replicas": 0}}));
    let probe = PatchParams { dry_run: true, ..PatchParams::default() };
    let deployments = ns.api::<k8s_openapi::api::apps::v1::Deployment>();
    eventually("the policy is in force", || async {
        deployments.patch_scale(APP, &probe, &none).await.err().map(drop)
    })
    .await;
}

async fn allow_zero(ns: &TestNamespace) {
    let client = &ns.cluster.client;
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    let _deleted = bindings.delete(&ns.name, &DeleteParams::default()).await.expect("deleted");
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let _deleted = policies.delete(&ns.name, &DeleteParams::default()).await.expect("deleted");
}

#[tokio::test]
async fn a_refused_scale_is_tried_again_in_one_trip_whose_hook_is_asked_once() {
    for program in BOTH {
        let receiver = Receiver::new(vec![], || 0);
        let url = receiver.url();
        let spec = json!({"hooks": {"beforeTrip": {"url": url}}});
        let mut setup = Setup::new(program, 1, spec, &["--keep-watching", "--before-trip", &url]).await;
        forbid_zero(&setup.ns).await;
        let mut watcher = setup.watcher().await;
        setup.restart_all(4).await;
        assert_eq!(held_for(&mut watcher).await, "refused", "{program:?}");
        watcher.read_for(Duration::from_secs(35)).await;
        let held = watcher.events.iter().filter(|event| event["event"] == "held").count();
        assert_eq!((held, receiver.requests().len()), (1, 1), "{program:?}: {:#?}", watcher.events);
        assert_eq!(setup.record().await["state"]["phase"], "Tripping", "{program:?}");
        allow_zero(&setup.ns).await;
        setup.wait_for_open(1).await;
        assert_eq!(receiver.requests().len(), 1, "{program:?}: the trip that was allowed is the same one");
        setup.audit(watcher, Expected::default()).await;
    }
}

#[tokio::test]
async fn a_target_that_is_not_found_once_is_not_lost() {
    for program in BOTH {
        let mut setup = Setup::new(program, 1, json!({}), &["--keep-watching"]).await;
        let mut watcher = setup.watcher().await;
        let not_found = Fault::Answer(BadAnswer::Status(404));
        setup.proxy.add(FaultRule::new("get", "deployments/scale", not_found).before().only(1..=1));
        setup.restart_all(4).await;
        setup.wait_for_open(1).await;
        watcher.read_for(Duration::from_secs(1)).await;
        assert!(!watcher.has_emitted("lost"), "{program:?}: {:#?}", watcher.events);
        setup.audit(watcher, Expected::default()).await;
    }
}

/// Two of two targets fail, so that the outage guard holds their trips, until three healthy
/// breakers are added. Then the pods of the first one are listed, and that list comes late.
#[tokio::test]
async fn a_pod_that_is_created_while_a_late_list_is_on_its_way_is_seen() {
    let mut setup = Setup::new(Program::Controller, 1, json!({}), &[]).await;
    let ns = setup.ns.clone();
    let pods = ns.deployment_beside("other", 1).await;
    ns.breaker("other", json!({})).await;
    let mut other = Kubelet::start(&ns, &pods[0]).await;
    let mut behind = ns.clone();
    behind.cluster.kubeconfig = setup.proxy.kubeconfig.clone();
    let guard = ["--outage-guard-targets", "1", "--status-interval", "1s", "--leader-elect=false"];
    let watcher = Watcher::start(&behind, &[&["controller"][..], &guard].concat());
    for name in [APP, "other"] {
        ns.wait_for_condition(name, "Ready", "True").await;
    }
    for _ in 0..4 {
        setup.apps[0].restart(REFUSED).await;
        other.restart(REFUSED).await;
    }
    assert_eq!(ns.wait_for_condition(APP, "Held", "True").await["reason"], "Guard");
    setup.proxy.add(FaultRule::new("list", "pods", Fault::Delay(Duration::from_secs(4))));
    for name in ["one", "two", "three"] {
        let pods = ns.deployment_beside(name, 1).await;
        Kubelet::start(&ns, &pods[0]).await;
        ns.breaker(name, json!({})).await;
    }
    let first = setup.apps[0].pod.clone();
    eventually("the pods are listed", || async {
        let listed = setup.proxy.injected().iter().any(|fault| fault.class.to_string() == "list pods");
        listed.then_some(())
    })
    .await;
    ns.api::<Pod>().delete(&first, &DeleteParams::default()).await.expect("deleted");
    let successor = eventually("a successor", || async {
        let params = ListParams::default().labels(&format!("app={APP}"));
        let pods = ns.api::<Pod>().list(&params).await.ok()?.items;
        pods.into_iter().find(|pod| pod.metadata.name.as_ref() != Some(&first))
    })
    .await;
    let mut successor = Kubelet::start(&ns, &successor).await;
    for _ in 0..8 {
        successor.restart(REFUSED).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    setup.proxy.clear();
    ns.wait_for_phase(APP, "Open").await;
    setup.audit(watcher, Expected::default()).await;
}
