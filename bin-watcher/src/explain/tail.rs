//! The end of a stream of bytes, in constant memory.

/// The number of bytes that are kept, as of a container's log.
const MAX_KEPT: usize = 256 * 1024;

/// The end of a stream, and how many lines came before it.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: Vec<u8>,
    dropped_lines: usize,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Twice as much at most, so that not each push moves the rest.
        if self.bytes.len() > 2 * MAX_KEPT {
            self.cut();
        }
    }

    /// The end as text, with the number of lines before it.
    pub(crate) fn into_text(mut self) -> (String, usize) {
        self.cut();
        (String::from_utf8_lossy(&self.bytes).into_owned(), self.dropped_lines)
    }

    fn cut(&mut self) {
        let excess = self.bytes.len().saturating_sub(MAX_KEPT);
        self.dropped_lines += self.bytes[..excess].iter().filter(|byte| **byte == b'\n').count();
        self.bytes.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_lines_before_it_are_counted() {
        let mut tail = Tail::default();
        for n in 0..100_000 {
            tail.push(format!("line {n}\n").as_bytes());
            assert!(tail.bytes.len() <= 2 * MAX_KEPT);
        }
        let (text, dropped) = tail.into_text();
        assert!(text.len() <= MAX_KEPT && text.ends_with("line 99999\n"));
        assert_eq!(dropped + text.lines().count(), 100_000);
    }
}
