//! What a fleet does and reports while the API server refuses or does not answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::test_cluster::{Cut, TestCluster};

const LONG: Duration = Duration::from_secs(120);

fn breakers(count: usize) -> TestCluster {
    let cluster = TestCluster::new(|_, _| {});
    for n in 0..count {
        let name = format!("b{n}");
        cluster.add_deployment(&name, 3);
        cluster.add_breaker(&name, &name, |_| {});
    }
    cluster
}

fn condition(cluster: &TestCluster, name: &str, kind: &str) -> Value {
    let status = cluster.breaker(name)["status"].clone();
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).expect("the condition")
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_all_breakers_is_one_line_and_each_condition_has_it() {
    let forbidden = "deployments.apps \"b\" is forbidden: User \"w\" cannot get resource \
                     \"deployments/scale\" in API group \"apps\" in the namespace \"sre\"";
    for (code, message) in [(403, forbidden), (503, "the store is slow")] {
        let cluster = breakers(20);
        cluster.answer_scales(Some(("GET", code, message.to_owned())));
        cluster.run(Cut::Never, LONG).await;
        let lines: Vec<_> = cluster.messages().into_iter().filter(|line| line.contains(message)).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        for n in 0..20 {
            let ready = condition(&cluster, &format!("b{n}"), "Ready");
            assert!(ready["message"].as_str().is_some_and(|text| text.contains(message)), "{ready}");
        }
        // It is tried again with growing pauses.
        assert!((60..=120).contains(&cluster.scale_answers()), "{}", cluster.scale_answers());
    }
}

/// An admission policy that denies 0 replicas: the trip stays the same one, however often it is
/// refused and whichever controller runs, and it is carried out once the policy is gone.
#[tokio::test(start_paused = true)]
async fn a_scale_that_is_refused_is_one_trip_with_growing_pauses() {
    let cluster = breakers(1);
    let sentence = "admission webhook denied the request: never scale to zero, ask the platform team";
    for code in [403, 422] {
        cluster.answer_scales(Some(("PATCH", code, sentence.to_owned())));
        cluster.edit_breaker("b0", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
        let episode = |cluster: &TestCluster| cluster.breaker("b0")["status"]["record"]["episode"].clone();
        cluster.run(Cut::Never, Duration::from_secs(1)).await;
        let (first, before) = (episode(&cluster), cluster.scale_answers());
        for _ in 0..2 {
            cluster.run(Cut::Never, Duration::from_secs(600)).await;
            assert_eq!(cluster.breaker("b0")["status"]["phase"], "Tripping");
        }
        assert_eq!(episode(&cluster), first, "the trip was repeated");
        // 10 s, 20 s, 40 s … 5 min, from the start of each controller.
        let attempts = cluster.scale_answers() - before;
        assert!((6..=20).contains(&attempts), "{attempts}");
        let held = condition(&cluster, "b0", "Held");
        assert_eq!((&held["status"], &held["reason"]), (&json!("True"), &json!("Refused")), "{held}");
        assert!(held["message"].as_str().is_some_and(|message| message.contains(sentence)), "{held}");
        let lines = cluster.messages().iter().filter(|line| line.contains("tripping: ")).count();
        assert_eq!(lines, 1, "{:#?}", cluster.messages());
        cluster.answer_scales(None);
        cluster.run(Cut::Never, Duration::from_secs(400)).await;
        assert_eq!(
            (cluster.replicas("b0"), cluster.breaker("b0")["status"]["phase"].clone()),
            (0, json!("Open"))
        );
        // Ready for the other code.
        cluster.add_deployment("b0", 3);
        cluster.edit_breaker("b0", |breaker| breaker["spec"]["override"] = "Auto".into());
        cluster.run(Cut::Never, LONG).await;
        cluster.forget_messages();
    }
}

/// A controller that is newer than the installed CustomResourceDefinition: no status can be stored,
/// so the log says why and what to do, and a press waits.
#[tokio::test(start_paused = true)]
async fn a_definition_that_is_too_old_is_named_with_its_fix_and_holds_every_trip() {
    let fix = "the installed CustomResourceDefinition is older than this program: failed to create typed patch \
               object (sre/b0; bigredbutton.dev/v1alpha1, Kind=CircuitBreaker): .status.observedGeneration: field \
               not declared in schema; update it: watcher crd | kubectl apply --server-side -f -";
    let cluster = breakers(5);
    cluster.set_unknown_field(Some("observedGeneration"));
    cluster.run(Cut::Never, LONG).await;
    let named = |part: &str| {
        let lines = cluster.messages();
        lines.into_iter().filter(|line| line.contains(part)).collect::<Vec<_>>()
    };
    assert_eq!(named("update it: watcher crd").len(), 1, "{:#?}", cluster.messages());
    cluster.forget_messages();
    cluster.edit_breaker("b0", |breaker| breaker["spec"]["override"] = "ForcedOpen".into());
    cluster.run(Cut::Never, LONG).await;
    assert_eq!((cluster.replicas("b0"), cluster.scales()), (3, Vec::new()));
    let held = named("b0: held: the record cannot be stored, and nothing is scaled without it");
    assert!(held.len() == 1 && held[0].contains(fix), "{:#?}", cluster.messages());
    // The definition is updated while the controller runs.
    let later = cluster.clone();
    tokio::spawn(async move {
        tokio::time::sleep(LONG).await;
        later.set_unknown_field(None);
    });
    cluster.run(Cut::Never, 5 * LONG).await;
    assert_eq!(cluster.replicas("b0"), 0, "{:#?}", cluster.messages());
    for n in 0..5 {
        assert_eq!(cluster.breaker(&format!("b{n}"))["status"]["observedGeneration"], 1);
    }
}
