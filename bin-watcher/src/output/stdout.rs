//! Text for standard output.

use std::io::{ErrorKind, Write};

/// Prints `text`. A reader that closed the pipe has read enough: that is not an error.
///
/// # Errors
/// Any other failure to write, such as a full disk.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
