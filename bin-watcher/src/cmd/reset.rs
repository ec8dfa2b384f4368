//! `watcher reset`: restores the replicas and clears the counts.

use anyhow::bail;
use breaker_core::BreakerEvent;
use breaker_core::action::Command;
use breaker_core::state::State;

use crate::breakers;
use crate::cli::args::ResetArgs;
use crate::cli::exit::Exit;
use crate::cli::program_name;
use crate::workload::nothing_to_restore::NothingToRestore;
use crate::workload::standalone::StandaloneCommand;

pub(crate) async fn reset(args: &ResetArgs) -> anyhow::Result<Exit> {
    if let Some(name) = &args.action.subject.breaker {
        args.notify.must_be_absent()?;
        return breakers::command::reset(&args.action.cluster, name, args.action.output).await;
    }
    carry_out(StandaloneCommand::connect(&args.action, args.notify.check()?, true, shows).await?).await
}

async fn carry_out(mut standalone: StandaloneCommand) -> anyhow::Result<Exit> {
    standalone.carry_out(Command::Reset).await?;
    if *standalone.breaker().state() != State::Closed {
        bail!("the replicas of {} were not restored; the breaker is still open", standalone.target);
    }
    if standalone.replicas() == 0 {
        let target = &standalone.target;
        let hint = format!(
            "if a CircuitBreaker watches it, reset the breaker by its name (`{} status -n {}` lists the breakers), \
             else run",
            program_name::name(),
            target.namespace
        );
        return Err(NothingToRestore { target: target.clone(), hint }.into());
    }
    Ok(Exit::Done)
}

/// Events that belong to the reset. Restarts, holds and the counts of the watch do not.
fn shows(event: &BreakerEvent) -> bool {
    let of_the_watch =
        matches!(event, BreakerEvent::Watching { .. } | BreakerEvent::Restart(_) | BreakerEvent::Held(_));
    !of_the_watch && !matches!(event, BreakerEvent::WouldTrip(_) | BreakerEvent::AlreadyOpen { .. })
}

#[cfg(test)]
mod tests {
    use breaker_core::sim::{Call, Fault};
    use breaker_core::state::{Trip, TripReason};
    use breaker_core::{ClusterClient, Record};

    use super::*;
    use crate::test_support::Fixture;

    fn reset_on(fixture: &Fixture) -> anyhow::Result<Exit> {
        fixture.run(async {
            let narrator = fixture.narrator().showing_only(shows);
            carry_out(
                StandaloneCommand::start(fixture.parts(), fixture.hooks(), fixture.target(), true, narrator)
                    .await?,
            )
            .await
        })
    }

    fn left_behind(fixture: &Fixture, state: State) {
        let target = fixture.target();
        let stored = fixture.run(async {
            let target_uid = fixture.sim.read_scale(&target).await?.uid;
            let record = Record { target_uid, episode: 2, state, ..Record::default() };
            fixture.sim.save_record(&target, &record, None).await
        });
        stored.unwrap();
    }

    fn open(fixture: &Fixture) -> State {
        let because = TripReason::pressed();
        State::Open { since: fixture.sim.now(), trip: Trip { replicas: 3, because } }
    }

    #[test]
    fn exactly_the_removed_replicas_are_restored() {
        let fixture = Fixture::new(0);
        left_behind(&fixture, open(&fixture));
        assert_eq!(reset_on(&fixture).unwrap(), Exit::Done);
        assert_eq!(fixture.sim.with(|world| world.scales_written().to_vec()), [3]);
        assert!(fixture.output().contains("closed: restored 3 replicas"), "{}", fixture.output());
    }

    #[test]
    fn a_reset_of_a_closed_breaker_counts_from_zero() {
        let fixture = Fixture::new(2);
        assert_eq!(reset_on(&fixture).unwrap(), Exit::Done);
        assert!(fixture.output().contains("reset: counting from zero"), "{}", fixture.output());
    }

    #[test]
    fn a_reset_with_nothing_to_restore_reports_it() {
        let fixture = Fixture::new(0);
        let error = reset_on(&fixture).unwrap_err();
        assert_eq!(Exit::from_error(&error), Exit::Failed);
        for words in [
            "sre/deployment/swype-app has 0 replicas, and no Record says how many to restore",
            "`watcher status -n sre` lists the breakers",
            "kubectl scale -n sre deployment/swype-app --replicas=N",
        ] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_reset_in_the_middle_of_a_trip_keeps_the_replicas() {
        let fixture = Fixture::new(3);
        let because = TripReason::pressed();
        left_behind(
            &fixture,
            State::Tripping { since: fixture.sim.now(), trip: Trip { replicas: 3, because }, probe: None },
        );
        assert_eq!(reset_on(&fixture).unwrap(), Exit::Done);
        assert_eq!(fixture.sim.with(|world| world.replicas()), 3, "{}", fixture.output());
    }

    #[test]
    fn a_record_that_may_not_be_read_is_not_taken_for_none() {
        let fixture = Fixture::new(0);
        fixture.sim.with(|world| world.fault(Fault::Forbid(Call::LoadRecord)));
        let error = reset_on(&fixture).err().unwrap();
        assert_eq!(Exit::from_error(&error), Exit::Forbidden);
        assert_eq!(fixture.output(), "");
    }
}
