//! The CRD CircuitBreaker on a real API server: accepted fields, defaults, and the messages of
//! refusals.
#![allow(missing_docs)]

use bigredbutton_tests::{Cluster, TestNamespace, eventually};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

async fn test_namespace(name: &str) -> TestNamespace {
    Cluster::connect().await.with_breakers().await.test_namespace(name).await
}

#[tokio::test]
async fn a_spec_with_every_field_is_accepted() {
    let ns = test_namespace("crd-whole").await;
    let whole = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "swype-app"},
        "trip": {"causes": ["Network"], "peers": ["swype-*", "*.swype.com:443"], "maxRestarts": 3, "window": "1h", "minFailingPods": "50%", "unobserved": "Inherit"},
        "recovery": {"mode": "HalfOpen", "cooldown": "5m", "maxCooldown": "1h", "probeReplicas": 1, "probeFor": "5m"},
        "mode": "Enforce",
        "override": "Auto",
        "hooks": {
            "beforeTrip": {"url": "https://payments.sre/rollback", "secretRef": {"name": "hook"}, "timeout": "10s", "onFailure": "Proceed"},
            "notify": [{"url": "http://127.0.0.1:9000/alerts"}],
        },
    });
    let stored = ns.create_breaker("swype-app", whole.clone()).await.expect("accepted");
    assert_eq!(stored.data["spec"]["trip"], whole["trip"]);
    assert_eq!(stored.data["spec"]["recovery"], whole["recovery"]);
    assert_eq!(stored.data["spec"]["hooks"]["beforeTrip"]["secretRef"]["key"], "key");
    ns.delete().await;
}

#[tokio::test]
async fn defaults_are_filled_in_where_kubectl_shows_them() {
    let ns = test_namespace("crd-defaults").await;
    let stored = ns.create_breaker("swype-app", json!({})).await.expect("accepted");
    let want = json!({
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "swype-app"},
        "trip": {"causes": ["Network"], "peers": [], "maxRestarts": 3, "window": "1h", "minFailingPods": "50%", "unobserved": "Inherit"},
        "recovery": {"mode": "Manual", "cooldown": "5m", "maxCooldown": "1h", "probeReplicas": 1, "probeFor": "5m"},
        "mode": "Enforce",
        "override": "Auto",
        "hooks": {},
    });
    assert_eq!(stored.data["spec"], want);
    let stored = ns.create_breaker("half", json!({"trip": {"maxRestarts": 5}})).await.expect("accepted");
    assert_eq!(stored.data["spec"]["trip"]["window"], "1h");
    ns.delete().await;
}

#[tokio::test]
async fn every_documented_form_of_windows_and_shares_is_accepted() {
    let ns = test_namespace("crd-ways").await;
    for (n, trip) in [
        json!({"window": "none"}),
        json!({"window": "90s"}),
        json!({"window": "1h30m"}),
        json!({"minFailingPods": 2}),
        json!({"minFailingPods": "2"}),
        json!({"minFailingPods": "100%"}),
        json!({"causes": ["Any"]}),
        json!({"maxRestarts": 0}),
    ]
    .into_iter()
    .enumerate()
    {
        let accepted = ns.create_breaker(&format!("way-{n}"), json!({"trip": trip})).await;
        accepted.unwrap_or_else(|error| panic!("{trip}: {error}"));
    }
    ns.delete().await;
}

#[tokio::test]
async fn an_invalid_spec_is_refused_with_field_and_fix() {
    let ns = test_namespace("crd-refused").await;
    let notify = |url: &str| json!({"hooks": {"notify": [{"url": url}]}});
    let recovery = |field: &str, value: Value| json!({"recovery": {field: value}});
    let trip = |field: &str, value: Value| json!({"trip": {field: value}});
    let rows = [
        (trip("maxRestarts", json!(-1)), "spec.trip.maxRestarts", "greater than or equal to 0"),
        (trip("maxRestarts", json!(1_000_001)), "spec.trip.maxRestarts", "less than or equal to 1000000"),
        (
            trip("window", json!("soon")),
            "spec.trip.window",
            "window is a duration longer than zero such as 90s",
        ),
        (trip("window", json!("0s")), "spec.trip.window", "window is a duration longer than zero"),
        (trip("window", json!("")), "spec.trip.window", "window is a duration longer than zero"),
        (trip("window", json!("-5m")), "spec.trip.window", "window is a duration longer than zero"),
        (trip("minFailingPods", json!("0%")), "spec.trip.minFailingPods", "a percentage from 1% to 100%"),
        (trip("minFailingPods", json!("101%")), "spec.trip.minFailingPods", "a percentage from 1% to 100%"),
        (trip("minFailingPods", json!(0)), "spec.trip.minFailingPods", "a number of pods of at least 1"),
        (trip("minFailingPods", json!(-2)), "spec.trip.minFailingPods", "a number of pods of at least 1"),
        (trip("causes", json!(["network"])), "spec.trip.causes[0]", "\"Network\""),
        (trip("causes", json!([])), "spec.trip.causes", "at least 1 items"),
        (trip("peers", json!(["http://swype"])), "spec.trip.peers", "peers are hosts with or without a port"),
        (trip("peers", json!([""])), "spec.trip.peers", "peers are hosts with or without a port"),
        (recovery("cooldown", json!("2h")), "spec.recovery", "cooldown must not be longer than maxCooldown"),
        (
            recovery("cooldown", json!("a while")),
            "spec.recovery.cooldown",
            "cooldown is a duration longer than zero",
        ),
        (
            recovery("maxCooldown", json!("0s")),
            "spec.recovery.maxCooldown",
            "maxCooldown is a duration longer",
        ),
        (
            recovery("probeFor", json!("5")),
            "spec.recovery.probeFor",
            "probeFor is a duration longer than zero",
        ),
        (recovery("probeReplicas", json!(0)), "spec.recovery.probeReplicas", "greater than or equal to 1"),
        (recovery("mode", json!("Half")), "spec.recovery.mode", "\"HalfOpen\""),
        (json!({"mode": "enforce"}), "spec.mode", "\"Enforce\""),
        (json!({"override": "Open"}), "spec.override", "\"ForcedOpen\""),
        (json!({"targetRef": {"kind": "Deployment"}}), "spec.targetRef.name", "Required value"),
        (json!({"targetRef": {"name": "x"}}), "spec.targetRef.kind", "Required value"),
        (json!({"targetRef": {"kind": "", "name": "x"}}), "spec.targetRef.kind", "kind is one word"),
        (
            json!({"targetRef": {"kind": "Deployment", "name": ""}}),
            "spec.targetRef.name",
            "name is the name of an object",
        ),
        (
            json!({"targetRef": {"apiVersion": "apps", "kind": "Deployment", "name": "x"}}),
            "spec.targetRef.apiVersion",
            "GROUP/VERSION",
        ),
        (
            json!({"targetRef": {"kind": "Deployment", "name": "swype..app"}}),
            "spec.targetRef.name",
            "name is the name of an object",
        ),
        (
            json!({"targetRef": {"kind": "Deployment", "name": "-swype"}}),
            "spec.targetRef.name",
            "name is the name of an object",
        ),
        (
            json!({"hooks": {"beforeTrip": {"url": "http://x", "secretRef": {"name": "hook", "key": "a/b"}}}}),
            "spec.hooks.beforeTrip.secretRef.key",
            "should match",
        ),
        (notify("ftp://x/y"), "spec.hooks.notify[0].url", "begins with http:// or https://"),
        (notify("https://user:password@x/y"), "spec.hooks.notify[0].url", "names no user"),
        (notify("payments/rollback"), "spec.hooks.notify[0].url", "begins with http:// or https://"),
        (
            json!({"hooks": {"beforeTrip": {"url": "http://x", "timeout": "31s"}}}),
            "spec.hooks.beforeTrip.timeout",
            "a duration from 1s to 30s",
        ),
        (
            json!({"hooks": {"beforeTrip": {"url": "http://x", "secretRef": {"name": ""}}}}),
            "spec.hooks.beforeTrip.secretRef.name",
            "needs the name of a Secret",
        ),
    ];
    for (spec, field, words) in rows {
        match ns.create_breaker("refused", spec.clone()).await {
            Err(kube::Error::Api(status)) => {
                let said = &status.message;
                assert_eq!(status.code, 422, "{spec}: {said}");
                assert!(said.contains(field) && said.contains(words), "{spec}: {said}");
            }
            other => panic!("{spec} was not refused: {other:?}"),
        }
    }
    ns.delete().await;
}

/// Two users may edit breakers; one of them may scale the workload as well.
#[tokio::test]
async fn a_user_may_ask_a_breaker_only_for_what_they_may_do_themselves() {
    let ns = test_namespace("crd-deputy").await;
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/base/admission-policy.yaml");
    ns.cluster.kubectl(&["apply", "--server-side", "-f", policy]);
    let edit = json!({
        "apiGroups": ["bigredbutton.dev"], "resources": ["circuitbreakers"],
        "verbs": ["get", "create", "update", "patch", "delete"],
    });
    let scale = json!({
        "apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["swype-app"],
        "verbs": ["patch"],
    });
    ns.allow("deputy", json!([edit])).await;
    ns.allow("operator", json!([edit, scale])).await;
    let [deputy, operator] = ["deputy", "operator"].map(|user| ns.breakers_as(user));
    let (deputy, operator) = (deputy.await, operator.await);
    let breaker = |name: &str, target: &str| -> DynamicObject {
        let metadata = json!({"name": name});
        let spec = json!({"targetRef": {"kind": "Deployment", "name": target}});
        let (api_version, kind) = ("bigredbutton.dev/v1alpha1", "CircuitBreaker");
        let object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
        serde_json::from_value(object).expect("a breaker")
    };
    // A new policy takes some seconds to be in force.
    let refused = eventually("the policy is in force", || async {
        let create = PostParams { dry_run: true, ..PostParams::default() };
        deputy.create(&create, &breaker("early", "swype-app")).await.err().map(|error| error.to_string())
    })
    .await;
    for words in ["user deputy may not patch deployments/scale of swype-app", "verbs: [\"patch\"]"] {
        assert!(refused.contains(words), "{refused}");
    }
    operator.create(&PostParams::default(), &breaker("swype", "swype-app")).await.expect("may scale it");
    let other = operator.create(&PostParams::default(), &breaker("other", "ledger")).await;
    assert!(other.is_err_and(|error| error.to_string().contains("scale of ledger")));

    let pressed = json!({"spec": {"override": "ForcedOpen"}});
    let reset =
        json!({"metadata": {"annotations": {"bigredbutton.dev/reset-requested-at": "2026-01-02T03:04:05Z"}}});
    let label = json!({"metadata": {"labels": {"team": "payments"}, "annotations": {"note": "x"}}});
    let patch = |api: Api<DynamicObject>, change: Value| async move {
        api.patch("swype", &PatchParams::default(), &Patch::Merge(change)).await
    };
    for change in [&pressed, &reset] {
        let error = patch(deputy.clone(), change.clone()).await.expect_err("by proxy");
        assert!(error.to_string().contains("may not patch deployments/scale"), "{error}");
        patch(operator.clone(), change.clone()).await.expect("may scale it");
    }
    patch(deputy.clone(), label).await.expect("asks for nothing");
    deputy.delete("swype", &DeleteParams::default()).await.expect("scales nothing");
    ns.delete().await;
}

#[tokio::test]
async fn the_target_of_a_breaker_cannot_be_changed() {
    let ns = test_namespace("crd-immutable").await;
    ns.create_breaker("swype-app", json!({})).await.expect("accepted");
    ns.edit_breaker("swype-app", json!({"trip": {"maxRestarts": 5}})).await;
    let patch = Patch::Merge(json!({"spec": {"targetRef": {"name": "other"}}}));
    match ns.breakers().patch("swype-app", &PatchParams::default(), &patch).await {
        Err(kube::Error::Api(status)) => {
            assert_eq!(status.code, 422);
            assert!(status.message.contains("targetRef is immutable"), "{}", status.message);
        }
        other => panic!("the target was changed: {other:?}"),
    }
    ns.delete().await;
}

#[tokio::test]
async fn kubectl_explains_the_fields_and_shows_the_columns() {
    let ns = test_namespace("crd-kubectl").await;
    for (path, words) in [
        ("cb.spec.trip", "With 1 replica and maxRestarts 3, the fourth restart trips it."),
        ("cb.spec.trip", "minFailingPods <Object> Pods that must be failing at the moment of the trip"),
        ("cb.spec.trip.causes", "With Any, every restart counts."),
        ("cb.spec.override", "ForcedOpen scales the workload to zero at once"),
        ("cb.status", "Replicas that a reset restores"),
    ] {
        let explained = ns.cluster.kubectl(&["explain", path]);
        let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(explained.contains(words), "{path}: {explained}");
    }
    ns.breaker("swype-app", json!({})).await;
    let listed = ns.cluster.kubectl(&["get", "cb", "-n", &ns.name]);
    let columns: Vec<_> = listed.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(columns, ["NAME", "READY", "REASON", "PHASE", "COUNTED", "TARGET", "AGE"]);
    assert!(listed.lines().nth(1).is_some_and(|row| row.contains("swype-app")), "{listed}");
    let wide = ns.cluster.kubectl(&["get", "cb", "-n", &ns.name, "-o", "wide"]);
    for column in ["KIND", "THRESHOLD", "ORIGINAL", "MODE", "OVERRIDE", "HELD", "CAUSE"] {
        assert!(wide.contains(column), "{column}: {wide}");
    }
    ns.delete().await;
}
