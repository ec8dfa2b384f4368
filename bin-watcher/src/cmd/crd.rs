//! `watcher crd`: the CustomResourceDefinition of CircuitBreaker, for `kubectl apply`.

use breaker_kube::crd::crd_yaml;

use crate::cli::exit::Exit;
use crate::output::stdout::print;

pub(crate) fn crd() -> anyhow::Result<Exit> {
    print(&crd_yaml())?;
    Ok(Exit::Done)
}
