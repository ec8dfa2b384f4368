//! Runs `triage` on a text.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// What `triage - -o json` prints for this standard input.
pub(crate) fn report_of(input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_triage"))
        .args(["-", "-o", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
