//! Seeded schedules of faults, kills and outages on a real API server, audited against the laws of
//! a breaker.
//!
//! `BRB_CHAOS_COUNT` schedules are played (default: 20), from the seed `BRB_CHAOS_FIRST` on
//! (default: 1), `BRB_CHAOS_PARALLEL` at a time (default: 6). `BRB_CHAOS_SEED` plays one.
#![allow(missing_docs)]

mod plan;
mod pods;
mod process;
#[path = "../../../bin-watcher/tests/receiver/mod.rs"]
mod receiver;
mod run;
mod table;

use std::env;
use std::ops::Range;
use std::time::Duration;

use bigredbutton_tests::Cluster;
use futures::StreamExt;

use run::Outcome;

fn number(variable: &str) -> Option<u64> {
    env::var(variable)
        .ok()
        .map(|value| value.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

fn seeds() -> Range<u64> {
    if let Some(seed) = number("BRB_CHAOS_SEED") {
        return seed..seed + 1;
    }
    let first = number("BRB_CHAOS_FIRST").unwrap_or(1);
    first..first + number("BRB_CHAOS_COUNT").unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_schedule_of_faults_and_kills_breaks_a_law() {
    let cluster = Cluster::connect().await.with_breakers().await;
    let keda = cluster.test_namespace("chaos-keda").await;
    keda.install_keda().await;
    keda.delete().await;
    // The API server restarts its watches of a kind when the definition has changed.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let logs = tempfile::tempdir().expect("a directory");
    let parallel = number("BRB_CHAOS_PARALLEL").unwrap_or(6);
    let runs = seeds().map(|seed| {
        let (cluster, logs) = (cluster.clone(), logs.path().to_owned());
        async move {
            // A task of its own, so that its simulated kubelets do not wait for other schedules.
            let outcome = tokio::spawn(async move { run::run(&cluster, seed, &logs).await }).await;
            let outcome = outcome.unwrap_or_else(|panic| panic!("seed {seed}: {panic}"));
            println!("seed {seed}: {}", table::summary(&outcome));
            outcome
        }
    });
    let parallel = usize::try_from(parallel).expect("a small number");
    let mut outcomes: Vec<Outcome> = futures::stream::iter(runs).buffer_unordered(parallel).collect().await;
    outcomes.sort_by_key(|outcome| outcome.plan.seed);
    println!("{}", table::totals(&outcomes));
    let broken: Vec<_> = outcomes.iter().filter(|outcome| !outcome.violations.is_empty()).collect();
    if !broken.is_empty() {
        let logs = logs.keep();
        let reports: Vec<_> = broken.into_iter().map(table::report).collect();
        panic!("the output of the watchers is in {}\n{}", logs.display(), reports.join("\n"));
    }
}
