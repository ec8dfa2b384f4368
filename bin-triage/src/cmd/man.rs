//! `triage man`: the man page on standard output, or one page for each command in a directory.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::args::Cli;
use crate::output::print;

pub(crate) fn run(directory: Option<&Path>) -> anyhow::Result<ExitCode> {
    match directory {
        None => {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page)?;
            print(|out| out.write_all(&page))?;
        }
        Some(directory) => {
            let name = directory.display();
            std::fs::create_dir_all(directory).with_context(|| format!("cannot create {name}"))?;
            clap_mangen::generate_to(Cli::command(), directory)
                .with_context(|| format!("cannot write man pages to {name}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
