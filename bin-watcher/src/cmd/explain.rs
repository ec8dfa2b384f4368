//! `watcher explain`: why a breaker acted or did not, or why containers ended, from a pod, a file
//! or a pipe.

use std::io::{BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use breaker_core::evidence::explain_pod;
use breaker_core::{Classifier, ClusterError};

use crate::breakers;
use crate::cli::args::ExplainArgs;
use crate::cli::exit::{Exit, UsageError};
use crate::cli::program_name;
use crate::cli::rules;
use crate::cluster::clock::SystemClock;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::explain::input::explain_input;
use crate::explain::report::TerminationReport;
use crate::explain::writer::ReportWriter;

pub(crate) async fn explain(args: ExplainArgs) -> anyhow::Result<Exit> {
    let classifier = rules::load(args.rules.as_deref())?;
    let mut out = ReportWriter::new(args.output, std::io::stdout().lock());
    let what = args.what.as_str();
    let exit = if what == "-" {
        explain_input(&classifier, "standard input", std::io::stdin().lock(), &mut out)?
    } else if Path::new(what).exists() || what.contains(['/', '.']) {
        let file = std::fs::File::open(what).map_err(|error| {
            UsageError(format!(
                "{what} cannot be read: {error}; give the name of a breaker or pod, a file, or - for standard input"
            ))
        })?;
        explain_input(&classifier, what, BufReader::new(file), &mut out)?
    } else {
        match breakers::report::read_report(&args.cluster, what).await {
            Ok(report) => {
                report.print(args.output.into())?;
                return Ok(Exit::Done);
            }
            Err(error) => match Exit::from_error(&error) {
                Exit::NotFound => {}
                Exit::Forbidden => eprintln!("warning: {error}; {what} is looked up as a pod"),
                _ => return Err(error),
            },
        }
        explain_pod_by_name(&classifier, what, &args, &mut out).await?
    };
    out.finish();
    Ok(exit)
}

/// Explains each ended container of the pod `name`. A breaker of that name was looked for before:
/// names of pods mostly end at random.
async fn explain_pod_by_name(
    classifier: &Classifier,
    name: &str,
    args: &ExplainArgs,
    out: &mut ReportWriter<impl Write>,
) -> anyhow::Result<Exit> {
    let cluster = with_startup_timeout(async { Ok(Cluster::connect(&args.cluster).await?) }).await?;
    let pod = with_startup_timeout(async {
        match cluster.kube.pod(&cluster.namespace, name).await {
            Err(error @ ClusterError::NotFound(_)) => Err(error).context(format!(
                "there is no CircuitBreaker of that name either; `{} status -A` lists the breakers, and `kubectl get pods \
                 -n {}` the pods",
                program_name::name(),
                cluster.namespace
            )),
            pod => Ok(pod?),
        }
    })
    .await?;
    let clock = Arc::new(SystemClock);
    let terminations = explain_pod(&*cluster.client, &*clock, classifier, &cluster.namespace, &pod).await;
    if terminations.is_empty() {
        out.write_note(&format!("no container of {}/{name} has terminated\n", cluster.namespace));
    }
    for termination in &terminations {
        out.write(&TerminationReport::of_termination(termination));
        for missing in &termination.forbidden {
            eprintln!("warning: {missing}; the verdict does without that evidence");
        }
    }
    Ok(Exit::Done)
}
