//! `watcher explain`: why containers ended, read as `run` reads it, from a pod, a file of cases or a pipe.

mod case;
mod score;
mod shown;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use breaker_core::evidence::explain_pod;
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, ClusterError, Termination};

use crate::args::{ExplainArgs, Shape};
use crate::breakers;
use crate::clock::SystemClock;
use crate::connect::{Cluster, in_time};
use crate::exit::{Exit, Usage};
use crate::program;
use crate::rules;
use case::Case;
use score::Score;
use shown::Shown;

pub(crate) async fn explain(args: ExplainArgs) -> anyhow::Result<Exit> {
    let classifier = rules::load(args.rules.as_deref())?;
    let mut out = Printer { shape: args.output, shown: 0, out: std::io::stdout().lock() };
    let what = args.what.as_str();
    let exit = if what == "-" {
        words(&classifier, "standard input", std::io::stdin().lock(), &mut out)?
    } else if Path::new(what).exists() || what.contains(['/', '.']) {
        let file = std::fs::File::open(what).map_err(|error| {
            Usage(format!(
                "{what} cannot be read: {error}; give a pod's name, a file of cases, or - for a pipe"
            ))
        })?;
        words(&classifier, what, BufReader::new(file), &mut out)?
    } else {
        match breakers::explained(&args.cluster, what).await {
            Ok(explained) => {
                explained.print(args.output.into())?;
                return Ok(Exit::Done);
            }
            Err(error) => match Exit::of(&error) {
                Exit::NotFound => {}
                Exit::Forbidden => eprintln!("warning: {error}: {what} is taken for a pod"),
                _ => return Err(error),
            },
        }
        pod(&classifier, what, &args, &mut out).await?
    };
    out.end();
    Ok(exit)
}

/// A file or pipe: one case a line where the first line is a case, else last words as they are.
fn words(
    classifier: &Classifier,
    name: &str,
    mut input: impl BufRead,
    out: &mut Printer<impl Write>,
) -> anyhow::Result<Exit> {
    let mut line = Vec::new();
    let mut score = Score::default();
    let (mut number, mut bad) = (0, 0_usize);
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).with_context(|| format!("reading {name}"))? == 0 {
            break;
        }
        number += 1;
        let text = String::from_utf8_lossy(&line);
        if text.trim().is_empty() {
            continue;
        }
        match Case::read(text.trim_end()) {
            Ok(case) => {
                let explanation = classifier.explain(&case.termination);
                score.add(&case, &explanation.verdict);
                out.show(&Shown::case(&case, &explanation));
            }
            Err(_) if score.is_empty() && bad == 0 && !Case::looks_like_one(&text) => {
                input.read_to_end(&mut line).with_context(|| format!("reading {name}"))?;
                out.show(&Shown::words(&classifier.explain(&raw(&line))));
                return Ok(Exit::Done);
            }
            Err(error) => {
                bad += 1;
                eprintln!("error: {name} line {number}: {error}; a case is one JSON object a line");
            }
        }
    }
    if score.is_empty() && bad == 0 {
        return Err(Usage(format!("{name} is empty: nothing to explain")).into());
    }
    if score.is_labelled() {
        out.after(&score.to_string());
    }
    Ok(if bad == 0 { Exit::Done } else { Exit::Failed })
}

/// The end of a log by itself: of a process that ended with an error, as far as one can know.
fn raw(words: &[u8]) -> Termination {
    let death = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Termination { death, log_tail: String::from_utf8_lossy(words).into_owned(), ..Termination::default() }
}

/// A name is a breaker's before it is a pod's, which has a random end. Where breakers may not be read there is none.
async fn pod(
    classifier: &Classifier,
    name: &str,
    args: &ExplainArgs,
    out: &mut Printer<impl Write>,
) -> anyhow::Result<Exit> {
    let cluster = in_time(async { Ok(Cluster::connect(&args.cluster).await?) }).await?;
    let pod = in_time(async {
        match cluster.kube.pod(&cluster.namespace, name).await {
            Err(error @ ClusterError::NotFound(_)) => Err(error).context(format!(
                "there is no CircuitBreaker of that name either; `{} status -A` lists them, `kubectl get pods -n {}` \
                 the pods",
                program::name(),
                cluster.namespace
            )),
            pod => Ok(pod?),
        }
    })
    .await?;
    let clock = Arc::new(SystemClock);
    let deaths = explain_pod(&*cluster.client, &*clock, classifier, &cluster.namespace, &pod).await;
    if deaths.is_empty() {
        out.after(&format!("no container of {}/{name} has ended\n", cluster.namespace));
    }
    for death in &deaths {
        out.show(&Shown::death(death));
        for missing in &death.forbidden {
            eprintln!("warning: {missing}: the verdict goes without");
        }
    }
    Ok(Exit::Done)
}

struct Printer<W> {
    shape: Shape,
    shown: usize,
    out: W,
}

impl<W: Write> Printer<W> {
    /// A reader that went away wants no more; there is nothing to be lost.
    fn print(&mut self, text: &str) {
        let _ = self.out.write_all(text.as_bytes());
    }

    fn show(&mut self, shown: &Shown) {
        let text = match self.shape {
            Shape::Text => shown.to_string(),
            Shape::Jsonl => shown.json() + "\n",
            Shape::Json if self.shown == 0 => format!("[\n  {}", shown.json()),
            Shape::Json => format!(",\n  {}", shown.json()),
        };
        self.shown += 1;
        self.print(&text);
    }

    /// What is for people only.
    fn after(&mut self, text: &str) {
        if self.shape == Shape::Text {
            self.print(text);
        }
    }

    fn end(&mut self) {
        if self.shape == Shape::Json {
            self.print(if self.shown == 0 { "[]\n" } else { "\n]\n" });
        }
        let _ = self.out.flush();
    }
}
