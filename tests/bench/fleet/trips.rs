//! Trips of fresh targets: the controller and the bare loop in turn.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bigredbutton_tests::{Kubelet, REFUSED, Space, Zeroes, percentile};
use futures::{StreamExt, stream};
use serde_json::json;

/// Rounds whose targets are made ready together, so that what that costs the API server is over when they trip.
const TOGETHER: usize = 5;

/// A restart is not followed by the next one at once.
const APART: Duration = Duration::from_millis(150);

/// Names of the targets that are the bare loop's begin so.
pub(crate) const BARE: &str = "bare-";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Bare,
    Controller,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum How {
    /// The death is shown first, then the restart, as a kubelet does.
    SeenToDie,
    /// Terminated and restart in one status change, so that evidence is taken in between as well.
    OnePatch,
}

/// Where the targets live.
pub(crate) struct Arena {
    space: Space,
    zeroes: Zeroes,
    next: usize,
}

/// A target that has restarted three times.
struct Target {
    name: String,
    app: Kubelet,
    who: Who,
    how: How,
}

impl Arena {
    pub(crate) fn of(space: Space) -> Self {
        let zeroes = Zeroes::watch(&space);
        Self { space, zeroes, next: 0 }
    }

    /// So many trips of each, and more until the time is over. Prints the times; answers the worst ratio of the p50s.
    pub(crate) async fn compare(&mut self, trips: usize, at_least: Duration) -> f64 {
        let began = Instant::now();
        let mut times: HashMap<(Who, How), Vec<Duration>> = HashMap::new();
        let mut done = 0;
        while done < trips || began.elapsed() < at_least {
            let rounds = TOGETHER.min(trips.saturating_sub(done)).max(1);
            for target in self.targets(rounds).await {
                let key = (target.who, target.how);
                times.entry(key).or_default().push(target.trip(&self.zeroes).await);
            }
            done += rounds;
        }
        println!("{:<14}{:<14}{:>8}{:>10}{:>10}", "the death", "", "trips", "p50, ms", "p90, ms");
        let mut worst: f64 = 0.0;
        for (how, words) in [(How::SeenToDie, "seen to die"), (How::OnePatch, "one patch")] {
            let (bare, ours) = (&times[&(Who::Bare, how)], &times[&(Who::Controller, how)]);
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

    /// Fresh targets, in the order of their turns.
    async fn targets(&mut self, rounds: usize) -> Vec<Target> {
        let mut wanted = Vec::new();
        for _ in 0..rounds {
            let n = self.next;
            self.next += 1;
            let mut turns = [Who::Bare, Who::Controller];
            turns.rotate_left(n % 2);
            for how in [How::SeenToDie, How::OnePatch] {
                wanted.extend(turns.map(|who| (n, who, how)));
            }
        }
        let made = wanted.into_iter().map(|(n, who, how)| Target::make(&self.space, n, who, how));
        stream::iter(made).buffered(8).collect().await
    }

    pub(crate) async fn close(self) {
        self.space.close().await;
    }
}

impl Target {
    async fn make(space: &Space, n: usize, who: Who, how: How) -> Self {
        let prefix = if who == Who::Bare { BARE } else { "ours-" };
        let name = format!("{prefix}{n}-{}", how as u8);
        let pods = space.deployment_beside(&name, 1).await;
        let mut app = Kubelet::start(space, &pods[0]).await;
        if who == Who::Controller {
            space.breaker(&name, json!({})).await;
            space.phase(&name, "Closed").await;
        }
        for _ in 0..3 {
            app.restart(REFUSED).await;
        }
        if who == Who::Controller {
            space.breaker_until(&name, "three restarts are counted", |status| status["counted"] == 3).await;
        }
        if how == How::SeenToDie {
            app.die(REFUSED).await;
        }
        Self { name, app, who, how }
    }

    /// The fourth restart; how long it takes from there to `spec.replicas` 0.
    async fn trip(mut self, zeroes: &Zeroes) -> Duration {
        tokio::time::sleep(APART).await;
        let start = Instant::now();
        match self.how {
            How::SeenToDie => self.app.runs_again().await,
            How::OnePatch => self.app.jump(1, REFUSED).await,
        }
        zeroes.of(&self.name).await.duration_since(start)
    }
}
