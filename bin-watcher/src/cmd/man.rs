//! `watcher man`: the man page on standard output, or one page for each command in a directory.

use std::path::Path;

use anyhow::Context;
use clap_mangen::Man;

use crate::cli::exit::Exit;
use crate::cli::program_name;
use crate::output::stdout::print;

pub(crate) fn man(directory: Option<&Path>) -> anyhow::Result<Exit> {
    let command = program_name::command().name(program_name::file()).display_name(program_name::file());
    match directory {
        None => {
            let mut page = Vec::new();
            Man::new(command).render(&mut page)?;
            print(&String::from_utf8_lossy(&page))?;
        }
        Some(directory) => {
            let name = directory.display();
            std::fs::create_dir_all(directory).with_context(|| format!("creating {name}"))?;
            clap_mangen::generate_to(command, directory)
                .with_context(|| format!("writing man pages to {name}"))?;
        }
    }
    Ok(Exit::Done)
}
