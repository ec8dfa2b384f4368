//! `watcher completions` and `watcher man`: what is made from the definition of the command line.

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::Exit;
use crate::program;

/// A script for a shell, on stdout.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program::command(), program::file(), &mut script);
    print(&script)
}

/// The page of the program on stdout, or one page for each command in a directory.
pub(crate) fn man(directory: Option<&Path>) -> anyhow::Result<Exit> {
    let command = program::command().name(program::file()).display_name(program::file());
    let Some(directory) = directory else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page)?;
        return print(&page);
    };
    std::fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    clap_mangen::generate_to(command, directory)
        .with_context(|| format!("writing man pages to {}", directory.display()))?;
    Ok(Exit::Done)
}

fn print(bytes: &[u8]) -> anyhow::Result<Exit> {
    match std::io::stdout().write_all(bytes) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
