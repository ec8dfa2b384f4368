//! The built binary, run as a person would.

#![allow(dead_code)] // each test file uses its part

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

pub(crate) fn watcher(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args(args)
        // Nothing of the machine's own must leak in.
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap()
}

/// `watcher explain` with these arguments, whose input and output are pipes.
pub(crate) fn start_explain(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_watcher"))
        .arg("explain")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// The output of `watcher explain` for an input.
pub(crate) fn explain(args: &[&str], input: &[u8]) -> Output {
    let mut child = start_explain(args);
    // One that refuses its arguments or its input does not read to the end.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child.wait_with_output().expect("it ends")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One error, no panic, no backtrace, nothing on stdout; answers with stderr.
pub(crate) fn refused(case: &str, output: &Output, code: i32) -> String {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{case}: {stderr}");
    assert_eq!(stdout, "", "{case}");
    assert_eq!(stderr.matches("error:").count(), 1, "{case}: {stderr}");
    for word in ["panicked", "backtrace", "unexpected argument"] {
        assert!(!stderr.contains(word), "{case}: {stderr}");
    }
    stderr
}
