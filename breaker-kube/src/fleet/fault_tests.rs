//! What a fleet does and reports while the API server refuses or does not answer.

use std::time::Duration;

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

fn ready_message(cluster: &TestCluster, name: &str) -> String {
    let status = cluster.breaker(name)["status"].clone();
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready").expect("Ready");
    ready["message"].as_str().expect("a message").to_owned()
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
            let ready = ready_message(&cluster, &format!("b{n}"));
            assert!(ready.contains(message), "{ready}");
        }
        // It is tried again with growing pauses.
        assert!((60..=120).contains(&cluster.scale_answers()), "{}", cluster.scale_answers());
    }
}
