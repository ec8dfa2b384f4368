//! Runs `triage` on a text.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// What `triage - -o json` prints for this standard input.
#[allow(dead_code, reason = "not every file of tests uses both functions")]
pub(crate) fn report_of(input: &str) -> Output {
    report_with(&[], input)
}

/// What `triage -` prints for this standard input, with more arguments; JSON unless they say
/// otherwise.
pub(crate) fn report_with(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .arg("-")
        .args(if args.contains(&"-o") { &[][..] } else { &["-o", "json"] })
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
