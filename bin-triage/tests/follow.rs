//! `triage follow`: a process reads a file while the test writes it. Each step waits for the line
//! that it must cause, up to a deadline that only a failure reaches.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use wait4::Wait4 as _;

const DEADLINE: Duration = Duration::from_secs(60);

struct Follow {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<Receiver<String>>,
    stderr: Receiver<String>,
}

impl Follow {
    fn start(args: &[&str]) -> Self {
        let mut child = command(args).spawn().expect("triage starts");
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take().map(lines));
        let stderr = lines(child.stderr.take().expect("piped"));
        Self { child, stdin, stdout, stderr }
    }

    /// The next line of standard output that holds `part`.
    fn prints(&self, part: &str) -> String {
        next(self.stdout.as_ref().expect("still read"), part)
    }

    fn warns(&self, part: &str) -> String {
        next(&self.stderr, part)
    }

    /// The next line of standard output as JSON.
    fn json(&self) -> Value {
        serde_json::from_str(&self.prints("")).expect("JSON")
    }

    fn kill(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it still runs");
    }

    /// The exit code, and the lines of output not yet read.
    fn ends(&mut self) -> (Option<i32>, Vec<String>) {
        drop(self.stdin.take());
        let deadline = Instant::now() + DEADLINE;
        while self.child.try_wait().expect("a child of ours").is_none() {
            assert!(Instant::now() < deadline, "triage does not end");
            thread::sleep(Duration::from_millis(1));
        }
        let code = self.child.wait().expect("a child of ours").code();
        (code, self.stdout.iter().flat_map(|stdout| stdout.iter()).collect())
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_triage"));
    command.arg("follow").args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn next(lines: &Receiver<String>, part: &str) -> String {
    let deadline = Instant::now() + DEADLINE;
    let mut others = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains(part) => return line,
            Ok(line) => others.push(line),
            Err(RecvTimeoutError::Timeout) => panic!("no line with `{part}` in time, but {others:#?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("no line with `{part}`, but {others:#?}"),
        }
    }
}

fn scratch() -> (TempDir, PathBuf, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("night.log");
    let name = path.to_str().expect("UTF-8").to_owned();
    (directory, path, name)
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().create(true).append(true).open(path).expect("our file");
    file.write_all(text.as_bytes()).expect("room");
}

#[test]
fn a_file_is_followed_through_rotation_and_truncation() {
    let (_directory, path, name) = scratch();
    append(&path, "Zone AB: LLMModelStale\nZone AB: LLMModelVeryStale\nnonsense\n");
    let mut follow = Follow::start(&[&name]);
    let snapshot = follow.prints("");
    assert!(
        snapshot.contains(" UTC following ") && snapshot.contains("3 lines = 0 blank + 1 malformed"),
        "{snapshot}"
    );
    assert!(follow.prints("").starts_with("  P2 page   LLMModelVeryStale zone=AB id="));
    assert!(follow.warns("").contains(":3 does not begin with `Zone`"));

    append(&path, "Zone XQ: EtcdDown\r\nZone AB: LLMModelStale\nZone C");
    let opened = follow.prints("");
    assert!(opened.contains(" P1 page   opened     EtcdDown zone=XQ id="), "{opened}");
    assert!(opened.ends_with(": EtcdDown is critical by a word of its name"), "{opened}");
    append(&path, "D: ApiDown\n");
    assert!(follow.prints("").contains("opened     ApiDown zone=CD"), "a line in two parts is one line");

    let old = path.with_extension("log.1");
    fs::rename(&path, &old).expect("renamed");
    append(&old, "Zone E: LateDown\n");
    assert!(follow.prints("").contains("LateDown zone=E"), "the old file, until there is a new one");
    append(&old, "Zone F: LastDown");
    append(&path, "Zone F: FirstDown\nnonsense\n");
    let both = follow.prints("opened") + &follow.prints("opened");
    assert!(both.contains("FirstDown zone=F") && both.contains("LastDown zone=F"), "{both}");
    follow.warns("was replaced: reading the new file from its start");
    assert!(
        follow.warns("").contains(":2 does not begin with"),
        "lines count from the start of the new file"
    );

    fs::write(&path, "").expect("emptied");
    follow.warns("was truncated: reading it from its start");
    append(&path, "Zone G: NewDown\n");
    follow.prints("NewDown zone=G");

    append(&path, "Zone H: HalfD");
    follow.kill(Signal::INT);
    let (code, said) = follow.ends();
    assert_eq!(code, Some(130));
    assert!(
        said[0].contains(" stopped by SIGINT, 6 opened: 11 lines = 0 blank + 2 malformed + 9 records"),
        "{said:#?}"
    );
    assert_eq!(said.len(), 8, "half a line is left: {said:#?}");
}

#[test]
fn a_stream_is_followed_to_its_end() {
    let mut follow = Follow::start(&["-"]);
    follow.prints("following standard input: 0 lines");
    let mut stdin = follow.stdin.take().expect("piped");
    stdin.write_all(b"Zone AB: EndpointRegistrationFailure\n").expect("it reads");
    assert!(follow.prints("opened").contains("P2 page   opened     EndpointRegistrationFailure zone=AB"));
    stdin
        .write_all(b"Zone AB: EndpointRegistrationFailure\nZone AB: TooFewEndpointsRegistered")
        .expect("it reads");
    drop(stdin);
    assert!(follow.prints("").contains("P1 page   escalated  TooFewEndpointsRegistered zone=AB"));
    let (code, said) = follow.ends();
    assert_eq!(code, Some(0));
    assert!(said[0].contains(" input ended, 1 opened, 1 escalated: 3 lines = 0 blank"), "{said:#?}");
    assert!(said[1].starts_with("  P1 page   TooFewEndpointsRegistered zone=AB"), "{said:#?}");
}

#[test]
fn jsonl_is_one_object_per_line() {
    let (_directory, path, name) = scratch();
    append(&path, "Zone AB: EndpointRegistrationFailure\n");
    let mut follow = Follow::start(&[&name, "-o", "jsonl"]);
    let snapshot = &follow.json()["snapshot"];
    assert_eq!(snapshot["open"][0]["headline"], "EndpointRegistrationFailure");
    assert_eq!((&snapshot["totals"]["pages"], &snapshot["format"]), (&1.into(), &"lines".into()));
    assert!(snapshot["open"][0].get("time").is_none(), "when it began to stand is not known");

    append(&path, "Zone AB: TooFewEndpointsRegistered\n");
    let change = follow.json();
    let fields: Vec<&String> = change.as_object().expect("an object").keys().collect();
    let mut want = [
        "time", "change", "id", "aliases", "priority", "notify", "headline", "labels", "scope", "scopes",
        "because", "key",
    ];
    want.sort_unstable();
    assert_eq!(fields, want);
    assert_eq!(
        (&change["change"], &change["priority"], &change["notify"]),
        (&"escalated".into(), &"P1".into(), &"page".into())
    );
    assert_eq!((&change["scope"]["zone"], &change["id"]), (&"AB".into(), &snapshot["open"][0]["id"]));
    assert!(
        change["because"][1]
            .as_str()
            .expect("a sentence")
            .starts_with("EndpointRegistrationFailure explains")
    );

    follow.kill(Signal::TERM);
    let (code, said) = follow.ends();
    assert_eq!((code, said.len()), (Some(143), 1));
    let summary: Value = serde_json::from_str(&said[0]).expect("JSON");
    let summary = &summary["summary"];
    assert_eq!((&summary["ended"], &summary["emitted"]["escalated"]), (&"SIGTERM".into(), &1.into()));
    assert_eq!(summary["open"][0]["key"], change["key"]);
}

#[test]
fn a_file_that_does_not_exist_yet_is_waited_for() {
    let (_directory, path, name) = scratch();
    let mut follow = Follow::start(&[&name]);
    follow.prints(": 0 lines");
    assert!(follow.warns("").ends_with("night.log does not exist yet: waiting for it"));
    append(&path, "Zone AB: EtcdDown\n");
    follow.prints("opened     EtcdDown");
    follow.kill(Signal::INT);
    assert_eq!(follow.ends().0, Some(130));
    assert_eq!(follow.stderr.iter().count(), 0, "and said once");
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let (directory, path, name) = scratch();
    append(&path, "[\n  {\"labels\": {\"alertname\": \"EtcdDown\"}}\n]\n");
    let folder = directory.path().to_str().expect("UTF-8");
    for (case, args, says) in [
        (
            "a document",
            vec![name.as_str()],
            "night.log cannot be followed as alertmanager, which is one document",
        ),
        ("a document by its flag", vec!["--format", "prometheus", "-"], "read it once with `triage FILE`"),
        ("a directory", vec![folder], "Is a directory"),
        ("no file", vec![], "<FILE>"),
        (
            "no such rules",
            vec!["--rules", "/nonexistent/rules.yaml", &name],
            "cannot read /nonexistent/rules.yaml",
        ),
    ] {
        let mut follow = Follow::start(&args);
        let (code, _) = follow.ends();
        let errors: Vec<String> = follow.stderr.iter().collect();
        assert_eq!(code, Some(2), "{case}: {errors:#?}");
        assert!(errors.concat().contains(says), "{case}: {errors:#?}");
    }
}

#[test]
fn a_reader_that_closes_the_pipe_ends_it_quietly() {
    for (case, more) in [("with a change to print", "Zone AB: EtcdDown\n"), ("without a change", "")] {
        let (_directory, path, name) = scratch();
        append(&path, "Zone AB: LLMModelStale\n");
        let mut child = command(&[&name]).spawn().expect("triage starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        stdout.read_line(&mut String::new()).expect("a line");
        drop(stdout);
        append(&path, more);
        let (stdin, stderr) = (child.stdin.take(), lines(child.stderr.take().expect("piped")));
        let mut follow = Follow { child, stdin, stdout: None, stderr };
        assert_eq!(follow.ends().0, Some(0), "{case}");
        assert_eq!(follow.stderr.iter().collect::<Vec<_>>(), [""; 0], "{case}");
    }
}

#[test]
fn a_flood_is_read_completely_and_printed_in_few_lines() {
    let mut follow = Follow::start(&["-"]);
    let mut stdin = follow.stdin.take().expect("piped");
    let writer = thread::spawn(move || {
        for _ in 0..20 {
            stdin.write_all(
                "Zone AB: EtcdDown\nZone AB: LLMModelStale\nnonsense\n".repeat(5_000).as_bytes(),
            )?;
        }
        std::io::Result::Ok(())
    });
    writer.join().expect("no panic").expect("it reads all");
    let (code, said) = follow.ends();
    assert_eq!(code, Some(0));
    assert_eq!(said.iter().filter(|line| line.contains("opened     ")).count(), 2, "{said:#?}");
    assert!(
        said.iter().any(|line| line.contains("300000 lines = 0 blank + 100000 malformed + 200000 records"))
    );
    let warnings: Vec<String> = follow.stderr.iter().collect();
    assert!(warnings.len() < 100, "{} warnings", warnings.len());
    let shown = warnings.iter().filter(|line| line.contains("does not begin")).count() as u64;
    let held =
        warnings.iter().filter_map(|line| line.split_once(" more malformed lines")?.0.rsplit(' ').next());
    let held: u64 = held.map(|count| count.parse::<u64>().expect("a number")).sum();
    assert_eq!(shown + held, 100_000, "all are counted: {warnings:#?}");
}

#[test]
fn a_line_without_end_takes_limited_memory() {
    let mut child = command(&["-"]).spawn().expect("triage starts");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = thread::spawn(move || {
        for _ in 0..300 {
            stdin.write_all(&[b'x'; 1 << 20])?;
        }
        stdin.write_all(b"\nZone AB: EtcdDown\n")
    });
    let stdout = lines(child.stdout.take().expect("piped"));
    next(&stdout, "opened     EtcdDown");
    writer.join().expect("no panic").expect("it reads all");
    next(&stdout, "2 lines = 0 blank + 1 malformed + 1 record");
    let used = child.wait4().expect("a child of ours");
    assert_eq!(used.status.code(), Some(0));
    assert!(used.rusage.maxrss < 48 << 20, "{} bytes", used.rusage.maxrss);
}
