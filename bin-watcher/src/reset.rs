//! `watcher reset`: give the replicas back, count anew.

use anyhow::bail;
use breaker_core::{Command, Notice, State};

use crate::act::Act;
use crate::args::ActArgs;
use crate::exit::Exit;
use crate::narrator::Stopped;

pub(crate) async fn reset(args: &ActArgs) -> anyhow::Result<Exit> {
    let mut act = match Act::begin(args, true, belongs).await? {
        Ok(act) => act,
        Err(exit) => return Ok(exit),
    };
    if let Err(Stopped(signal)) = act.command(Command::Reset).await? {
        return Ok(Exit::Signal(signal));
    }
    if *act.breaker().state() != State::Closed {
        bail!("the replicas of {} were not given back; the breaker still is open", act.target);
    }
    if act.replicas() == 0 {
        let target = &act.target;
        act.note(format!(
            "{target} has 0 replicas and no record of how many to give back; set them with: kubectl -n {} \
             scale {} --replicas=N",
            target.namespace,
            target.slash()
        ));
    }
    Ok(Exit::Done)
}

fn belongs(notice: &Notice) -> bool {
    let of_the_watch = matches!(notice, Notice::Watching { .. } | Notice::Restart(_) | Notice::Held(_));
    !of_the_watch && !matches!(notice, Notice::WouldTrip(_) | Notice::AlreadyOpen { .. })
}
