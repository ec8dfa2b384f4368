//! Bytes that JSON text must not contain.

use crate::fault::Fault;

/// A byte that JSON text must not contain.
#[derive(Debug, Clone, Copy)]
pub(super) enum InvalidByte {
    NotUtf8,
    Control(u8),
}

impl InvalidByte {
    pub(super) fn fault(self, byte: usize) -> Fault {
        match self {
            InvalidByte::NotUtf8 => Fault::NotUtf8 { byte },
            InvalidByte::Control(control) => Fault::Control(control.into()),
        }
    }
}

/// Control characters but line ends and tabs, which the parser reports.
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !byte.is_ascii_whitespace()
}

/// The first invalid byte, with its offset.
pub(super) fn first_invalid(bytes: &[u8]) -> Option<(usize, InvalidByte)> {
    let text = match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(fault) => &bytes[..fault.valid_up_to()],
    };
    let control = text.iter().position(|byte| is_control(*byte));
    let control = control.map(|at| (at, InvalidByte::Control(bytes[at])));
    control.or((text.len() < bytes.len()).then_some((text.len(), InvalidByte::NotUtf8)))
}

/// The text with `?` for each invalid byte, so that the rest is read at unchanged offsets.
pub(super) fn legible(input: &[u8]) -> String {
    let mut text = String::with_capacity(input.len());
    for chunk in input.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c.is_ascii() && is_control(c as u8) { '?' } else { c }));
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}
