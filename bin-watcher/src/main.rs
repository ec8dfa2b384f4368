//! `watcher`, the big red button for a Kubernetes workload.
//!
//! ```text
//! args --checked--> run | trip | reset | status | explain --> breaker-core's Supervisor over breaker-kube's client
//!                                                   --> one line per notice --> exit code
//! ```
//!
//! Thin on purpose: what trips and why is decided in `breaker-core`, how a cluster is spoken to in
//! `breaker-kube`. Here words become a checked request, and outcomes become lines and an exit code.

mod act;
mod args;
mod blind;
mod breakers;
mod clock;
mod connect;
mod controller;
mod crd;
mod demo;
mod exit;
mod explain;
mod hooks;
mod log;
mod metrics;
mod narrator;
mod output;
mod paper;
mod preflight;
mod press;
mod program;
mod reset;
mod rules;
mod run;
mod serve;
mod signals;
#[cfg(test)]
mod stage;
mod status;
mod undo;
mod values;
mod vitals;

use std::process::ExitCode;

use args::{Cli, Command};
use clap::FromArgMatches;
use exit::Exit;

fn main() -> ExitCode {
    let parsed = program::command().try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(said) => {
            // Help and version come this way too; a closed stream changes nothing.
            let _ = said.print();
            return if said.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    log::to_stderr(cli.command.log_format());
    let exit = match carry_out(cli.command) {
        Ok(exit) => exit,
        Err(error) => {
            exit::explain(&error);
            Exit::of(&error)
        }
    };
    exit.into()
}

/// One thread does it all: a watcher mostly waits.
fn carry_out(command: Command) -> anyhow::Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()?;
    let outcome = runtime.block_on(async {
        match command {
            Command::Run(args) => run::run(args.check()?).await,
            Command::Trip(args) => press::press(&args).await,
            Command::Reset(args) => reset::reset(&args).await,
            Command::Status(args) => status::status(&args).await,
            Command::Explain(args) => explain::explain(args).await,
            Command::Demo(args) => demo::demo(args.output),
            Command::Controller(args) => controller::controller(args.check()?).await,
            Command::Crd => crd::print(),
            Command::Completions { shell } => paper::completions(shell),
            Command::Man { dir } => paper::man(dir.as_deref()),
        }
    });
    // Not waiting for a name lookup that may still hang in the resolver.
    runtime.shutdown_background();
    outcome
}
