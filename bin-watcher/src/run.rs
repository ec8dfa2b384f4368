//! `watcher run`: watch until it trips.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::Supervisor;
use breaker_core::policy::Mode;
use breaker_core::supervisor::{Dependencies, RunUntil};

use crate::args::Run;
use crate::clock::SystemClock;
use crate::connect::{Cluster, in_time};
use crate::exit::Exit;
use crate::narrator::{Narrator, Stopped, none};
use crate::preflight;
use crate::signals::unless_stopped;

pub(crate) async fn run(run: Run) -> anyhow::Result<Exit> {
    let Run { cluster: args, target, policy, classifier, until, heartbeat, format, messenger } = run;
    let warnings = policy.warnings();
    let starting = in_time(async {
        let cluster = Cluster::connect(&args).await?;
        let target = target.in_namespace(&cluster.namespace)?;
        let dry_run = policy.mode == Mode::Observe;
        let missing = preflight::check(&cluster, &target, dry_run).await?;
        let parts = Dependencies {
            client: Arc::clone(&cluster.client),
            clock: Arc::new(SystemClock),
            classifier: Arc::new(classifier),
            messenger,
            heartbeat,
        };
        let supervisor = Supervisor::start(parts, policy, target.clone(), dry_run)
            .await
            .with_context(|| format!("starting to watch {target}"))?;
        Ok((supervisor, target, missing))
    });
    let (mut supervisor, target, missing) = match unless_stopped(starting).await? {
        Ok(started) => started?,
        Err(signal) => return Ok(Exit::Signal(signal)),
    };
    let mut narrator = Narrator::new(&args, &target, format);
    for message in warnings {
        narrator.warn(message);
    }
    supervisor.warn_of(missing);
    watch(&mut supervisor, &mut narrator, until).await
}

async fn watch(
    supervisor: &mut Supervisor,
    narrator: &mut Narrator,
    until: RunUntil,
) -> anyhow::Result<Exit> {
    match narrator.follow(supervisor, none(), until).await? {
        Ok(_) => Ok(Exit::Done),
        Err(Stopped(signal)) => Ok(Exit::Signal(signal)),
    }
}

#[cfg(test)]
mod tests {
    use breaker_core::Policy;
    use breaker_core::sim::Health;

    use super::*;
    use crate::stage::Stage;

    fn run_on(stage: &Stage, policy: Policy, until: RunUntil) -> anyhow::Result<Exit> {
        let dry_run = policy.mode == Mode::Observe;
        stage.play(async {
            let target = stage.target();
            let mut supervisor = Supervisor::start(stage.parts(), policy, target, dry_run).await?;
            watch(&mut supervisor, &mut stage.narrator(), until).await
        })
    }

    #[test]
    fn a_trip_is_told_with_its_undoing() {
        let stage = Stage::new(2);
        stage.sim.after_secs(90, |world| world.set_health(Health::dies("dial tcp: connection refused")));
        let policy = Policy { causes: breaker_core::policy::CauseSet::ANY, ..Policy::default() };
        assert_eq!(run_on(&stage, policy, RunUntil::Tripped).unwrap(), Exit::Done);
        insta::assert_snapshot!(stage.told());
    }

    #[test]
    fn a_dry_run_says_once_that_it_would_trip() {
        let stage = Stage::new(1);
        stage.sim.after_secs(1, |world| world.set_health(Health::dies("dial tcp: connection refused")));
        let causes = breaker_core::policy::CauseSet::ANY;
        let policy = Policy { causes, mode: Mode::Observe, ..Policy::default() };
        assert_eq!(run_on(&stage, policy, RunUntil::Tripped).unwrap(), Exit::Done);
        assert_eq!(stage.told().matches("would trip").count(), 1, "{}", stage.told());
        assert_eq!(stage.sim.with(|world| world.replicas()), 1);
    }

    #[test]
    fn a_target_that_goes_away_is_lost() {
        let stage = Stage::new(1);
        stage.sim.after_secs(1, |world| world.delete_target(None));
        let error = run_on(&stage, Policy::default(), RunUntil::Forever).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::NotFound);
    }
}
