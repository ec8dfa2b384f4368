//! The name under which the program runs: `watcher`, or `kubectl breaker` when kubectl started the
//! plugin `kubectl-breaker` from the PATH.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::cli::args::Cli;

/// The words that start the program: `watcher` or `kubectl breaker`.
pub(crate) fn name() -> &'static str {
    called(std::env::args_os().next().unwrap_or_default().as_ref())
}

/// The name of the executable: `watcher` or `kubectl-breaker`.
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

/// The command line under the name of the program, also in the examples.
pub(crate) fn command() -> Command {
    under(Cli::command(), name())
}

fn under(command: Command, name: &'static str) -> Command {
    let command = ["trip", "reset"].into_iter().fold(command, |command, sub| {
        let usage = ["<BREAKER>", "--deployment <NAME>", "--target <KIND/NAME>"]
            .map(|subject| format!("{name} {sub} [OPTIONS] {subject}"));
        command.mut_subcommand(sub, |sub| sub.override_usage(usage.join("\n       ")))
    });
    if name == "watcher" { command } else { renamed(command, name).name(name).bin_name(name) }
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

    /// `command` and everything below it.
    fn all_commands(mut command: Command) -> Vec<Command> {
        command.build();
        let below: Vec<_> = command.get_subcommands().cloned().collect();
        let below = below.into_iter().flat_map(all_commands);
        std::iter::once(command.clone()).chain(below.collect::<Vec<_>>()).collect()
    }

    #[test]
    fn help_fits_80_columns() {
        for name in ["watcher", "kubectl breaker"] {
            for mut command in all_commands(under(Cli::command(), name).term_width(80)) {
                let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                for line in examples.lines() {
                    assert!(
                        line.chars().count() <= 80,
                        "{name}: an example is wider than 80 columns: {line}"
                    );
                }
                for help in [command.render_help(), command.render_long_help()] {
                    for line in help.to_string().lines() {
                        let width = line.chars().count();
                        assert!(width <= 80, "{}: {width} columns: {line}", command.get_name());
                    }
                }
            }
        }
    }

    #[test]
    fn the_first_line_of_each_help_is_short() {
        for command in all_commands(Cli::command()) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            let helps = command.get_arguments().filter_map(|arg| arg.get_help().map(ToString::to_string));
            for help in helps.chain([about]) {
                assert!(help.chars().count() <= 75, "{}: {help}", command.get_name());
            }
        }
    }
}
