//! `watcher status`: the state of a workload or of breakers. Writes nothing to the cluster.

use anyhow::Context;
use breaker_core::policy::Mode;
use jiff::Timestamp;

use crate::breakers;
use crate::cli::args::StatusArgs;
use crate::cli::exit::Exit;
use crate::cli::format::StatusFormat;
use crate::cli::reset_command;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::cluster::signals::until_signal;
use crate::output::stdout::print;
use crate::workload::status::{WorkloadState, usable};

pub(crate) async fn status(args: &StatusArgs) -> anyhow::Result<Exit> {
    if let Some(name) = &args.subject.breaker {
        breakers::report::read_report(&args.cluster, name).await?.print(args.output)?;
        return Ok(Exit::Done);
    }
    if args.subject.is_empty() {
        return breakers::list::list(&args.cluster, args.all_namespaces, args.would_trip, args.output).await;
    }
    let reading = with_startup_timeout(async {
        let cluster = Cluster::connect(&args.cluster).await?;
        let target = args.subject.in_namespace(&cluster.namespace)?;
        let client = &cluster.client;
        let about = || format!("reading {target}");
        let scale = client.read_scale(&target).await.with_context(about)?;
        let pods = client.list_pods(&target.namespace, &scale.selector).await.with_context(about)?;
        let record = client.load_record(&target).await.map(|stored| stored.map(|stored| stored.record));
        let (record, record_state) = usable(record, &scale.uid).with_context(about)?;
        let undo = reset_command::of_workload(&args.cluster, &target);
        let state = WorkloadState { target, scale, pods, record, record_state, undo };
        Ok(state.status(args.counting.policy(Mode::Observe), Timestamp::now()))
    });
    let status = until_signal(reading).await?;
    print(&match args.output {
        StatusFormat::Text | StatusFormat::Wide => status.to_string(),
        StatusFormat::Json => serde_json::to_string(&status)? + "\n",
        StatusFormat::Yaml => serde_saphyr::to_string(&status)?,
    })?;
    Ok(Exit::Done)
}
