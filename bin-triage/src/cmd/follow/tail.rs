//! Reads a file while it is written, through rotation and truncation.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;

/// Bytes read in one step.
const READ_LEN: usize = 64 << 10;

/// How many of the last bytes are compared at each step. A file that was rewritten has other bytes
/// there.
const COMPARE_LEN: usize = 64;

/// What one step found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// Nothing new.
    Idle,
    /// The file does not exist yet; reported once.
    Missing,
    /// The old file was read to its end. Another one has its name and is read from its start.
    Rotated,
    /// The file was emptied or rewritten, and is read from its start.
    Truncated,
}

/// The state of a followed file. It never waits: the caller polls it.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    open: Option<OpenFile>,
    is_missing: bool,
    /// Another file has the name and is not empty: the open one does not grow any more.
    is_replaced: bool,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    /// Device and inode.
    id: (u64, u64),
    /// Offset of the next byte to read.
    at: u64,
    /// The last bytes before `at`.
    before: Vec<u8>,
    /// Its length when it was opened.
    len: u64,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: None, is_missing: false, is_replaced: false }
    }

    /// Whether the content that existed when the file was opened has been read.
    pub(super) fn is_caught_up(&self) -> bool {
        self.open.as_ref().is_none_or(|open| open.at >= open.len)
    }

    /// Reads the next bytes. After an error the state is unchanged, so that the step can be
    /// retried.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        let Some(open) = &mut self.open else {
            return match OpenFile::new(&self.path) {
                Ok(open) => self.open.insert(open).read(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let is_known = std::mem::replace(&mut self.is_missing, true);
                    Ok(if is_known { Step::Idle } else { Step::Missing })
                }
                Err(error) => Err(error),
            };
        };
        if open.is_rewritten()? {
            (open.at, open.before) = (0, Vec::new());
            return Ok(Step::Truncated);
        }
        loop {
            let step = open.read()?;
            if step != Step::Idle {
                return Ok(step);
            }
            if self.is_replaced {
                *open = match OpenFile::new(&self.path) {
                    Ok(open) => open,
                    // The new file is gone again.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Step::Idle),
                    Err(error) => return Err(error),
                };
                self.is_replaced = false;
                return Ok(Step::Rotated);
            }
            // While the new file is empty, its writer may still have the old one open. Once it is
            // not, everything that was written to the old one is there: read that first.
            let current = fs::metadata(&self.path);
            self.is_replaced = current.is_ok_and(|meta| id(&meta) != open.id && meta.len() > 0);
            if !self.is_replaced {
                return Ok(Step::Idle);
            }
        }
    }
}

impl OpenFile {
    fn new(path: &PathBuf) -> io::Result<Self> {
        let file = File::open(path)?;
        let meta = file.metadata()?;
        Ok(Self { file, id: id(&meta), at: 0, before: Vec::new(), len: meta.len() })
    }

    fn read(&mut self) -> io::Result<Step> {
        let mut bytes = vec![0; READ_LEN];
        let read = self.file.read_at(&mut bytes, self.at)?;
        if read == 0 {
            return Ok(Step::Idle);
        }
        bytes.truncate(read);
        self.at += read as u64;
        self.before.extend_from_slice(&bytes[read.saturating_sub(COMPARE_LEN)..]);
        self.before.drain(..self.before.len().saturating_sub(COMPARE_LEN));
        Ok(Step::Bytes(bytes))
    }

    /// Whether the file is shorter than what was read of it, or has other bytes there.
    fn is_rewritten(&self) -> io::Result<bool> {
        let mut bytes = vec![0; self.before.len()];
        match self.file.read_exact_at(&mut bytes, self.at - self.before.len() as u64) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
            Ok(()) => Ok(bytes != self.before),
        }
    }
}

fn id(meta: &Metadata) -> (u64, u64) {
    (meta.dev(), meta.ino())
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

    /// Steps until nothing is new: bytes as text, other steps by their names.
    fn steps(tail: &mut Tail) -> Vec<String> {
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
        assert_eq!(
            (steps(&mut tail), steps(&mut tail)),
            (vec!["Missing".to_owned()], vec![]),
            "reported once"
        );
        append(&path, "one\ntw");
        assert_eq!(steps(&mut tail), ["one\ntw"], "no file yet, then one");
        append(&path, "o\n");
        assert_eq!(steps(&mut tail), ["o\n"], "a line in two parts");

        append(&path, "three\n");
        fs::rename(&path, &old).unwrap();
        append(&old, "four\n");
        assert_eq!(steps(&mut tail), ["three\nfour\n"], "renamed, and still written");
        append(&path, "");
        assert_eq!(steps(&mut tail), [""; 0], "a new file without content");
        append(&old, "five\n");
        append(&path, "six\n");
        assert_eq!(steps(&mut tail), ["five\n", "Rotated", "six\n"], "the old one first, to its end");

        fs::write(&path, "").unwrap();
        assert_eq!(steps(&mut tail), ["Truncated"]);
        append(&path, "seven\n");
        assert_eq!(steps(&mut tail), ["seven\n"]);
        fs::write(&path, "longer than it was before\n").unwrap();
        assert_eq!(steps(&mut tail), ["Truncated", "longer than it was before\n"], "rewritten, and longer");

        fs::remove_file(&path).unwrap();
        assert_eq!(steps(&mut tail), [""; 0]);
        append(&path, "eight\n");
        assert_eq!(steps(&mut tail), ["Rotated", "eight\n"], "removed and made again");
    }

    #[test]
    fn content_at_the_start_is_told_from_later_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        append(&path, &"x".repeat(READ_LEN + 1));
        let mut tail = Tail::new(path.clone());
        assert!(matches!(tail.step().unwrap(), Step::Bytes(_)));
        assert!(!tail.is_caught_up());
        append(&path, &"y".repeat(READ_LEN));
        assert!(matches!(tail.step().unwrap(), Step::Bytes(_)));
        assert!(tail.is_caught_up(), "a file that grows fast is caught up with as well");
    }

    #[test]
    fn a_directory_is_not_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let mut tail = Tail::new(directory.path().to_owned());
        assert_eq!(tail.step().unwrap_err().kind(), io::ErrorKind::IsADirectory);
    }
}
