//! Turns arriving bytes into whole lines.

use alert_triage::Format;
use alert_triage::fault::MAX_LINE_BYTES;
use memchr::{memchr, memrchr};

use crate::read::MAX_JSON_LINE_LEN;

/// Holds back a line until its end arrives. Of a line that is too long it keeps one byte more than
/// the limit, so that the line is malformed, and drops the rest.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    pending: Vec<u8>,
    /// The rest of a line that was too long is still to be dropped.
    is_skipping: bool,
}

impl LineBuffer {
    /// Takes bytes and returns the lines that are complete now. A line that is too long has no line
    /// end.
    pub(super) fn push(&mut self, mut bytes: Vec<u8>, format: Option<Format>) -> Vec<u8> {
        if self.is_skipping {
            let Some(end) = memchr(b'\n', &bytes) else { return Vec::new() };
            bytes.drain(..=end);
            self.is_skipping = false;
        }
        let mut lines = match memrchr(b'\n', &bytes) {
            Some(end) => {
                let tail = bytes.split_off(end + 1);
                let mut lines = std::mem::replace(&mut self.pending, tail);
                lines.append(&mut bytes);
                lines
            }
            None => {
                self.pending.append(&mut bytes);
                Vec::new()
            }
        };
        let max_len = self.max_len(format);
        if self.pending.len() > max_len {
            lines.extend_from_slice(&self.pending[..max_len]);
            self.pending = Vec::new();
            self.is_skipping = true;
        }
        lines
    }

    /// Returns the incomplete line and forgets it.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.is_skipping = false;
        std::mem::take(&mut self.pending)
    }

    /// The incomplete line.
    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// One byte more than the limit, line end included, shows that a line is too long.
    fn max_len(&self, format: Option<Format>) -> usize {
        let is_json = match format {
            Some(format) => format == Format::Jsonl,
            None => self.pending.trim_ascii_start().starts_with(b"{"),
        };
        if is_json { MAX_JSON_LINE_LEN } else { MAX_LINE_BYTES + 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(buffer: &mut LineBuffer, text: &str) -> String {
        String::from_utf8(buffer.push(text.into(), Some(Format::Lines))).unwrap()
    }

    #[test]
    fn a_line_is_taken_when_it_has_its_end() {
        let mut buffer = LineBuffer::default();
        for (case, text, want) in [
            ("the first half", "Zone A", ""),
            ("the other half and a half", "B: X1\r\nZone", "Zone AB: X1\r\n"),
            ("more of it", " AB", ""),
            ("its end alone", ": X2\n", "Zone AB: X2\n"),
            ("two lines", "one\ntwo\n", "one\ntwo\n"),
            ("no line", "", ""),
        ] {
            assert_eq!(push(&mut buffer, text), want, "{case}");
        }
        assert_eq!(push(&mut buffer, "last"), "");
        assert_eq!((buffer.take(), buffer.pending().len()), (b"last".to_vec(), 0));
    }

    #[test]
    fn a_line_without_end_takes_limited_memory() {
        let mut buffer = LineBuffer::default();
        push(&mut buffer, "Zone AB: X1\nZone AB: ");
        let mut taken = String::new();
        for _ in 0..100 {
            taken.push_str(&push(&mut buffer, &"x".repeat(40_000)));
            assert!(buffer.pending.capacity() < 4 * MAX_LINE_BYTES, "{}", buffer.pending.capacity());
        }
        assert!(taken.len() > MAX_LINE_BYTES && taken.len() < 2 * MAX_LINE_BYTES && !taken.contains('\n'));
        assert_eq!(push(&mut buffer, "its end\nZone AB: X2\n"), "Zone AB: X2\n");
    }

    #[test]
    fn json_may_be_longer() {
        let mut buffer = LineBuffer::default();
        let begin = format!("{{\"alerts\": [{}", " ".repeat(2 * MAX_LINE_BYTES));
        assert_eq!(buffer.push(begin.into_bytes(), None), b"");
        assert_eq!(buffer.push(b"]}\n".to_vec(), None).len(), 2 * MAX_LINE_BYTES + 15);
    }
}
