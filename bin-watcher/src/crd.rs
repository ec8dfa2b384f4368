//! `watcher crd`: the definition of CircuitBreaker, for `kubectl apply`.

use std::io::{ErrorKind, Write};

use crate::exit::Exit;

pub(crate) fn print() -> anyhow::Result<Exit> {
    match std::io::stdout().write_all(breaker_kube::crd::crd_yaml().as_bytes()) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
