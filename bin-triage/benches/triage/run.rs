//! Runs one contender, and measures its cost.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use wait4::Wait4 as _;

/// Seconds, and peak memory in MB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) peak: f64,
}

/// The cost from start to exit; `None` if the program does not exist.
fn run(command: &mut Command) -> Option<Cost> {
    let from = Instant::now();
    let mut child = command.spawn().ok()?;
    let done = child.wait4().expect("a child can be waited for");
    let wall = from.elapsed().as_secs_f64();
    assert!(done.status.success(), "{command:?} failed");
    let cpu = done.rusage.utime + done.rusage.stime;
    Some(Cost { wall, cpu: cpu.as_secs_f64(), peak: done.rusage.maxrss as f64 / 1e6 })
}

pub(crate) fn triage(input: &Path, threads: usize) -> Cost {
    let mut triage = Command::new(env!("CARGO_BIN_EXE_triage"));
    triage.args(["-o", "json", "--threads"]).arg(threads.to_string()).arg(input).stdout(nowhere());
    run(&mut triage).expect("the binary was built")
}

/// The same with input from a pipe that `feed` fills; also returns the first 64 KiB of the output.
pub(crate) fn fed(
    output: &str,
    threads: usize,
    feed: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send,
) -> (Cost, String) {
    let mut triage = Command::new(env!("CARGO_BIN_EXE_triage"));
    triage.args(["-o", output, "--threads"]).arg(threads.to_string()).arg("-");
    triage.stdin(Stdio::piped()).stdout(Stdio::piped());
    let from = Instant::now();
    let mut child = triage.spawn().expect("the binary was built");
    let (mut stdin, mut stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
    let printed = thread::scope(|scope| {
        scope.spawn(move || feed(&mut stdin).expect("triage reads to the end"));
        let mut printed = Vec::new();
        let read = stdout.by_ref().take(1 << 16).read_to_end(&mut printed);
        read.and_then(|_| io::copy(&mut stdout, &mut io::sink())).expect("triage prints");
        String::from_utf8_lossy(&printed).into_owned()
    });
    let done = child.wait4().expect("a child can be waited for");
    assert!(done.status.success(), "{triage:?} failed");
    let (wall, cpu) = (from.elapsed().as_secs_f64(), done.rusage.utime + done.rusage.stime);
    (Cost { wall, cpu: cpu.as_secs_f64(), peak: done.rusage.maxrss as f64 / 1e6 }, printed)
}

/// Output is discarded: no contender is measured by it.
fn nowhere() -> File {
    File::create("/dev/null").expect("/dev/null can be written")
}

/// The counting loop, in a process of its own; prints its duration.
pub(crate) fn count(input: &Path) {
    let from = Instant::now();
    let bytes = std::fs::read(input).expect("the input was made before");
    let mut counts: HashMap<&[u8], u64> = HashMap::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        *counts.entry(line).or_default() += 1;
    }
    let wall = from.elapsed().as_secs_f64();
    println!("{wall} {}", counts.len());
}

pub(crate) fn counted(input: &Path) -> Cost {
    let own = std::env::current_exe().expect("this program has a path");
    let mut child =
        Command::new(own).arg("count").arg(input).stdout(Stdio::piped()).spawn().expect("it runs again");
    let mut said = String::new();
    let out = child.stdout.as_mut().expect("it was piped");
    std::io::Read::read_to_string(out, &mut said).expect("it says text");
    let done = child.wait4().expect("a child can be waited for");
    let wall = said.split(' ').next().and_then(|wall| wall.parse().ok()).expect("it says how long it took");
    let cpu = done.rusage.utime + done.rusage.stime;
    Cost { wall, cpu: cpu.as_secs_f64(), peak: done.rusage.maxrss as f64 / 1e6 }
}

pub(crate) fn mawk(input: &Path) -> Option<Cost> {
    run(Command::new("mawk")
        .arg("{ count[$0]++ } END { for (line in count) print count[line], line }")
        .arg(input)
        .stdout(nowhere()))
}

pub(crate) fn sort(input: &Path) -> Option<Cost> {
    run(Command::new("sh").args(["-c", "LC_ALL=C sort \"$1\" | uniq -c", "sh"]).arg(input).stdout(nowhere()))
}
