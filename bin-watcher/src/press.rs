//! `watcher trip`: the red button.

use anyhow::bail;
use breaker_core::{Command, Notice, State};

use crate::act::Act;
use crate::args::ActArgs;
use crate::exit::Exit;
use crate::narrator::Stopped;

/// A press meets an open breaker whose target somebody has scaled up: the first press finds out that it is
/// theirs now, the second one takes it down.
const PRESSES: u32 = 2;

pub(crate) async fn press(args: &ActArgs) -> anyhow::Result<Exit> {
    let mut act = match Act::begin(args, false, belongs).await? {
        Ok(act) => act,
        Err(exit) => return Ok(exit),
    };
    for _ in 0..PRESSES {
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
    }
    bail!("{} was not scaled to zero; it has {} replicas", act.target, act.replicas())
}

/// What the pods do and did is not what was asked.
fn belongs(notice: &Notice) -> bool {
    !matches!(notice, Notice::Watching { .. } | Notice::Restart(_) | Notice::Held(_) | Notice::WouldTrip(_))
}
