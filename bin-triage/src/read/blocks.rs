//! Cuts inputs into blocks of whole lines, for any number of threads. A document is one block.

use std::fs::File;
use std::io::{self, Read};

use alert_triage::fault::MAX_LINE_BYTES;
use alert_triage::{Format, Rules};

use super::decode::decoded;
use super::input::Input;

/// Bytes of a block: large enough that taking one costs nothing, small enough that it stays in the
/// cache while it is read.
const BLOCK_LEN: usize = 1 << 20;

/// Bytes at the start of an input from which its format is detected.
pub(crate) const DETECT_BYTES: usize = 64 << 10;

/// Bytes of the longest line of JSON that is read; one line may hold a payload of many alerts.
pub(crate) const MAX_JSON_LINE_LEN: usize = 64 << 20;

/// Bytes of the longest document that is read, after unpacking: a small archive may unpack to more
/// than the memory of the machine.
const MAX_DOCUMENT_LEN: usize = 1 << 30;

/// Whole lines of one source, or a whole document.
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

/// Iterates over the blocks of all inputs, one input after the other.
pub(super) struct Blocks<'i> {
    inputs: &'i [Input],
    rules: Rules,
    format: Option<Format>,
    /// The next input to open.
    next: usize,
    open: Option<OpenInput>,
}

struct OpenInput {
    reader: Box<dyn Read + Send>,
    format: Format,
    number: usize,
    /// Bytes read after the last line end.
    tail: Vec<u8>,
    is_at_end: bool,
    /// The rest of a line that is too long is still to be skipped.
    is_skipping: bool,
}

/// Whether all inputs are files and have less than two blocks in all.
pub(super) fn is_small(inputs: &[Input]) -> bool {
    let size = |input: &Input| match input {
        Input::Stdin => u64::MAX,
        Input::File(path) => std::fs::metadata(path).map_or(0, |meta| meta.len()),
    };
    inputs.iter().map(size).fold(0, u64::saturating_add) < 2 * BLOCK_LEN as u64
}

impl<'i> Blocks<'i> {
    /// Without `format`, the rules detect that of each input.
    pub(super) fn new(inputs: &'i [Input], rules: Rules, format: Option<Format>) -> Self {
        Self { inputs, rules, format, next: 0, open: None }
    }

    /// Fills `block` with the next one; false at the end of the last input. An error comes with the
    /// index of its input.
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
            let open = OpenInput::new(input, &self.rules, self.format);
            self.open = Some(open.map_err(|error| {
                // No input is read after an error.
                self.next = self.inputs.len();
                (source, error)
            })?);
        }
    }
}

impl OpenInput {
    fn new(input: &Input, rules: &Rules, format: Option<Format>) -> io::Result<Self> {
        let reader: Box<dyn Read + Send> = match input {
            Input::Stdin => Box::new(io::stdin()),
            Input::File(path) => Box::new(File::open(path)?),
        };
        Self::from_reader(decoded(reader)?, rules, format)
    }

    fn from_reader(
        mut reader: Box<dyn Read + Send>,
        rules: &Rules,
        format: Option<Format>,
    ) -> io::Result<Self> {
        let mut tail = Vec::new();
        let is_at_end = read_up_to(&mut reader, &mut tail, DETECT_BYTES)?;
        let format = format.unwrap_or_else(|| rules.detect(&tail));
        Ok(Self { reader, format, number: 0, tail, is_at_end, is_skipping: false })
    }

    /// Fills `bytes` with the next block; false at the end of the input.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        bytes.clear();
        std::mem::swap(bytes, &mut self.tail);
        if !self.format.is_lines() {
            if !self.is_at_end {
                read_document(&mut self.reader, bytes, MAX_DOCUMENT_LEN)?;
                self.is_at_end = true;
            }
            return Ok(!bytes.is_empty());
        }
        // A longer line is malformed. The bytes up to this length are enough to report that.
        let is_plain = matches!(self.format, Format::Lines | Format::Syslog);
        let max_line_len = if is_plain { MAX_LINE_BYTES + 3 } else { MAX_JSON_LINE_LEN };
        let mut wanted = BLOCK_LEN.max(bytes.len() + DETECT_BYTES);
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
                None if bytes.len() > max_line_len => {
                    bytes.truncate(max_line_len);
                    self.is_skipping = true;
                    return Ok(true);
                }
                None => wanted += BLOCK_LEN,
            }
        }
    }
}

/// Reads until `bytes` holds `wanted` bytes; true at the end of the input.
fn read_up_to(reader: &mut impl Read, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
    let missing = wanted.saturating_sub(bytes.len());
    let read = reader.take(missing as u64).read_to_end(bytes)?;
    Ok(read < missing)
}

/// Reads the rest of a document of at most `max` bytes.
fn read_document(reader: &mut impl Read, bytes: &mut Vec<u8>, max: usize) -> io::Result<()> {
    if read_up_to(reader, bytes, max.saturating_add(1))? {
        return Ok(());
    }
    let message = format!(
        "it is one document of more than {} MiB, after unpacking if it is compressed; split it, or write one \
         alert a line (JSON lines), of which it may have any number",
        max >> 20
    );
    Err(io::Error::new(io::ErrorKind::FileTooLarge, message))
}

/// The whole text of a file, as it is read in blocks.
pub(crate) fn whole(path: &std::path::Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read_document(&mut decoded(Box::new(File::open(path)?))?, &mut bytes, MAX_DOCUMENT_LEN)?;
    Ok(bytes)
}

/// Calls `each` with every block of one reader.
#[cfg(test)]
pub(super) fn cut(
    reader: Box<dyn Read + Send>,
    format: Option<Format>,
    mut each: impl FnMut(&Block),
) -> io::Result<()> {
    let mut open = OpenInput::from_reader(reader, &Rules::builtin(), format)?;
    let mut block = Block::default();
    while open.fill(&mut block.bytes)? {
        (block.number, block.format) = (open.number, open.format);
        open.number += 1;
        each(&block);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn a_document_that_unpacks_to_more_than_the_limit_is_refused() {
        const MAX: usize = 1 << 20;
        let unpacked = |len: usize| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&vec![b' '; len]).unwrap();
            let packed = encoder.finish().unwrap();
            assert!(packed.len() < len / 100);
            let mut bytes = Vec::new();
            let mut reader = decoded(Box::new(io::Cursor::new(packed))).unwrap();
            let read = read_document(&mut reader, &mut bytes, MAX);
            assert!(bytes.len() <= MAX + 1, "no more than the limit is kept");
            read
        };
        assert!(unpacked(MAX).is_ok());
        let error = unpacked(64 * MAX).unwrap_err();
        let error = Input::File("bomb.json.gz".into()).read_error(&error).to_string();
        for part in ["cannot read bomb.json.gz: ", "more than 1 MiB", "split it, or write one alert a line"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("permissions"), "{error}");
    }
}
