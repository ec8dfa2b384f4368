//! By which name it was called: `watcher`, or `kubectl breaker` when kubectl found `kubectl-breaker` in the PATH.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::cli::args::Cli;

/// What a person types to get here again.
pub(crate) fn name() -> &'static str {
    called(std::env::args_os().next().unwrap_or_default().as_ref())
}

/// The file that is called by that name.
pub(crate) fn file() -> &'static str {
    match name() {
        "kubectl breaker" => "kubectl-breaker",
        name => name,
    }
}

fn called(program: &Path) -> &'static str {
    match program.file_stem().and_then(|stem| stem.to_str()) {
        Some("kubectl-breaker") => "kubectl breaker",
        _ => "watcher",
    }
}

/// The command line under the name it was called by, examples included.
pub(crate) fn command() -> Command {
    under(Cli::command(), name())
}

fn under(command: Command, name: &'static str) -> Command {
    if name == "watcher" {
        return command;
    }
    renamed(command, name).name(name).bin_name(name)
}

fn renamed(mut command: Command, name: &str) -> Command {
    if let Some(help) = command.get_after_help() {
        let help = help.to_string().replace("watcher ", &format!("{name} "));
        command = command.after_help(help);
    }
    let below: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    below.into_iter().fold(command, |command, sub| command.mut_subcommand(sub, |sub| renamed(sub, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plugin_has_another_name() {
        for (path, want) in [
            ("/usr/local/bin/kubectl-breaker", "kubectl breaker"),
            ("kubectl-breaker", "kubectl breaker"),
            ("./watcher", "watcher"),
            ("/opt/big-red-button", "watcher"),
            ("", "watcher"),
        ] {
            assert_eq!(called(path.as_ref()), want, "{path}");
        }
    }

    #[test]
    fn no_example_of_the_plugin_calls_for_the_other_program() {
        fn look(command: &Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.contains("watcher run") && !help.contains("  watcher"), "{help}");
            command.get_subcommands().for_each(look);
        }
        look(&under(Cli::command(), "kubectl breaker"));
    }
}
