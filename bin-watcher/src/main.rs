//! `watcher`, the big red button for a Kubernetes workload.
//!
//! ```text
//! cli: arguments, checked ─▶ cmd: one file for each command ─▶ breaker-core's Supervisor on breaker-kube's client
//!                                                           ─▶ output: one line for each event ─▶ exit code
//! ```
//!
//! `breaker-core` decides what trips and why. `breaker-kube` speaks to the API server. This crate
//! turns arguments into a checked request, and outcomes into lines and an exit code.

mod breakers;
mod cli;
mod cluster;
mod cmd;
mod controller;
mod explain;
mod output;
#[cfg(test)]
mod test_support;
mod workload;

use std::process::ExitCode;

use clap::FromArgMatches;
use cli::args::{Cli, Command};
use cli::exit::{self, Exit};
use cli::program_name;
use output::log;

fn main() -> ExitCode {
    let parsed = program_name::command().try_get_matches();
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such an error too. A closed stream changes nothing.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    log::init(cli.command.log_format());
    run(cli.command)
        .unwrap_or_else(|error| {
            exit::print_error(&error);
            Exit::from_error(&error)
        })
        .into()
}

/// Runs a command on one thread: the program mostly waits.
fn run(command: Command) -> anyhow::Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build()?;
    let result = runtime.block_on(async {
        match command {
            Command::Run(args) => cmd::run::run(args.check()?).await,
            Command::Trip(args) => cmd::trip::trip(&args).await,
            Command::Reset(args) => cmd::reset::reset(&args).await,
            Command::Status(args) => cmd::status::status(&args).await,
            Command::Explain(args) => cmd::explain::explain(args).await,
            Command::Demo(args) => cmd::demo::demo(args.output),
            Command::Controller(args) => cmd::controller::controller(args.check()?).await,
            Command::Crd => cmd::crd::crd(),
            Command::Completions { shell } => cmd::completions::completions(shell),
            Command::Schema { subject } => cmd::schema::schema(subject),
            Command::Man { dir } => cmd::man::man(dir.as_deref()),
        }
    });
    // A name lookup may still hang in the resolver; the exit does not wait for it.
    runtime.shutdown_background();
    result
}
