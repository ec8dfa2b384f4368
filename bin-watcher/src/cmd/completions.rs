//! `watcher completions`: a completion script for a shell.

use clap_complete::Shell;

use crate::cli::exit::Exit;
use crate::cli::program_name;
use crate::output::stdout::print;

pub(crate) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program_name::command(), program_name::file(), &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
