//! `deploy/base` applied unchanged on a real API server, and the controller run with its rights.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bigredbutton_tests::{
    Cluster, ControllerEndpoints, EmittedEvent, Kubelet, REFUSED, TcpProxy, TestNamespace, Watcher,
    eventually,
};
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use serde_json::json;

const NAMESPACE: &str = "bigredbutton";
const ACCOUNT: &str = "system:serviceaccount:bigredbutton:bigredbutton-controller";

fn manifest(name: &str) -> String {
    deployed(&format!("base/{name}"))
}

/// A path in `deploy/`.
fn deployed(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(path).to_str().expect("a path").to_owned()
}

/// Applies the manifests that grant rights, but not the Deployment, whose image does not exist
/// here. Waits for the aggregated role.
async fn installed() -> Cluster {
    let cluster = Cluster::connect().await.with_breakers().await;
    for file in [
        "namespace.yaml",
        "service-account.yaml",
        "cluster-role.yaml",
        "roles-for-people.yaml",
        "lease-role.yaml",
    ] {
        cluster.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &manifest(file)]);
    }
    eventually("the aggregated role has its rules", || async {
        may(&cluster, "patch", "apps", "deployments/scale", None, "").await.then_some(())
    })
    .await;
    cluster
}

/// Whether RBAC allows a request of the controller's service account.
async fn may(
    cluster: &Cluster,
    verb: &str,
    group: &str,
    resource: &str,
    namespace: Option<&str>,
    name: &str,
) -> bool {
    let groups = ["system:serviceaccounts", "system:serviceaccounts:bigredbutton", "system:authenticated"];
    allowed(cluster, (ACCOUNT, &groups), verb, group, resource, (namespace.unwrap_or_default(), name)).await
}

/// Whether RBAC allows a request of a user with these groups.
async fn allowed(
    cluster: &Cluster,
    (user, groups): (&str, &[&str]),
    verb: &str,
    group: &str,
    resource: &str,
    (namespace, name): (&str, &str),
) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review = json!({"metadata": {}, "spec": {
        "user": user,
        "groups": groups,
        "resourceAttributes": {
            "verb": verb, "group": group, "resource": resource, "subresource": subresource,
            "namespace": namespace, "name": name,
        },
    }});
    let review: SubjectAccessReview = serde_json::from_value(review).expect("a review");
    let all: Api<SubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = all.create(&PostParams::default(), &review).await.expect("an answer");
    answer.status.is_some_and(|status| status.allowed)
}

/// The administrator's kubeconfig with the token of the controller's service account.
async fn as_the_account(cluster: &Cluster, directory: &Path) -> PathBuf {
    as_account(cluster, directory, "bigredbutton-controller", NAMESPACE).await
}

/// The administrator's kubeconfig with the token of a service account.
async fn as_account(cluster: &Cluster, directory: &Path, account: &str, namespace: &str) -> PathBuf {
    let token = cluster.kubectl(&["create", "token", account, "-n", namespace]);
    let mut config = Kubeconfig::read_from(&cluster.kubeconfig).expect("the kubeconfig can be read");
    for named in &mut config.auth_infos {
        named.auth_info = serde_json::from_value(json!({"token": token.trim()})).expect("a user");
    }
    for named in &mut config.contexts {
        named.context.as_mut().expect("a context").namespace = Some(namespace.into());
    }
    let path = directory.join("kubeconfig");
    std::fs::write(&path, serde_json::to_string(&config).expect("a kubeconfig")).expect("written");
    path
}

/// A controller of one namespace with its HTTP endpoints.
struct Replica {
    watcher: Watcher,
    endpoints: ControllerEndpoints,
}

impl Replica {
    async fn start(ns: &TestNamespace, lease: &str) -> Self {
        let (lease_namespace, lease) = lease.split_once('/').expect("NAMESPACE/NAME");
        let mut watcher = Watcher::start(
            ns,
            &[
                "controller",
                "--status-interval",
                "1s",
                "--bind-address",
                "127.0.0.1:0",
                "--leader-election-namespace",
                lease_namespace,
                "--leader-election-id",
                lease,
                "--log-format",
                "json",
            ],
        );
        let endpoints = ControllerEndpoints::wait_for(&mut watcher).await;
        Self { watcher, endpoints }
    }

    async fn says(&mut self, words: &str) -> EmittedEvent {
        loop {
            let event = self.watcher.wait_for("note").await;
            if event["message"].as_str().is_some_and(|message| message.contains(words)) {
                return event;
            }
        }
    }

    async fn ready(&self) -> String {
        eventually("it is ready", || async {
            let (status, why) = self.endpoints.get("/readyz").await;
            (status == 200).then_some(why)
        })
        .await
    }
}

#[tokio::test]
async fn every_manifest_is_accepted() {
    let cluster = installed().await;
    let base = manifest("");
    let said =
        cluster.kubectl(&["apply", "-k", &base, "--server-side", "--force-conflicts", "--dry-run=server"]);
    let kinds = [
        "namespace/",
        "customresourcedefinition",
        "serviceaccount/",
        "clusterrole",
        "clusterrolebinding",
        "role.",
        "rolebinding",
        "deployment.apps/",
        "poddisruptionbudget",
        "networkpolicy",
        "service/",
    ];
    for kind in kinds {
        assert!(said.contains(kind), "no {kind} in {said}");
    }
    for line in said.lines() {
        assert!(line.contains("serverside-applied (server dry run)"), "{line}");
    }
}

#[tokio::test]
async fn the_account_may_do_this_and_no_more() {
    let cluster = installed().await;
    let here = Some(NAMESPACE);
    let there = Some("kube-system");
    let lease = "bigredbutton-controller";
    for (verb, group, resource, namespace, name, want) in [
        ("list", "bigredbutton.dev", "circuitbreakers", None, "", true),
        ("watch", "bigredbutton.dev", "circuitbreakers", None, "", true),
        ("patch", "bigredbutton.dev", "circuitbreakers/status", None, "", true),
        ("update", "bigredbutton.dev", "circuitbreakers/status", None, "", false),
        // The override, back to Auto.
        ("patch", "bigredbutton.dev", "circuitbreakers", None, "", true),
        ("update", "bigredbutton.dev", "circuitbreakers", None, "", false),
        ("create", "bigredbutton.dev", "circuitbreakers", None, "", false),
        ("delete", "bigredbutton.dev", "circuitbreakers", None, "", false),
        ("get", "apps", "deployments/scale", None, "", true),
        ("patch", "apps", "statefulsets/scale", None, "", true),
        ("update", "apps", "deployments/scale", None, "", false),
        ("get", "apps", "deployments", None, "", true),
        ("patch", "apps", "deployments", None, "", false),
        ("delete", "apps", "deployments", None, "", false),
        ("patch", "apps", "replicasets/scale", None, "", false),
        ("list", "", "pods", None, "", true),
        ("watch", "", "pods", None, "", true),
        ("get", "", "pods/log", None, "", true),
        ("delete", "", "pods", None, "", false),
        ("create", "", "pods", None, "", false),
        ("create", "", "pods/exec", None, "", false),
        ("create", "", "pods/eviction", None, "", false),
        ("list", "", "events", None, "", true),
        ("create", "events.k8s.io", "events", None, "", true),
        ("patch", "events.k8s.io", "events", None, "", false),
        ("delete", "", "events", None, "", false),
        ("list", "autoscaling", "horizontalpodautoscalers", None, "", true),
        ("patch", "autoscaling", "horizontalpodautoscalers", None, "", false),
        ("list", "keda.sh", "scaledobjects", None, "", false),
        ("delete", "keda.sh", "scaledobjects", None, "", false),
        ("get", "", "secrets", None, "", false),
        ("list", "", "secrets", None, "", false),
        ("get", "", "secrets", here, "", false),
        ("get", "", "configmaps", None, "", false),
        ("create", "", "configmaps", here, "", false),
        ("get", "", "nodes", None, "", false),
        ("create", "", "serviceaccounts/token", here, "", false),
        ("create", "rbac.authorization.k8s.io", "clusterrolebindings", None, "", false),
        ("escalate", "rbac.authorization.k8s.io", "clusterroles", None, "", false),
        ("impersonate", "", "users", None, "", false),
        ("create", "coordination.k8s.io", "leases", here, "", true),
        ("update", "coordination.k8s.io", "leases", here, lease, true),
        ("get", "coordination.k8s.io", "leases", here, lease, true),
        ("update", "coordination.k8s.io", "leases", here, "another", false),
        ("delete", "coordination.k8s.io", "leases", here, lease, false),
        ("update", "coordination.k8s.io", "leases", there, lease, false),
        ("create", "coordination.k8s.io", "leases", there, "", false),
    ] {
        let got = may(&cluster, verb, group, resource, namespace, name).await;
        assert_eq!(got, want, "{verb} {resource} in {group:?}, namespace {namespace:?}, name {name:?}");
    }
    // The right to pause KEDA is added by whoever has KEDA.
    let role = deployed("rbac/keda.yml");
    cluster.kubectl(&["apply", "-f", &role]);
    eventually("the role is aggregated", || async {
        may(&cluster, "patch", "keda.sh", "scaledobjects", None, "").await.then_some(())
    })
    .await;
    cluster.kubectl(&["delete", "-f", &role]);
}

/// The controller of one namespace, with the rights of `deploy/namespaced`.
#[tokio::test]
async fn a_controller_of_one_namespace_needs_rights_there_alone() {
    let cluster = installed().await;
    let directory = deployed("namespaced");
    let all = cluster.kubectl(&["kustomize", &directory]);
    for absent in ["name: bigredbutton-controller-base", "kind: ClusterRoleBinding"] {
        assert!(!all.contains(absent), "{absent}");
    }
    // The Lease and the right to it are in the controller's own namespace.
    for argument in ["- --namespace=sre", "- --leader-election-namespace=bigredbutton"] {
        assert!(all.contains(argument), "{argument}: {all}");
    }

    let ns = cluster.test_namespace("one").await;
    cluster.kubectl(&["create", "serviceaccount", "one", "-n", &ns.name]);
    let role = std::fs::read_to_string(Path::new(&directory).join("role.yaml")).expect("it is there");
    let of_base = "name: bigredbutton-controller, namespace: bigredbutton}";
    assert!(role.contains(of_base) && role.contains("namespace: sre"));
    let role = role
        .replace(of_base, &format!("name: one, namespace: {}}}", ns.name))
        .replace("namespace: sre", &format!("namespace: {}", ns.name));
    cluster.kubectl_with(&["apply", "-f", "-"], &role);
    let user = format!("system:serviceaccount:{}:one", ns.name);
    let user = (user.as_str(), &["system:serviceaccounts", "system:authenticated"][..]);
    for (namespace, want) in [(ns.name.as_str(), true), ("kube-system", false), ("", false)] {
        for (verb, group, resource) in [
            ("patch", "apps", "deployments/scale"),
            ("watch", "", "pods"),
            ("get", "", "pods/log"),
            ("patch", "bigredbutton.dev", "circuitbreakers/status"),
            ("patch", "keda.sh", "scaledobjects"),
        ] {
            let got = allowed(&cluster, user, verb, group, resource, (namespace, "")).await;
            assert_eq!(got, want, "{verb} {resource} in {namespace:?}");
        }
    }

    let kubeconfig = tempfile::tempdir().expect("a directory");
    let mut account = ns.clone();
    account.cluster.kubeconfig = as_account(&cluster, kubeconfig.path(), "one", &ns.name).await;
    let pods = ns.deployment("swype-app", 1).await;
    ns.breaker("swype", json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}})).await;
    let mut kubelet = Kubelet::start(&ns, &pods[0]).await;
    let _watcher =
        Watcher::start(&account, &["controller", "--leader-elect=false", "--status-interval", "1s"]);
    ns.wait_for_condition("swype", "Ready", "True").await;
    for _ in 0..4 {
        kubelet.restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    assert_eq!(ns.replicas("swype-app").await, 0);
    ns.delete().await;
}

/// Viewers may use `watcher explain`, editors also `trip` and `reset`; only the controller writes
/// the status.
#[tokio::test]
async fn viewers_and_editors_of_a_namespace_may_view_and_edit_its_breakers() {
    let cluster = installed().await;
    let ns = cluster.test_namespace("people").await;
    for (user, role) in [("viewer", "view"), ("editor", "edit")] {
        let binding = json!({
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let binding: RoleBinding = serde_json::from_value(binding).expect("a binding");
        ns.api::<RoleBinding>().create(&PostParams::default(), &binding).await.expect("bound");
    }
    let ours = "bigredbutton.dev";
    eventually("the roles are aggregated", || async {
        let place = (&*ns.name, "");
        allowed(&cluster, ("editor", &[]), "patch", ours, "circuitbreakers", place).await.then_some(())
    })
    .await;
    for (verb, group, resource, viewer, editor) in [
        ("get", ours, "circuitbreakers", true, true),
        ("list", ours, "circuitbreakers", true, true),
        ("get", "apps", "deployments/scale", true, true),
        ("list", "", "pods", true, true),
        ("patch", ours, "circuitbreakers", false, true),
        ("create", ours, "circuitbreakers", false, true),
        ("delete", ours, "circuitbreakers", false, true),
        ("patch", ours, "circuitbreakers/status", false, false),
        ("update", ours, "circuitbreakers/status", false, false),
    ] {
        for (user, want) in [("viewer", viewer), ("editor", editor)] {
            let got = allowed(&cluster, (user, &[]), verb, group, resource, (&ns.name, "")).await;
            assert_eq!(got, want, "{user}: {verb} {resource}");
        }
    }
    let elsewhere = allowed(&cluster, ("editor", &[]), "get", ours, "circuitbreakers", ("default", "")).await;
    assert!(!elsewhere, "another namespace");
    ns.delete().await;
}

/// Runs two replicas with the token of the service account, as the Deployment does.
#[tokio::test]
async fn of_two_replicas_one_trips_exports_metrics_and_hands_over() {
    let cluster = installed().await;
    let ns = cluster.test_namespace("as-account").await;
    let pods = ns.deployment("swype", 1).await;
    ns.breaker("swype", json!({})).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;

    let directory = tempfile::tempdir().expect("a directory");
    let mut account = ns.clone();
    account.cluster.kubeconfig = as_the_account(&cluster, directory.path()).await;
    // In the namespace of the service account, with the name that its role allows.
    let lease = "bigredbutton/bigredbutton-controller";
    let mut first = Replica::start(&account, lease).await;
    first.says("became leader").await;
    assert!(first.ready().await.starts_with("ready: leader; last sign of life from the pod watch "));
    let mut second = Replica::start(&account, lease).await;
    second.says("on standby; ").await;
    let why = second.ready().await;
    assert!(why.contains("on standby; ") && why.contains(" leads"), "{why}");
    assert_eq!(
        (
            first.endpoints.metric("bigredbutton_leader").await,
            second.endpoints.metric("bigredbutton_leader").await
        ),
        (Some(1.0), Some(0.0))
    );
    assert_eq!(second.endpoints.metric("bigredbutton_watch_age_seconds").await, None);

    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    assert_eq!(ns.replicas("swype").await, 0);
    let breaker = format!("{{namespace=\"{}\",name=\"swype\"}}", ns.name);
    eventually("the trip is counted", || async {
        (first.endpoints.metric(&format!("bigredbutton_trips_total{breaker}")).await == Some(1.0))
            .then_some(())
    })
    .await;
    let counted =
        first.endpoints.metric("bigredbutton_restarts_total{cause=\"network\",counted=\"true\"}").await;
    assert_eq!(counted, Some(4.0));
    let open =
        format!("bigredbutton_breaker_phase{{namespace=\"{}\",name=\"swype\",phase=\"Open\"}}", ns.name);
    assert_eq!(first.endpoints.metric(&open).await, Some(1.0));
    let (_, page) = first.endpoints.get("/metrics").await;
    assert!(!page.contains("code=\"403\""), "a right is missing: {page}");
    same_families(&page);

    let asked = Instant::now();
    first.watcher.stop();
    second.says("became leader").await;
    println!("hand-over of the controller after SIGTERM: {:.2?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    assert_eq!(first.watcher.wait_for_exit().await.0, 143);
    eventually("the new leader knows that it is open", || async {
        (second.endpoints.metric(&open).await == Some(1.0)).then_some(())
    })
    .await;
    assert_eq!(
        second.endpoints.metric(&format!("bigredbutton_trips_total{breaker}")).await,
        Some(0.0),
        "it tripped nothing"
    );

    second.watcher.stop();
    assert_eq!(second.watcher.wait_for_exit().await.0, 143);
    let leases: Api<Lease> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let left = leases.get("bigredbutton-controller").await.expect("the Lease is there");
    assert_eq!(left.spec.and_then(|spec| spec.holder_identity), None);
    ns.delete().await;
}

/// The leader is cut off from the API server and does not learn that another replica leads; then
/// that replica is killed.
#[tokio::test]
async fn a_leader_that_is_cut_off_stops_and_one_that_is_killed_is_followed() {
    let cluster = Cluster::connect().await.with_breakers().await;
    let ns = cluster.test_namespace("cut-off").await;
    let pods = ns.deployment("swype", 1).await;
    ns.breaker("swype", json!({})).await;
    let mut app = Kubelet::start(&ns, &pods[0]).await;
    let proxy = TcpProxy::start(&cluster).await;
    let mut far = ns.clone();
    far.cluster.kubeconfig = proxy.kubeconfig.clone();
    let lease = format!("{}/brb", ns.name);
    let mut first = Replica::start(&far, &lease).await;
    first.says("became leader").await;
    first.ready().await;
    let mut second = Replica::start(&ns, &lease).await;
    second.says("on standby").await;

    proxy.block();
    first.says("lost leadership").await;
    let (status, why) = first.endpoints.get("/readyz").await;
    assert_eq!((status, why.contains("the leader is unknown")), (503, true), "{why}");
    assert_eq!(
        first.endpoints.metric("bigredbutton_breakers").await,
        Some(0.0),
        "it watches nothing any more"
    );
    second.says("became leader").await;
    for _ in 0..4 {
        app.restart(REFUSED).await;
    }
    ns.wait_for_phase("swype", "Open").await;
    proxy.unblock();
    first.says("on standby; ").await;
    assert_eq!(ns.trips_of("swype").await, 1);

    let killed = Instant::now();
    second.watcher.kill().await;
    first.says("became leader").await;
    println!("hand-over of the controller after SIGKILL: {:.2?}", killed.elapsed());
    assert!(killed.elapsed() < Duration::from_secs(15), "{:?}", killed.elapsed());
    ns.edit_breaker("swype", json!({"override": "Auto"})).await;
    let at = jiff::Timestamp::now().to_string();
    let patch =
        Patch::Merge(json!({"metadata": {"annotations": {"bigredbutton.dev/reset-requested-at": at}}}));
    ns.breakers().patch("swype", &PatchParams::default(), &patch).await.expect("annotated");
    ns.wait_for_phase("swype", "Closed").await;
    assert_eq!(
        ns.replicas("swype").await,
        1,
        "the new leader restores the replicas that the killed one removed"
    );
    ns.delete().await;
}

/// Asserts that the snapshot that dashboard and alerts are checked with has the metrics of a real
/// controller.
fn same_families(page: &str) {
    let path = "../bin-watcher/src/controller/snapshots/watcher__controller__metrics__tests__every_metric_there_is.snap";
    let sample =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the sample");
    let families = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("# ")).map(str::to_owned).collect()
    };
    assert_eq!(families(page), families(&sample));
}

#[tokio::test]
async fn a_leader_without_the_right_to_its_lease_says_which_is_missing_and_is_not_ready() {
    let cluster = installed().await;
    let ns = cluster.test_namespace("no-lease").await;
    let directory = tempfile::tempdir().expect("a directory");
    let mut account = ns.clone();
    account.cluster.kubeconfig = as_the_account(&cluster, directory.path()).await;
    // The service account has no rights to Leases in the watched namespace.
    let mut replica = Replica::start(&account, &format!("{}/mine", ns.name)).await;
    replica.says("the leader is unknown: not allowed to get leases.coordination.k8s.io").await;
    let (status, why) = replica.endpoints.get("/readyz").await;
    assert_eq!(status, 503);
    assert!(
        why.contains("missing rule: - {apiGroups: [\"coordination.k8s.io\"], resources: [\"leases\"]"),
        "{why}"
    );
    assert_eq!(replica.endpoints.get("/healthz").await, (200, "ok\n".into()));
    ns.delete().await;
}

/// The real kubectl finds the plugin in the PATH.
#[tokio::test]
async fn kubectl_finds_its_plugin() {
    let cluster = Cluster::connect().await;
    let directory = tempfile::tempdir().expect("a directory");
    let link = directory.path().join("kubectl-breaker");
    std::os::unix::fs::symlink(Watcher::program(), &link).expect("linked");
    let path = std::env::var("PATH").expect("a PATH");
    let output = std::process::Command::new("kubectl")
        .args(["breaker", "status", "--help"])
        .env("PATH", format!("{}:{path}", directory.path().display()))
        .env("KUBECONFIG", &cluster.kubeconfig)
        .output()
        .expect("kubectl runs");
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(
        help.contains("Usage: kubectl breaker status"),
        "{help}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
