use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use alert_triage::{LINE_LIMIT, Ledger, Source};
use anyhow::anyhow;

/// Where lines come from.
#[derive(Debug)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Input::Stdin } else { Input::File(path) }
    }
}

impl Input {
    /// Reads it to its end, line by line; an endless line costs no more memory than a long one.
    pub(crate) fn read_into(&self, ledger: &mut Ledger) -> anyhow::Result<()> {
        match self {
            Input::Stdin => read(io::stdin().lock(), &mut ledger.source("-")).map_err(|error| {
                anyhow!("cannot read standard input: {error}; name a FILE, or pipe alerts in")
            }),
            Input::File(path) => {
                let name = path.display().to_string();
                File::open(path)
                    .and_then(|file| read(BufReader::with_capacity(LINE_LIMIT, file), &mut ledger.source(&name)))
                    .map_err(|error| {
                        anyhow!("cannot read {name}: {error}; check the path and its permissions, or give `-` for standard input")
                    })
            }
        }
    }
}

/// What [`Source::line`] needs of a line to see that it is too long: the limit, a line ending and one byte.
const KEPT: usize = LINE_LIMIT + 3;

fn read(mut reader: impl BufRead, source: &mut Source<'_>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut begun = false;
    loop {
        let block = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            block => block?,
        };
        if block.is_empty() {
            if begun {
                source.line(&line);
            }
            return Ok(());
        }
        let end = block.iter().position(|byte| *byte == b'\n');
        let part = &block[..end.unwrap_or(block.len())];
        line.extend_from_slice(&part[..part.len().min(KEPT - line.len())]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        begun = end.is_none();
        if end.is_some() {
            source.line(&line);
            line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the blocks fall, the lines are those of the whole text.
    #[test]
    fn blocks_of_any_size_give_the_same_lines() {
        let long = "x".repeat(LINE_LIMIT + 9);
        let text = format!("Zone A: X\r\n\n{long}\nZone A: {}\r\nZone A: X", "y".repeat(LINE_LIMIT - 8));
        let mut whole = Ledger::new();
        whole.source("test").lines(text.as_bytes());
        let whole = whole.report();
        assert_eq!((whole.totals.lines, whole.totals.malformed, whole.totals.records), (5, 1, 3));
        for block in [1, 2, 7, 4096, LINE_LIMIT, text.len()] {
            let mut ledger = Ledger::new();
            read(BufReader::with_capacity(block, text.as_bytes()), &mut ledger.source("test")).unwrap();
            assert_eq!(ledger.report(), whole, "blocks of {block}");
        }
    }
}
