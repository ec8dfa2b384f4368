//! A file as it is written, through rotation and truncation.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

/// Bytes read in one step.
const STEP: usize = 64 << 10;

/// Bytes before the next one that are compared: a file that was written anew does not hold them there.
const COMPARED: usize = 64;

/// What one look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// Nothing, for now.
    Idle,
    /// There is no such file yet; said once.
    Missing,
    /// All of the old file was read; another one is in its place and is read from its start.
    Rotated,
    /// The file was emptied, or written anew, and is read from its start.
    Truncated,
}

/// Looks at the file whenever it is asked to, and never waits: that works on every file system.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    open: Option<Open>,
    is_missing: bool,
    /// Another file is in the place, and holds something: the old one ends where it ends now.
    is_replaced: bool,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: (u64, u64),
    at: u64,
    /// The last bytes before `at`.
    before: Vec<u8>,
    /// When it was opened.
    len: u64,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, is_missing: false, is_replaced: false }
    }

    /// Has all been read that was there when the file was opened?
    pub(super) fn is_caught_up(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.at >= open.len)
    }

    /// One look. An error leaves everything as it is, so that one may look again.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        let Some(open) = &mut self.open else {
            return match Open::new(&self.path) {
                Ok(open) => self.open.insert(open).read(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let is_known = std::mem::replace(&mut self.is_missing, true);
                    Ok(if is_known { Step::Idle } else { Step::Missing })
                }
                Err(error) => Err(error),
            };
        };
        if open.is_written_anew()? {
            (open.at, open.before) = (0, Vec::new());
            return Ok(Step::Truncated);
        }
        loop {
            let step = open.read()?;
            if step != Step::Idle {
                return Ok(step);
            }
            if self.is_replaced {
                *open = match Open::new(&self.path) {
                    Ok(open) => open,
                    // Gone again.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Step::Idle),
                    Err(error) => return Err(error),
                };
                self.is_replaced = false;
                return Ok(Step::Rotated);
            }
            // As long as nothing is in the new file, its writer may still have the old one open. What it wrote there
            // before it turned to the new one is there now: look once more.
            let there = fs::metadata(&self.path);
            self.is_replaced = there.is_ok_and(|there| id(&there) != open.id && there.len() > 0);
            if !self.is_replaced {
                return Ok(Step::Idle);
            }
        }
    }
}

impl Open {
    fn new(path: &PathBuf) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok(Self { file, id: id(&about), at: 0, before: Vec::new(), len: about.len() })
    }

    fn read(&mut self) -> io::Result<Step> {
        let mut bytes = vec![0; STEP];
        let read = self.file.read_at(&mut bytes, self.at)?;
        if read == 0 {
            return Ok(Step::Idle);
        }
        bytes.truncate(read);
        self.at += read as u64;
        self.before.extend_from_slice(&bytes[read.saturating_sub(COMPARED)..]);
        self.before.drain(..self.before.len().saturating_sub(COMPARED));
        Ok(Step::Bytes(bytes))
    }

    /// Shorter than what was read of it, or holding something else there.
    fn is_written_anew(&self) -> io::Result<bool> {
        let mut there = vec![0; self.before.len()];
        match self.file.read_exact_at(&mut there, self.at - self.before.len() as u64) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
            Ok(()) => Ok(there != self.before),
        }
    }
}

fn id(about: &Metadata) -> (u64, u64) {
    (about.dev(), about.ino())
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::path::Path;

    use super::*;

    fn append(path: &Path, text: &str) {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Looks until nothing is new: bytes as text, the rest by its name.
    fn looks(tail: &mut Tail) -> Vec<String> {
        let mut found = Vec::new();
        loop {
            match tail.step().unwrap() {
                Step::Idle => return found,
                Step::Bytes(bytes) => found.push(String::from_utf8(bytes).unwrap()),
                other => found.push(format!("{other:?}")),
            }
        }
    }

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let (path, old) = (directory.path().join("a.log"), directory.path().join("a.log.1"));
        let mut tail = Tail::new(path.clone());
        assert_eq!((looks(&mut tail), looks(&mut tail)), (vec!["Missing".to_owned()], vec![]), "said once");
        append(&path, "one\ntw");
        assert_eq!(looks(&mut tail), ["one\ntw"], "no file yet, then one");
        append(&path, "o\n");
        assert_eq!(looks(&mut tail), ["o\n"], "a line in two parts");

        append(&path, "three\n");
        fs::rename(&path, &old).unwrap();
        append(&old, "four\n");
        assert_eq!(looks(&mut tail), ["three\nfour\n"], "renamed, and written on");
        append(&path, "");
        assert_eq!(looks(&mut tail), [""; 0], "a new file without content");
        append(&old, "five\n");
        append(&path, "six\n");
        assert_eq!(looks(&mut tail), ["five\n", "Rotated", "six\n"], "the old one first, to its end");

        fs::write(&path, "").unwrap();
        assert_eq!(looks(&mut tail), ["Truncated"]);
        append(&path, "seven\n");
        assert_eq!(looks(&mut tail), ["seven\n"]);
        fs::write(&path, "longer than it was before\n").unwrap();
        assert_eq!(
            looks(&mut tail),
            ["Truncated", "longer than it was before\n"],
            "written anew, and longer"
        );

        fs::remove_file(&path).unwrap();
        assert_eq!(looks(&mut tail), [""; 0]);
        append(&path, "eight\n");
        assert_eq!(looks(&mut tail), ["Rotated", "eight\n"], "removed and made again");
    }

    #[test]
    fn what_was_there_is_told_from_what_comes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        append(&path, &"x".repeat(STEP + 1));
        let mut tail = Tail::new(path.clone());
        assert!(matches!(tail.step().unwrap(), Step::Bytes(_)));
        assert!(!tail.is_caught_up());
        append(&path, &"y".repeat(STEP));
        assert!(matches!(tail.step().unwrap(), Step::Bytes(_)));
        assert!(tail.is_caught_up(), "a file that grows fast is caught up with as well");
    }

    #[test]
    fn a_directory_is_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut tail = Tail::new(directory.path().to_owned());
        assert_eq!(tail.step().unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
