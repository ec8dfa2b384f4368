//! Many targets fail at once, or on one node alone: the outage guard and the one-node rule.

use bigredbutton_tests::{Kubelet, REFUSED};
use k8s_openapi::api::core::v1::{Binding, Pod, Service};
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::fixture::{QUIET, controller, guarded, ready, test_namespace};

#[tokio::test]
async fn when_all_fail_at_once_every_trip_holds_with_one_alert_and_the_button_still_works() {
    let ns = test_namespace("fleet-guard").await;
    let names = ["one", "two", "three", "four", "five"];
    let mut apps = Vec::new();
    for name in names {
        apps.push(guarded(&ns, name, json!({})).await);
    }
    let mut fleet = controller(&ns);
    for name in names {
        ready(&ns, name).await;
    }
    for _ in 0..4 {
        for app in &mut apps {
            app.restart(REFUSED).await;
        }
    }
    for name in names {
        let held = ns.wait_for_condition(name, "Held", "True").await;
        assert_eq!(held["reason"], "Guard", "{held}");
        let why = held["message"].as_str().unwrap_or_default();
        assert!(why.contains("of 5 targets") && why.contains("10.96.0.7:8080 is the peer of "), "{held}");
    }
    fleet.read_for(QUIET).await;
    for name in names {
        assert_eq!(ns.replicas(name).await, 1, "{name}");
    }
    let alerts = fleet.events.iter().filter(|event| {
        event["event"] == "note"
            && event["message"].as_str().is_some_and(|message| message.contains("outage guard on"))
    });
    assert_eq!(alerts.count(), 1, "{:#?}", fleet.events);
    ns.edit_breaker("three", json!({"override": "ForcedOpen"})).await;
    ns.wait_for_phase("three", "Open").await;
    assert_eq!((ns.replicas("three").await, ns.replicas("four").await), (0, 1));
    ns.delete().await;
}

/// One provider takes down 11 of 20 targets. Held at first, they trip once their breakers ask for
/// it; the 9 others stay.
#[tokio::test]
async fn eleven_of_twenty_on_one_dead_provider_are_held_until_their_breakers_let_it_trip() {
    let ns = test_namespace("fleet-peer").await;
    let name = |n: usize| format!("target-{n}");
    let mut apps = Vec::new();
    for n in 0..20 {
        apps.push(guarded(&ns, &name(n), json!({})).await);
    }
    let mut fleet = controller(&ns);
    for n in 0..20 {
        ready(&ns, &name(n)).await;
    }
    for _ in 0..4 {
        for app in &mut apps[..11] {
            app.restart(REFUSED).await;
        }
    }
    for n in 0..11 {
        let held = ns.wait_for_condition(&name(n), "Held", "True").await;
        assert_eq!(held["reason"], "Guard", "{held}");
        let why = held["message"].as_str().unwrap_or_default();
        for part in
            ["11 of 20 targets", "every failing target names 10.96.0.7:8080", "outageGuard.commonPeer"]
        {
            assert!(why.contains(part), "{held}");
        }
    }
    fleet.read_for(QUIET).await;
    for n in 0..20 {
        assert_eq!(ns.replicas(&name(n)).await, 1, "{n}");
    }
    for n in 0..20 {
        ns.edit_breaker(&name(n), json!({"outageGuard": {"commonPeer": "Trip"}})).await;
    }
    for n in 0..11 {
        ns.wait_for_phase(&name(n), "Open").await;
    }
    fleet.read_for(QUIET).await;
    for n in 0..20 {
        assert_eq!(ns.replicas(&name(n)).await, if n < 11 { 0 } else { 1 }, "{n}");
    }
    ns.delete().await;
}

/// All name the address of the API server: that is an outage of the cluster, whatever the breakers
/// ask for.
#[tokio::test]
async fn an_outage_of_the_api_server_holds_also_what_may_trip_on_a_common_peer() {
    let ns = test_namespace("fleet-own").await;
    let names = ["one", "two", "three", "four", "five"];
    let trips = json!({"outageGuard": {"commonPeer": "Trip"}});
    let mut apps = Vec::new();
    for name in names {
        apps.push(guarded(&ns, name, trips.clone()).await);
    }
    let mut fleet = controller(&ns);
    for name in names {
        ready(&ns, name).await;
    }
    let services: Api<Service> = Api::namespaced(ns.cluster.client.clone(), "default");
    let own = services.get("kubernetes").await.expect("the Service of the API server");
    let ip = own.spec.and_then(|spec| spec.cluster_ip).expect("its address");
    for _ in 0..4 {
        for app in &mut apps {
            app.restart(&format!("Error: dial tcp {ip}:443: connect: connection refused")).await;
        }
    }
    for name in names {
        let held = ns.wait_for_condition(name, "Held", "True").await;
        let why = held["message"].as_str().unwrap_or_default();
        assert!(why.contains(&format!("{ip}:443 is a part of the cluster itself")), "{held}");
    }
    fleet.read_for(QUIET).await;
    for name in names {
        assert_eq!(ns.replicas(name).await, 1, "{name}");
    }
    ns.delete().await;
}

/// The controller starts in the middle of the outage: no breaker may act before the others have
/// observed their pods.
#[tokio::test]
async fn a_controller_that_starts_when_all_are_failing_holds_every_trip() {
    let ns = test_namespace("fleet-late").await;
    let names = ["one", "two", "three", "four", "five"];
    for name in names {
        guarded(&ns, name, json!({})).await.restart_unobserved(4, REFUSED).await;
    }
    let mut fleet = controller(&ns);
    for name in names {
        assert_eq!(ns.wait_for_condition(name, "Held", "True").await["reason"], "Guard");
    }
    fleet.read_for(QUIET).await;
    for name in names {
        assert_eq!(ns.replicas(name).await, 1, "{name}");
    }
    ns.delete().await;
}

#[tokio::test]
async fn an_outage_of_a_gateway_with_four_dependants_among_ten_trips_all_four() {
    let ns = test_namespace("fleet-four").await;
    let mut dependants = Vec::new();
    for n in 0..4 {
        dependants.push(guarded(&ns, &format!("dependant-{n}"), json!({})).await);
    }
    for n in 0..6 {
        guarded(&ns, &format!("other-{n}"), json!({})).await;
    }
    let _fleet = controller(&ns);
    for n in 0..6 {
        ready(&ns, &format!("other-{n}")).await;
    }
    for n in 0..4 {
        ready(&ns, &format!("dependant-{n}")).await;
    }
    for _ in 0..4 {
        for app in &mut dependants {
            app.restart(REFUSED).await;
        }
    }
    for n in 0..4 {
        ns.wait_for_phase(&format!("dependant-{n}"), "Open").await;
        assert_eq!(ns.replicas(&format!("dependant-{n}")).await, 0);
    }
    for n in 0..6 {
        assert_eq!(ns.replicas(&format!("other-{n}")).await, 1);
    }
    ns.delete().await;
}

#[tokio::test]
async fn pods_that_fail_on_one_node_alone_hold_the_trip_until_another_node_has_them_too() {
    let ns = test_namespace("fleet-node").await;
    let pods = ns.deployment("swype", 2).await;
    for (pod, node) in pods.iter().zip(["node-a", "node-b"]) {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let binding: Binding = serde_json::from_value(json!({
            "metadata": {"name": name},
            "target": {"kind": "Node", "name": node},
        }))
        .expect("a binding");
        let created: Result<Value, _> =
            ns.api::<Pod>().create_subresource("binding", &name, &PostParams::default(), &binding).await;
        created.expect("bound");
    }
    let mut apps = Kubelet::start_all(&ns, &pods).await;
    ns.breaker("swype", json!({})).await;
    let mut fleet = controller(&ns);
    ready(&ns, "swype").await;
    for _ in 0..4 {
        apps[0].restart(REFUSED).await;
    }
    let held = ns.wait_for_condition("swype", "Held", "True").await;
    assert_eq!(held["reason"], "OneNode");
    assert!(held["message"].as_str().is_some_and(|why| why.contains("node-a")), "{held}");
    fleet.read_for(QUIET).await;
    assert_eq!(ns.replicas("swype").await, 2);
    apps[1].restart(REFUSED).await;
    ns.wait_for_phase("swype", "Open").await;
    ns.delete().await;
}
