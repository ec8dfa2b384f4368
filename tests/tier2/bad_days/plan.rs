//! [`Plan`]: what a seed does to a workload, its breaker and the watcher.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::receiver::Behavior;

/// The breaker's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `watcher run`; it exits when it has tripped.
    Run,
    /// `watcher run --keep-watching`.
    RunOn,
    /// `watcher controller`.
    Controller,
    /// `watcher controller` that leads by a Lease.
    Leader,
}

impl Program {
    pub(crate) fn is_controller(self) -> bool {
        matches!(self, Self::Controller | Self::Leader)
    }
}

/// What happens to the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    /// All pods terminate again and again. After the trip the network recovers, and the breaker is
    /// reset.
    Outage,
    /// All pods terminate again and again, and recover after this time.
    Recovers(Duration),
    /// A person trips the breaker and resets it.
    Pressed,
    /// As an outage; the breaker recovers by trials, of which the first ones fail.
    Trials {
        /// Trials that fail.
        failing: u32,
    },
    /// As an outage, under a breaker that only observes or is disabled.
    Observed,
}

/// The hook before a trip.
#[derive(Debug, Clone)]
pub(crate) struct HookPlan {
    /// What the receiver does first; later it says 200.
    pub(crate) behaviors: Vec<Behavior>,
    /// A hook that fails holds the trip.
    pub(crate) holds: bool,
}

/// What a seed does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) program: Program,
    pub(crate) story: Story,
    pub(crate) replicas: u32,
    pub(crate) hook: Option<HookPlan>,
    pub(crate) has_keda: bool,
    /// When the watcher gets SIGKILL, since its first start.
    pub(crate) kills: Vec<Duration>,
    /// Whether requests for pods get faults.
    pub(crate) touches_pods: bool,
    /// Whether the faults end before the reset.
    pub(crate) calm_reset: bool,
    /// Time between two terminations of a pod.
    pub(crate) pace: Duration,
    /// Time between the start of the watcher and the first termination.
    pub(crate) head_start: Duration,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        // Not the generator of the faults, whose seed is the same.
        let mut random = Rng::with_seed(!seed);
        let story = match seed % 5 {
            0 => Story::Outage,
            1 => Story::Recovers(Duration::from_millis(random.u64(1500..6000))),
            2 => Story::Pressed,
            3 => Story::Trials { failing: random.u32(0..2) },
            // Observing is simple, so that it gets half of its share.
            _ if (seed / 5).is_multiple_of(2) => Story::Observed,
            _ => Story::Outage,
        };
        let controllers = [Program::Controller, Program::Controller, Program::Leader];
        let all = [
            Program::Run,
            Program::RunOn,
            Program::Run,
            Program::Controller,
            Program::Controller,
            Program::Leader,
        ];
        let programs = if matches!(story, Story::Trials { .. }) { &controllers[..] } else { &all[..] };
        let program = programs[random.usize(0..programs.len())];
        let millis = |random: &mut Rng, max: u64| Duration::from_millis(random.u64(0..max));
        let kills = (0..random.usize(0..4)).map(|_| millis(&mut random, 14_000)).collect::<Vec<_>>();
        Self {
            seed,
            program,
            story,
            replicas: random.u32(1..=3),
            hook: (random.u8(0..3) == 0).then(|| hook(&mut random)),
            has_keda: program.is_controller() && random.bool(),
            kills,
            touches_pods: random.bool(),
            calm_reset: random.bool(),
            pace: Duration::from_millis(random.u64(300..900)),
            head_start: millis(&mut random, 2_500),
        }
    }

    /// The `spec` of the CircuitBreaker. `hook` is the URL of the receiver.
    pub(crate) fn spec(&self, hook: Option<&str>) -> Value {
        let mut spec = json!({});
        if let (Some(url), Some(plan)) = (hook, &self.hook) {
            let on_failure = if plan.holds { "Hold" } else { "Proceed" };
            spec["hooks"] = json!({"beforeTrip": {"url": url, "timeout": "2s", "onFailure": on_failure}});
        }
        match self.story {
            Story::Trials { .. } => {
                spec["recovery"] = json!({
                    "mode": "HalfOpen", "cooldown": "2s", "maxCooldown": "4s",
                    "probeReplicas": 1, "probeFor": "4s",
                });
            }
            Story::Observed if self.calm_reset => spec["mode"] = json!("Observe"),
            Story::Observed => spec["override"] = json!("Disabled"),
            _ => {}
        }
        spec
    }

    /// The flags of the hook for `watcher run` and `watcher trip`.
    pub(crate) fn hook_flags(&self, hook: Option<&str>) -> Vec<String> {
        let (Some(url), Some(plan)) = (hook, &self.hook) else { return Vec::new() };
        let on_failure = if plan.holds { "hold" } else { "proceed" };
        ["--before-trip", url, "--hook-timeout", "2s", "--hook-failure", on_failure].map(str::to_owned).into()
    }
}

fn hook(random: &mut Rng) -> HookPlan {
    let behaviors = (0..random.usize(0..3)).map(|_| match random.u8(0..3) {
        0 => Behavior::Responds(500, "no"),
        1 => Behavior::RespondsAfter(Duration::from_millis(random.u64(500..3000))),
        _ => Behavior::DropsConnection,
    });
    HookPlan { behaviors: behaviors.collect(), holds: random.bool() }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {:?}, {} replicas", self.program, self.story, self.replicas)?;
        if let Some(hook) = &self.hook {
            write!(f, ", hook {:?} that {}", hook.behaviors, if hook.holds { "holds" } else { "proceeds" })?;
        }
        if self.has_keda {
            f.write_str(", KEDA")?;
        }
        if self.touches_pods {
            f.write_str(", faults of the pod view")?;
        }
        f.write_str(if self.calm_reset { ", reset after the faults" } else { ", reset under faults" })
    }
}
