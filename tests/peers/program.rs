//! Peers as processes: they end with their handles, also when the test panics.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{eventually, http};

/// A child that ends with its handle.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Starts `command` with its standard error in a file.
    ///
    /// # Panics
    /// When it cannot be started.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = File::create(log).expect("a log");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        Self(child.unwrap_or_else(|error| {
            let name = command.get_program().to_string_lossy();
            panic!("cannot start {name}: {error}; `tests/peers/run` installs it")
        }))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running server that listens on a port of its own choice.
pub(crate) struct Program {
    process: Process,
    log: PathBuf,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Its configuration, data and log; removed behind it.
    _dir: TempDir,
}

impl Program {
    /// Starts `command` in `dir` and waits until it is ready on the address that its log names.
    ///
    /// # Panics
    /// When it cannot be started, or ends.
    pub(crate) fn start(mut command: Command, dir: TempDir) -> Self {
        let log = dir.path().join("log");
        let process = Process::start(&mut command, &log);
        let mut program = Self { process, log, address: String::new(), _dir: dir };
        program.address = eventually("the server listens", || {
            let told = program.log();
            if let Some(status) = program.process.0.try_wait().expect("a status") {
                panic!("the server ended, {status}:\n{told}");
            }
            listens_on(&told)
        });
        eventually("the server is ready", || http::answers(&program.address, "/-/ready").then_some(()));
        program
    }

    /// What it wrote to standard error so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// `msg="Listening on" address=127.0.0.1:38049`, as all of Prometheus' servers put it.
fn listens_on(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("Listening on"))?;
    let (_, address) = line.split_once(" address=")?;
    Some(address.split_whitespace().next()?.to_owned())
}

/// A path of this repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}
