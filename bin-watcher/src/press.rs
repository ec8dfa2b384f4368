//! `watcher trip`: the red button.

use anyhow::bail;
use breaker_core::BreakerEvent;
use breaker_core::action::Command;
use breaker_core::state::State;

use crate::act::Act;
use crate::args::TripArgs;
use crate::breakers;
use crate::exit::Exit;
use crate::narrator::Stopped;

pub(crate) async fn press(args: &TripArgs) -> anyhow::Result<Exit> {
    if let Some(name) = &args.act.who.breaker {
        args.hooks.must_be_absent()?;
        return breakers::trip(&args.act.cluster, name, args.act.output).await;
    }
    match Act::begin(&args.act, args.hooks.check()?, false, belongs).await? {
        Ok(act) => carry_out(act).await,
        Err(exit) => Ok(exit),
    }
}

async fn carry_out(mut act: Act) -> anyhow::Result<Exit> {
    if let Err(Stopped(signal)) = act.command(Command::Press).await? {
        return Ok(Exit::Signal(signal));
    }
    if matches!(act.breaker().state(), State::Open { .. }) {
        return Ok(match act.pods_gone().await? {
            Ok(_) => Exit::Done,
            Err(Stopped(signal)) => Exit::Signal(signal),
        });
    }
    if act.replicas() == 0 {
        return Ok(Exit::Done);
    }
    act.let_go().await?;
    bail!("{} was not scaled to zero; it has {} replicas", act.target, act.replicas())
}

/// What the pods do and did is not what was asked.
fn belongs(notice: &BreakerEvent) -> bool {
    match notice {
        BreakerEvent::Held(held) => held.reason == "hook",
        BreakerEvent::Watching { .. } | BreakerEvent::Restart(_) | BreakerEvent::WouldTrip(_) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;

    fn press_on(stage: &Stage) -> anyhow::Result<Exit> {
        stage.play(async {
            let narrator = stage.narrator().telling_only(belongs);
            let hooks = stage.hooks();
            carry_out(Act::on(stage.parts(), hooks, stage.target(), false, narrator).await?).await
        })
    }

    #[test]
    fn a_press_that_the_hook_holds_fails_and_is_not_made_later() {
        let stage = Stage::new(3).with_hook();
        stage.sim.with(|world| {
            world.set_hook_says(breaker_core::webhook::HookDecision::Hold("a rollback runs".into()))
        });
        let error = press_on(&stage).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Failed);
        assert!(stage.told().contains("held: the hook asks to hold: a rollback runs"), "{}", stage.told());
        let record = stage.sim.with(|world| world.record().cloned()).unwrap();
        assert_eq!((record.state, record.override_), (State::Closed, breaker_core::state::Override::Auto));
        stage.sim.with(|world| world.set_hook_says(breaker_core::webhook::HookDecision::Proceed));
        assert_eq!(press_on(&stage).unwrap(), Exit::Done);
        assert_eq!(stage.sim.with(|world| world.scales_written().to_vec()), [0]);
    }

    #[test]
    fn the_button_scales_to_zero_and_says_how_to_undo_it() {
        let stage = Stage::new(3);
        assert_eq!(press_on(&stage).unwrap(), Exit::Done);
        assert_eq!(stage.sim.with(|world| world.replicas()), 0);
        insta::assert_snapshot!(stage.told());
    }

    #[test]
    fn pressing_twice_is_pressing_once() {
        let stage = Stage::new(3);
        press_on(&stage).unwrap();
        assert_eq!(press_on(&stage).unwrap(), Exit::Done);
        assert_eq!(stage.sim.with(|world| world.scales_written().to_vec()), [0]);
        assert!(stage.told().contains("already open, a reset gives back 3"), "{}", stage.told());
    }

    #[test]
    fn what_somebody_scaled_up_behind_an_open_breaker_is_taken_down_again() {
        let stage = Stage::new(3);
        press_on(&stage).unwrap();
        stage.sim.with(|world| world.scale_by_hand(2, "kubectl"));
        let exit = press_on(&stage);
        assert_eq!(stage.sim.with(|world| world.replicas()), 0, "{}", stage.told());
        assert_eq!(exit.unwrap(), Exit::Done);
    }

    #[test]
    fn nothing_to_take_is_no_failure() {
        let stage = Stage::new(0);
        assert_eq!(press_on(&stage).unwrap(), Exit::Done);
        assert!(stage.told().contains("0 replicas already"), "{}", stage.told());
    }
}
