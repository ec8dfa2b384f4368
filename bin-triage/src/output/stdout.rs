//! Writing to standard output.

use std::io::{self, BufWriter, ErrorKind, Write};

use anyhow::Context as _;

/// Prints to standard output. A reader that closes the pipe, such as `head`, is not an error.
pub(crate) fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    ignore_closed(buffered(io::stdout().lock(), |out| write(out))).context("cannot write to standard output")
}

/// Writes through a buffer, and flushes it.
pub(super) fn buffered<W: Write>(
    to: W,
    write: impl FnOnce(&mut BufWriter<W>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, to);
    write(&mut out)?;
    out.flush()
}

/// A reader that closed the pipe has read enough.
pub(super) fn ignore_closed(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
