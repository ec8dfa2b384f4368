//! SIGINT and SIGTERM end a watch in an orderly way. SIGHUP keeps its default, which `nohup` changes.

use std::fmt;

use tokio::signal::unix::{SignalKind, signal};

/// A signal that asks the watcher to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Int,
    Term,
}

impl Signal {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Int => 2,
            Self::Term => 15,
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Int => "SIGINT",
            Self::Term => "SIGTERM",
        })
    }
}

/// Does `work` until it is done or a signal comes. The work is dropped where it waits, never in the middle
/// of a decision.
pub(crate) async fn unless_stopped<T>(work: impl Future<Output = T>) -> anyhow::Result<Result<T, Signal>> {
    let mut int = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    Ok(tokio::select! {
        biased;
        _ = int.recv() => Err(Signal::Int),
        _ = term.recv() => Err(Signal::Term),
        done = work => Ok(done),
    })
}
