//! Cuts inputs into blocks of whole lines, for any number of threads; what is no lines is one block.

use std::fs::File;
use std::io::{self, Read};

use alert_triage::{Format, LINE_LIMIT};

use super::Input;

/// Large enough that taking one costs nothing, small enough that a block stays in the cache while it is read.
const BLOCK: usize = 1 << 20;

/// How much of an input tells its format.
pub(crate) const HEAD: usize = 64 << 10;

/// The longest line of JSON that is kept whole; a payload of many alerts may stand on one line.
pub(crate) const JSON_LINE: usize = 64 << 20;

/// Whole lines of one source, or all of a document.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) source: usize,
    pub(super) number: usize,
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
}

impl Default for Block {
    fn default() -> Self {
        Self { source: 0, number: 0, format: Format::Lines, bytes: Vec::new() }
    }
}

/// All inputs, one after the other.
pub(super) struct Blocks<'i> {
    inputs: &'i [Input],
    format: Option<Format>,
    /// The next input to open.
    next: usize,
    open: Option<Open>,
}

struct Open {
    reader: Box<dyn Read + Send>,
    format: Format,
    number: usize,
    /// What was read behind the last line end.
    tail: Vec<u8>,
    is_at_end: bool,
    /// The rest of a line that is too long to be kept is still to come.
    is_skipping: bool,
}

/// Is all of it in files, and little?
pub(super) fn is_small(inputs: &[Input]) -> bool {
    let size = |input: &Input| match input {
        Input::Stdin => u64::MAX,
        Input::File(path) => std::fs::metadata(path).map_or(0, |about| about.len()),
    };
    inputs.iter().map(size).fold(0, u64::saturating_add) < 2 * BLOCK as u64
}

impl<'i> Blocks<'i> {
    pub(super) fn new(inputs: &'i [Input], format: Option<Format>) -> Self {
        Self { inputs, format, next: 0, open: None }
    }

    /// Fills `block` with the next one; false at the end of all. An error names its input.
    pub(super) fn next(&mut self, block: &mut Block) -> Result<bool, (usize, io::Error)> {
        loop {
            if let Some(open) = &mut self.open {
                let source = self.next - 1;
                if open.fill(&mut block.bytes).map_err(|error| (source, error))? {
                    (block.source, block.number, block.format) = (source, open.number, open.format);
                    open.number += 1;
                    return Ok(true);
                }
                self.open = None;
            }
            let Some(input) = self.inputs.get(self.next) else { return Ok(false) };
            let source = self.next;
            self.next += 1;
            let open = Open::new(input, self.format);
            self.open = Some(open.map_err(|error| {
                // Nobody reads on behind an error.
                self.next = self.inputs.len();
                (source, error)
            })?);
        }
    }
}

impl Open {
    fn new(input: &Input, format: Option<Format>) -> io::Result<Self> {
        let reader: Box<dyn Read + Send> = match input {
            Input::Stdin => Box::new(io::stdin()),
            Input::File(path) => Box::new(File::open(path)?),
        };
        Self::of(reader, format)
    }

    fn of(mut reader: Box<dyn Read + Send>, format: Option<Format>) -> io::Result<Self> {
        let mut tail = Vec::new();
        let is_at_end = read_up_to(&mut reader, &mut tail, HEAD)?;
        let format = format.unwrap_or_else(|| Format::detect(&tail));
        Ok(Self { reader, format, number: 0, tail, is_at_end, is_skipping: false })
    }

    /// False when there is nothing more.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        bytes.clear();
        std::mem::swap(bytes, &mut self.tail);
        if !self.format.is_lines() {
            if !self.is_at_end {
                self.reader.read_to_end(bytes)?;
                self.is_at_end = true;
            }
            return Ok(!bytes.is_empty());
        }
        // A longer line is malformed whatever follows; its end is enough to know that.
        let longest = if self.format == Format::Jsonl { JSON_LINE } else { LINE_LIMIT + 3 };
        let mut wanted = BLOCK.max(bytes.len() + HEAD);
        loop {
            if !self.is_at_end {
                self.is_at_end = read_up_to(&mut self.reader, bytes, wanted)?;
            }
            if self.is_skipping {
                match memchr::memchr(b'\n', bytes) {
                    Some(end) => {
                        bytes.drain(..=end);
                        self.is_skipping = false;
                    }
                    None if self.is_at_end => bytes.clear(),
                    None => {
                        bytes.clear();
                        continue;
                    }
                }
            }
            if self.is_at_end {
                return Ok(!bytes.is_empty());
            }
            match memchr::memrchr(b'\n', bytes) {
                Some(end) => {
                    self.tail.extend_from_slice(&bytes[end + 1..]);
                    bytes.truncate(end + 1);
                    return Ok(true);
                }
                None if bytes.len() > longest => {
                    bytes.truncate(longest);
                    self.is_skipping = true;
                    return Ok(true);
                }
                None => wanted += BLOCK,
            }
        }
    }
}

/// Reads until `bytes` holds `wanted`; true at the end of the input.
fn read_up_to(reader: &mut impl Read, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
    let missing = wanted.saturating_sub(bytes.len());
    let read = reader.take(missing as u64).read_to_end(bytes)?;
    Ok(read < missing)
}

/// All blocks of one reader.
#[cfg(test)]
pub(super) fn cut(
    reader: Box<dyn Read + Send>,
    format: Option<Format>,
    mut each: impl FnMut(&Block),
) -> io::Result<()> {
    let mut open = Open::of(reader, format)?;
    let mut block = Block::default();
    while open.fill(&mut block.bytes)? {
        (block.number, block.format) = (open.number, open.format);
        open.number += 1;
        each(&block);
    }
    Ok(())
}
