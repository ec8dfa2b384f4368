//! `watcher run`: watch until it trips.

use std::sync::Arc;

use anyhow::Context;
use breaker_core::{Mode, Notice, Parts, Supervisor};
use jiff::Timestamp;

use crate::args::Run;
use crate::clock::SystemClock;
use crate::connect::{Cluster, in_time};
use crate::exit::Exit;
use crate::narrator::{Narrator, Stopped, none};
use crate::preflight;
use crate::signals::unless_stopped;

pub(crate) async fn run(run: Run) -> anyhow::Result<Exit> {
    let Run { cluster: args, target, policy, classifier, until, heartbeat, format } = run;
    let warnings = policy.warnings();
    let starting = in_time(async {
        let cluster = Cluster::connect(&args).await?;
        let target = target.in_namespace(&cluster.namespace)?;
        let dry_run = policy.mode == Mode::Observe;
        let missing = preflight::check(&cluster, &target, dry_run).await?;
        let parts = Parts {
            client: Arc::clone(&cluster.client),
            clock: Arc::new(SystemClock),
            classifier: Arc::new(classifier),
            heartbeat,
        };
        let supervisor = Supervisor::start(parts, policy, target.clone(), dry_run)
            .await
            .with_context(|| format!("starting to watch {target}"))?;
        Ok((supervisor, target, missing))
    });
    let (mut supervisor, target, missing) = match unless_stopped(starting).await? {
        Ok(started) => started?,
        Err(signal) => return Ok(Exit::Signal(signal)),
    };
    let mut narrator = Narrator::new(&args, &target, format);
    for message in warnings.into_iter().chain(missing) {
        narrator.notice(Timestamp::now(), &Notice::Warning { message });
    }
    match narrator.follow(&mut supervisor, none(), until).await? {
        Ok(_) => Ok(Exit::Done),
        Err(Stopped(signal)) => Ok(Exit::Signal(signal)),
    }
}
