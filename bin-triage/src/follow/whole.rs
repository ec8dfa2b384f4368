//! From bytes as they come to whole lines.

use alert_triage::{Format, LINE_LIMIT};
use memchr::{memchr, memrchr};

use crate::input::JSON_LINE;

/// Holds back the line that has no end yet. However long that becomes, it takes no more memory than the longest line
/// that is read; the rest of it is dropped, and the line is malformed.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pending: Vec<u8>,
    /// The rest of a line that was too long is still to come.
    is_skipping: bool,
}

impl Whole {
    /// Takes what came; answers the lines that are whole by it, each with its end but one that is too long.
    pub(super) fn push(&mut self, mut bytes: Vec<u8>, format: Option<Format>) -> Vec<u8> {
        if self.is_skipping {
            let Some(end) = memchr(b'\n', &bytes) else { return Vec::new() };
            bytes.drain(..=end);
            self.is_skipping = false;
        }
        let mut whole = match memrchr(b'\n', &bytes) {
            Some(end) => {
                let tail = bytes.split_off(end + 1);
                let mut whole = std::mem::replace(&mut self.pending, tail);
                whole.append(&mut bytes);
                whole
            }
            None => {
                self.pending.append(&mut bytes);
                Vec::new()
            }
        };
        let longest = self.longest(format);
        if self.pending.len() > longest {
            whole.extend_from_slice(&self.pending[..longest]);
            self.pending = Vec::new();
            self.is_skipping = true;
        }
        whole
    }

    /// The line that has no end, and will have none.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.is_skipping = false;
        std::mem::take(&mut self.pending)
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// A byte more than is read is enough to know that it is too long, a CR aside.
    fn longest(&self, format: Option<Format>) -> usize {
        let is_json = match format {
            Some(format) => format == Format::Jsonl,
            None => self.pending.trim_ascii_start().starts_with(b"{"),
        };
        if is_json { JSON_LINE } else { LINE_LIMIT + 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(whole: &mut Whole, text: &str) -> String {
        String::from_utf8(whole.push(text.into(), Some(Format::Lines))).unwrap()
    }

    #[test]
    fn a_line_is_taken_when_it_has_its_end() {
        let mut whole = Whole::default();
        for (case, text, want) in [
            ("the first half", "Zone A", ""),
            ("the other half and a half", "B: X1\r\nZone", "Zone AB: X1\r\n"),
            ("more of it", " AB", ""),
            ("its end alone", ": X2\n", "Zone AB: X2\n"),
            ("two lines", "one\ntwo\n", "one\ntwo\n"),
            ("no line", "", ""),
        ] {
            assert_eq!(push(&mut whole, text), want, "{case}");
        }
        assert_eq!(push(&mut whole, "last"), "");
        assert_eq!((whole.take(), whole.pending().len()), (b"last".to_vec(), 0));
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut whole = Whole::default();
        push(&mut whole, "Zone AB: X1\nZone AB: ");
        let mut taken = String::new();
        for _ in 0..100 {
            taken.push_str(&push(&mut whole, &"x".repeat(40_000)));
            assert!(whole.pending.capacity() < 4 * LINE_LIMIT, "{}", whole.pending.capacity());
        }
        assert!(taken.len() > LINE_LIMIT && taken.len() < 2 * LINE_LIMIT && !taken.contains('\n'));
        assert_eq!(push(&mut whole, "its end\nZone AB: X2\n"), "Zone AB: X2\n");
    }

    #[test]
    fn json_may_be_longer() {
        let mut whole = Whole::default();
        let begin = format!("{{\"alerts\": [{}", " ".repeat(2 * LINE_LIMIT));
        assert_eq!(whole.push(begin.into_bytes(), None), b"");
        assert_eq!(whole.push(b"]}\n".to_vec(), None).len(), 2 * LINE_LIMIT + 15);
    }
}
