//! Trips of fresh targets, by the controller and the baseline in turn.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bigredbutton_tests::{Kubelet, REFUSED, ScaledToZero, TestNamespace, percentile};
use futures::{StreamExt, stream};
use serde_json::json;

/// Rounds whose targets are created together, so that the API server is idle again when they trip.
const ROUNDS_PER_BATCH: usize = 5;

/// The pause before the last restart; real restarts do not follow each other at once.
const RESTART_GAP: Duration = Duration::from_millis(150);

/// Prefix of the names of the baseline's targets.
pub(crate) const BASELINE_PREFIX: &str = "bare-";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Contender {
    Baseline,
    Controller,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum StatusPatches {
    /// The termination is patched first, then the restart, as a kubelet does.
    TerminationFirst,
    /// Termination and restart are one status change, so that the time includes gathering evidence.
    OnePatch,
}

/// The namespace of the targets, and the watch that times them.
pub(crate) struct TripBench {
    ns: TestNamespace,
    scaled_to_zero: ScaledToZero,
    next: usize,
}

/// A target that has restarted three times.
struct Target {
    name: String,
    app: Kubelet,
    contender: Contender,
    patches: StatusPatches,
}

impl TripBench {
    pub(crate) fn new(ns: TestNamespace) -> Self {
        let scaled_to_zero = ScaledToZero::watch(&ns);
        Self { ns, scaled_to_zero, next: 0 }
    }

    /// Runs at least `trips` trips of each kind for at least the time `at_least`. Prints the times
    /// and returns the worst ratio of the medians.
    pub(crate) async fn compare(&mut self, trips: usize, at_least: Duration) -> f64 {
        let began = Instant::now();
        let mut times: HashMap<(Contender, StatusPatches), Vec<Duration>> = HashMap::new();
        let mut done = 0;
        while done < trips || began.elapsed() < at_least {
            let rounds = ROUNDS_PER_BATCH.min(trips.saturating_sub(done)).max(1);
            for target in self.targets(rounds).await {
                let key = (target.contender, target.patches);
                times.entry(key).or_default().push(target.trip(&self.scaled_to_zero).await);
            }
            done += rounds;
        }
        println!("{:<14}{:<14}{:>8}{:>10}{:>10}", "the death", "", "trips", "p50, ms", "p90, ms");
        let mut worst: f64 = 0.0;
        for (patches, words) in
            [(StatusPatches::TerminationFirst, "seen to die"), (StatusPatches::OnePatch, "one patch")]
        {
            let (bare, ours) =
                (&times[&(Contender::Baseline, patches)], &times[&(Contender::Controller, patches)]);
            for (name, times) in [("bare loop", bare), ("controller", ours)] {
                let (p50, p90) = (percentile(times, 0.5), percentile(times, 0.9));
                println!("{words:<14}{name:<14}{:>8}{p50:>10.1}{p90:>10.1}", times.len());
            }
            let of = |share| percentile(ours, share) / percentile(bare, share);
            println!("{words:<14}{:<14}{:>8}{:>9.2}x{:>9.2}x", "ratio", "", of(0.5), of(0.9));
            worst = worst.max(of(0.5));
        }
        worst
    }

    /// Creates targets in the order of their turns.
    async fn targets(&mut self, rounds: usize) -> Vec<Target> {
        let mut wanted = Vec::new();
        for _ in 0..rounds {
            let n = self.next;
            self.next += 1;
            let mut turns = [Contender::Baseline, Contender::Controller];
            turns.rotate_left(n % 2);
            for patches in [StatusPatches::TerminationFirst, StatusPatches::OnePatch] {
                wanted.extend(turns.map(|contender| (n, contender, patches)));
            }
        }
        let made =
            wanted.into_iter().map(|(n, contender, patches)| Target::make(&self.ns, n, contender, patches));
        stream::iter(made).buffered(8).collect().await
    }

    pub(crate) async fn delete(self) {
        self.ns.delete().await;
    }
}

impl Target {
    async fn make(ns: &TestNamespace, n: usize, contender: Contender, patches: StatusPatches) -> Self {
        let prefix = if contender == Contender::Baseline { BASELINE_PREFIX } else { "ours-" };
        let name = format!("{prefix}{n}-{}", patches as u8);
        let pods = ns.deployment_beside(&name, 1).await;
        let mut app = Kubelet::start(ns, &pods[0]).await;
        if contender == Contender::Controller {
            ns.breaker(&name, json!({})).await;
            ns.wait_for_phase(&name, "Closed").await;
        }
        for _ in 0..3 {
            app.restart(REFUSED).await;
        }
        if contender == Contender::Controller {
            ns.wait_for_status(&name, "three restarts are counted", |status| status["counted"] == 3).await;
        }
        if patches == StatusPatches::TerminationFirst {
            app.terminate(REFUSED).await;
        }
        Self { name, app, contender, patches }
    }

    /// Restarts the target a fourth time and returns the time until `spec.replicas` is 0.
    async fn trip(mut self, scaled_to_zero: &ScaledToZero) -> Duration {
        tokio::time::sleep(RESTART_GAP).await;
        let start = Instant::now();
        match self.patches {
            StatusPatches::TerminationFirst => self.app.start_again().await,
            StatusPatches::OnePatch => self.app.restart_unobserved(1, REFUSED).await,
        }
        scaled_to_zero.wait_for(&self.name).await.duration_since(start)
    }
}
