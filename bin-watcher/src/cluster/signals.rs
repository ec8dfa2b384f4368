//! SIGINT and SIGTERM stop the program in order. SIGHUP keeps its default action, which `nohup`
//! changes.

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::signal::Signal;

/// Runs `work` until it is done or a signal arrives. A signal drops `work` at an await point.
///
/// # Errors
/// [`Signal`] when a signal arrived first, else the error of `work`.
pub(crate) async fn until_signal<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut int = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        _ = int.recv() => Err(Signal::Int.into()),
        _ = term.recv() => Err(Signal::Term.into()),
        done = work => done,
    }
}
