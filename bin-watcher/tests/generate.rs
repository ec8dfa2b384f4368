//! Completions, man pages, and the names under which the program is called.

mod binary;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use binary::{text, watcher};

const COMMANDS: [&str; 10] =
    ["run", "trip", "reset", "status", "explain", "demo", "controller", "crd", "schema", "completions"];

#[test]
fn there_are_completions_for_five_shells_that_know_every_command_and_its_flags() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = watcher(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = text(&output.stdout);
        for word in COMMANDS.iter().chain(&["outage-guard-targets", "heartbeat", "status-interval"]) {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn bash_takes_its_script_and_completes_a_command() {
    let script = text(&watcher(&["completions", "bash"]).stdout);
    let ask =
        "COMP_WORDS=(watcher contr); COMP_CWORD=1; _watcher watcher contr watcher; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash")
        .args(["--noprofile", "--norc"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin.take().unwrap().write_all(format!("{script}\n{ask}\n").as_bytes()).unwrap();
    let answer = bash.wait_with_output().unwrap();
    assert!(answer.status.success());
    assert_eq!(text(&answer.stdout).trim(), "controller");
}

#[test]
fn the_man_page_names_every_command_and_a_directory_gets_one_page_for_each() {
    let page = text(&watcher(&["man"]).stdout);
    assert!(page.contains(".TH watcher 1"), "{page}");
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path().join("man1");
    assert_eq!(watcher(&["man", "--dir", at.to_str().unwrap()]).status.code(), Some(0));
    for command in COMMANDS {
        assert!(page.contains(&format!("watcher\\-{command}(1)")), "{command} is not in {page}");
        let page = std::fs::read_to_string(at.join(format!("watcher-{command}.1"))).unwrap();
        assert!(page.contains(&format!(".TH watcher-{command} 1")), "{page}");
    }
}

/// The binary under another name, as an installed plugin is.
fn plugin(args: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("kubectl-breaker");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_watcher"), &link).unwrap();
    Command::new(link).args(args).env_clear().env("HOME", "/nonexistent").output().unwrap()
}

#[test]
fn as_a_plugin_it_calls_itself_kubectl_breaker() {
    let help = text(&plugin(&["--help"]).stdout);
    assert!(help.contains("Usage: kubectl breaker <COMMAND>"), "{help}");
    for command in COMMANDS.iter().filter(|command| !matches!(**command, "crd" | "demo")) {
        let help = text(&plugin(&[command, "--help"]).stdout);
        assert!(help.contains(&format!("Usage: kubectl breaker {command}")), "{help}");
        assert!(help.contains(&format!("  kubectl breaker {command}")), "no example: {help}");
        assert!(!help.contains("  watcher "), "{help}");
    }
    let wrong = plugin(&["trap"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("Usage: kubectl breaker"), "{}", text(&wrong.stderr));
    let version = text(&plugin(&["--version"]).stdout);
    assert_eq!(version, format!("kubectl breaker {}\n", env!("CARGO_PKG_VERSION")));
    assert!(text(&plugin(&["completions", "bash"]).stdout).contains("complete -F _kubectl"));
}
