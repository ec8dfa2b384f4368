//! Single lines of an input.

/// Calls `line` with the number, from 1, and the text of each line. Returns the number of lines.
pub(super) fn each_line<'i>(input: &'i [u8], mut line: impl FnMut(u64, &'i [u8])) -> u64 {
    let mut count = 0;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', input) {
        count += 1;
        line(count, &input[start..end]);
        start = end + 1;
    }
    if start < input.len() {
        count += 1;
        line(count, &input[start..]);
    }
    count
}

pub(super) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
