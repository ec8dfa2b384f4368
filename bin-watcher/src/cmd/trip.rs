//! `watcher trip`: scales a workload to zero on request.

use anyhow::bail;
use breaker_core::BreakerEvent;
use breaker_core::action::Command;
use breaker_core::snapshot::HoldReason;
use breaker_core::state::State;
use breaker_core::text::plural;

use crate::breakers;
use crate::cli::args::TripArgs;
use crate::cli::exit::Exit;
use crate::workload::standalone::StandaloneCommand;

pub(crate) async fn trip(args: &TripArgs) -> anyhow::Result<Exit> {
    if let Some(name) = &args.action.subject.breaker {
        args.hooks.must_be_absent()?;
        return breakers::command::trip(&args.action.cluster, name, args.action.output).await;
    }
    carry_out(StandaloneCommand::connect(&args.action, args.hooks.check()?, false, shows).await?).await
}

async fn carry_out(mut standalone: StandaloneCommand) -> anyhow::Result<Exit> {
    standalone.carry_out(Command::Press).await?;
    if matches!(standalone.breaker().state(), State::Open { .. }) {
        standalone.pods_gone().await?;
        return Ok(Exit::Done);
    }
    if standalone.replicas() == 0 {
        return Ok(Exit::Done);
    }
    standalone.clear_override().await?;
    bail!("{} was not scaled to zero; it has {}", standalone.target, plural(standalone.replicas(), "replica"))
}

/// Events that belong to the trip. Restarts and the counts of the watch do not.
fn shows(event: &BreakerEvent) -> bool {
    match event {
        BreakerEvent::Held(held) => held.reason == HoldReason::Hook,
        BreakerEvent::Watching { .. } | BreakerEvent::Restart(_) | BreakerEvent::WouldTrip(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::Fixture;

    fn press_on(fixture: &Fixture) -> anyhow::Result<Exit> {
        fixture.run(async {
            let narrator = fixture.narrator().showing_only(shows);
            let hooks = fixture.hooks();
            carry_out(
                StandaloneCommand::start(fixture.parts(), hooks, fixture.target(), false, narrator).await?,
            )
            .await
        })
    }

    #[test]
    fn a_press_that_the_hook_holds_fails_and_is_not_made_later() {
        let fixture = Fixture::new(3).with_hook();
        fixture.sim.with(|world| world.set_hook_says(breaker_core::webhook::HookDecision::Hold));
        let error = press_on(&fixture).unwrap_err();
        assert_eq!(Exit::from_error(&error), Exit::Failed);
        assert!(
            fixture.output().contains("held: the hook asks to hold; its reason is in the log of watcher"),
            "{}",
            fixture.output()
        );
        let record = fixture.sim.with(|world| world.record().cloned()).unwrap();
        assert_eq!((record.state, record.override_), (State::Closed, breaker_core::state::Override::Auto));
        fixture.sim.with(|world| world.set_hook_says(breaker_core::webhook::HookDecision::Proceed));
        assert_eq!(press_on(&fixture).unwrap(), Exit::Done);
        assert_eq!(fixture.sim.with(|world| world.scales_written().to_vec()), [0]);
    }

    #[test]
    fn a_trip_scales_to_zero_and_prints_the_command_that_undoes_it() {
        let fixture = Fixture::new(3);
        assert_eq!(press_on(&fixture).unwrap(), Exit::Done);
        assert_eq!(fixture.sim.with(|world| world.replicas()), 0);
        insta::assert_snapshot!(fixture.output());
    }

    #[test]
    fn pressing_twice_is_pressing_once() {
        let fixture = Fixture::new(3);
        press_on(&fixture).unwrap();
        assert_eq!(press_on(&fixture).unwrap(), Exit::Done);
        assert_eq!(fixture.sim.with(|world| world.scales_written().to_vec()), [0]);
        assert!(
            fixture.output().contains("already open; a reset restores 3 replicas"),
            "{}",
            fixture.output()
        );
    }

    #[test]
    fn what_somebody_scaled_up_behind_an_open_breaker_is_taken_down_again() {
        let fixture = Fixture::new(3);
        press_on(&fixture).unwrap();
        fixture.sim.with(|world| world.scale_by_hand(2, "kubectl"));
        let exit = press_on(&fixture);
        assert_eq!(fixture.sim.with(|world| world.replicas()), 0, "{}", fixture.output());
        assert_eq!(exit.unwrap(), Exit::Done);
    }

    #[test]
    fn nothing_to_take_is_no_failure() {
        let fixture = Fixture::new(0);
        assert_eq!(press_on(&fixture).unwrap(), Exit::Done);
        assert!(fixture.output().contains("0 replicas already"), "{}", fixture.output());
    }
}
