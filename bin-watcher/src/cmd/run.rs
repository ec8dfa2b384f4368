//! `watcher run`: watches one workload until it trips.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::Supervisor;
use breaker_core::policy::{Mode, PolicyWarning};
use breaker_core::supervisor::{Dependencies, RunUntil, SupervisorOptions};
use breaker_kube::access::Purpose;

use crate::cli::exit::Exit;
use crate::cli::reset_command;
use crate::cli::run_args::RunOptions;
use crate::cluster::access;
use crate::cluster::clock::SystemClock;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::workload::narrator::{Narrator, no_commands};

pub(crate) async fn run(options: RunOptions) -> anyhow::Result<Exit> {
    let RunOptions { cluster: args, target, policy, classifier, until, heartbeat, format, webhooks } =
        options;
    let warnings = policy.warnings();
    let warnings = warnings.into_iter().map(|warning| match &warning {
        PolicyWarning::WindowTooShort { shortest, .. } => {
            format!("{warning}; use --window {}m or none", shortest.as_mins())
        }
        _ => warning.to_string(),
    });
    let starting = with_startup_timeout(async {
        let cluster = Cluster::connect(&args).await?;
        let target = target.in_namespace(&cluster.namespace)?;
        let dry_run = policy.mode == Mode::Observe;
        let purpose = Purpose::Watch { target: &target, mode: policy.mode };
        let missing_permissions = access::check(&cluster.kube, purpose).await?;
        let parts = Dependencies {
            client: Arc::clone(&cluster.client),
            clock: Arc::new(SystemClock),
            classifier: Arc::new(classifier),
            webhooks,
        };
        let options = SupervisorOptions {
            dry_run,
            record: access::record_storage(&missing_permissions),
            heartbeat,
            missing_permissions,
            restore_hint: Some(reset_command::hint(&target)),
            ..SupervisorOptions::default()
        };
        let supervisor = Supervisor::start(parts, policy, target.clone(), options)
            .await
            .with_context(|| format!("starting to watch {target}"))?;
        Ok((supervisor, target))
    });
    let (mut supervisor, target) = until_signal(starting).await?;
    let mut narrator = Narrator::new(&args, &target, format);
    for message in warnings {
        narrator.warn(message);
    }
    watch(&mut supervisor, &mut narrator, until).await
}

async fn watch(
    supervisor: &mut Supervisor,
    narrator: &mut Narrator,
    until: RunUntil,
) -> anyhow::Result<Exit> {
    narrator.drive(supervisor, no_commands(), until).await?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use breaker_core::Policy;
    use breaker_core::sim::Health;

    use super::*;
    use crate::test_support::Fixture;

    fn run_on(fixture: &Fixture, policy: Policy, until: RunUntil) -> anyhow::Result<Exit> {
        let options = SupervisorOptions {
            dry_run: policy.mode == Mode::Observe,
            heartbeat: Some(jiff::SignedDuration::from_mins(1)),
            ..SupervisorOptions::default()
        };
        fixture.run(async {
            let target = fixture.target();
            let mut supervisor = Supervisor::start(fixture.parts(), policy, target, options).await?;
            watch(&mut supervisor, &mut fixture.narrator(), until).await
        })
    }

    #[test]
    fn a_trip_is_reported_with_the_command_that_undoes_it() {
        let fixture = Fixture::new(2);
        fixture.sim.after_secs(90, |world| world.set_health(Health::dies("dial tcp: connection refused")));
        let policy = Policy { causes: breaker_core::policy::CauseSet::ANY, ..Policy::default() };
        assert_eq!(run_on(&fixture, policy, RunUntil::Tripped).unwrap(), Exit::Done);
        insta::assert_snapshot!(fixture.output());
    }

    #[test]
    fn a_dry_run_says_once_that_it_would_trip() {
        let fixture = Fixture::new(1);
        fixture.sim.after_secs(1, |world| world.set_health(Health::dies("dial tcp: connection refused")));
        let causes = breaker_core::policy::CauseSet::ANY;
        let policy = Policy { causes, mode: Mode::Observe, ..Policy::default() };
        assert_eq!(run_on(&fixture, policy, RunUntil::Tripped).unwrap(), Exit::Done);
        assert_eq!(fixture.output().matches("would trip").count(), 1, "{}", fixture.output());
        assert_eq!(fixture.sim.with(|world| world.replicas()), 1);
    }

    #[test]
    fn a_target_that_goes_away_is_lost() {
        let fixture = Fixture::new(1);
        fixture.sim.after_secs(1, |world| world.delete_target(None));
        let error = run_on(&fixture, Policy::default(), RunUntil::Forever).unwrap_err();
        assert_eq!(Exit::from_error(&error), Exit::NotFound);
    }
}
