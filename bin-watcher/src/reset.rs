//! `watcher reset`: give the replicas back, count anew.

use anyhow::bail;
use breaker_core::BreakerEvent;
use breaker_core::action::Command;
use breaker_core::state::State;

use crate::act::Act;
use crate::args::ResetArgs;
use crate::breakers;
use crate::exit::Exit;
use crate::narrator::Stopped;
use crate::program;

pub(crate) async fn reset(args: &ResetArgs) -> anyhow::Result<Exit> {
    if let Some(name) = &args.act.who.breaker {
        args.notices.must_be_absent()?;
        return breakers::reset(&args.act.cluster, name, args.act.output).await;
    }
    match Act::begin(&args.act, args.notices.check()?, true, belongs).await? {
        Ok(act) => carry_out(act).await,
        Err(exit) => Ok(exit),
    }
}

async fn carry_out(mut act: Act) -> anyhow::Result<Exit> {
    if let Err(Stopped(signal)) = act.command(Command::Reset).await? {
        return Ok(Exit::Signal(signal));
    }
    if *act.breaker().state() != State::Closed {
        bail!("the replicas of {} were not given back; the breaker still is open", act.target);
    }
    if act.replicas() == 0 {
        let target = &act.target;
        let namespace = &target.namespace;
        act.note(format!(
            "{target} has 0 replicas and no record of how many to give back; if a CircuitBreaker watches it, reset \
             that by its name (`{} status -n {namespace}` lists them), else set them with: kubectl -n {namespace} \
             scale {} --replicas=N",
            program::name(),
            target.slash()
        ));
    }
    Ok(Exit::Done)
}

fn belongs(notice: &BreakerEvent) -> bool {
    let of_the_watch =
        matches!(notice, BreakerEvent::Watching { .. } | BreakerEvent::Restart(_) | BreakerEvent::Held(_));
    !of_the_watch && !matches!(notice, BreakerEvent::WouldTrip(_) | BreakerEvent::AlreadyOpen { .. })
}

#[cfg(test)]
mod tests {
    use breaker_core::sim::{Call, Fault};
    use breaker_core::state::TripReason;
    use breaker_core::{ClusterClient, Record};

    use super::*;
    use crate::stage::Stage;

    fn reset_on(stage: &Stage) -> anyhow::Result<Exit> {
        stage.play(async {
            let narrator = stage.narrator().telling_only(belongs);
            carry_out(Act::on(stage.parts(), stage.hooks(), stage.target(), true, narrator).await?).await
        })
    }

    fn left_behind(stage: &Stage, state: State) {
        let target = stage.target();
        let stored = stage.play(async {
            let target_uid = stage.sim.read_scale(&target).await?.uid;
            let record = Record { target_uid, episode: 2, state, ..Record::default() };
            stage.sim.save_record(&target, &record, None).await
        });
        stored.unwrap();
    }

    fn open(stage: &Stage) -> State {
        let because = TripReason { pressed: true, ..TripReason::default() };
        State::Open { since: stage.sim.now(), replicas: 3, because, restoring: false }
    }

    #[test]
    fn exactly_the_replicas_taken_are_given_back() {
        let stage = Stage::new(0);
        left_behind(&stage, open(&stage));
        assert_eq!(reset_on(&stage).unwrap(), Exit::Done);
        assert_eq!(stage.sim.with(|world| world.scales_written().to_vec()), [3]);
        assert!(stage.told().contains("closed, 3 replicas given back"), "{}", stage.told());
    }

    #[test]
    fn a_reset_of_what_is_closed_counts_anew() {
        let stage = Stage::new(2);
        assert_eq!(reset_on(&stage).unwrap(), Exit::Done);
        assert!(stage.told().contains("reset, counting anew"), "{}", stage.told());
    }

    #[test]
    fn a_reset_that_has_nothing_to_give_back_says_so() {
        let stage = Stage::new(0);
        assert_eq!(reset_on(&stage).unwrap(), Exit::Done);
        for words in
            ["`watcher status -n sre` lists them", "kubectl -n sre scale deployment/swype-app --replicas=N"]
        {
            assert!(stage.told().contains(words), "{}", stage.told());
        }
    }

    #[test]
    fn a_reset_in_the_middle_of_a_trip_keeps_the_replicas() {
        let stage = Stage::new(3);
        let because = TripReason { pressed: true, ..TripReason::default() };
        left_behind(&stage, State::Tripping { since: stage.sim.now(), replicas: 3, because });
        assert_eq!(reset_on(&stage).unwrap(), Exit::Done);
        assert_eq!(stage.sim.with(|world| world.replicas()), 3, "{}", stage.told());
    }

    #[test]
    fn a_record_that_may_not_be_read_is_not_taken_for_none() {
        let stage = Stage::new(0);
        stage.sim.with(|world| world.fault(Fault::Forbid(Call::LoadRecord)));
        let error = reset_on(&stage).err().unwrap();
        assert_eq!(Exit::of(&error), Exit::Forbidden);
        assert_eq!(stage.told(), "");
    }
}
