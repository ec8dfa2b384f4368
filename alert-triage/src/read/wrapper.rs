//! What stands around a document: the headers of an HTTP answer, and a mark before each line.

use std::borrow::Cow;

/// The input without headers of HTTP (`curl -i`) and without a mark before each line (`> `), at
/// unchanged line numbers: what is removed becomes blank.
pub(super) fn unwrapped(input: &[u8]) -> Cow<'_, [u8]> {
    if input.starts_with(b"HTTP/") {
        return without_headers(input);
    }
    match mark(input) {
        Some(mark) => without_mark(input, mark),
        None => Cow::Borrowed(input),
    }
}

fn without_headers(input: &[u8]) -> Cow<'_, [u8]> {
    let mut rest = input;
    let mut headers = 0;
    // A redirect has headers of its own.
    while rest.starts_with(b"HTTP/") {
        loop {
            let Some(end) = memchr::memchr(b'\n', rest) else { return Cow::Borrowed(input) };
            let is_last = rest[..end].trim_ascii().is_empty();
            rest = &rest[end + 1..];
            headers += 1;
            if is_last {
                break;
            }
        }
    }
    // Headers alone are not an empty list: an error may have no body.
    if rest.trim_ascii().is_empty() {
        return Cow::Borrowed(input);
    }
    let mut unwrapped = vec![b'\n'; headers];
    unwrapped.extend_from_slice(rest);
    Cow::Owned(unwrapped)
}

/// The mark before the first line of a JSON document, if it stands before each line.
fn mark(input: &[u8]) -> Option<&[u8]> {
    let first = input.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    let begin = first.iter().position(|byte| matches!(byte, b'{' | b'['))?;
    let mark = &first[..begin];
    let is_mark = (1..=4).contains(&begin) && mark.iter().all(|byte| b">|+$#% \t".contains(byte));
    if !is_mark || mark.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let bare = mark.trim_ascii();
    let mut lines = input.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.all(|line| line.trim_ascii_start().starts_with(bare)).then_some(bare)
}

fn without_mark<'i>(input: &'i [u8], mark: &[u8]) -> Cow<'i, [u8]> {
    let mut unwrapped = Vec::with_capacity(input.len());
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.trim_ascii_start();
        unwrapped.extend_from_slice(bare.strip_prefix(mark).unwrap_or(line));
        if bare.is_empty() && line.ends_with(b"\n") && !unwrapped.ends_with(b"\n") {
            unwrapped.push(b'\n');
        }
    }
    Cow::Owned(unwrapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        for (input, want) in [
            ("[{}]\n", "[{}]\n"),
            ("HTTP/1.1 200 OK\r\nA: b\r\n\r\n[{}]\n", "\n\n\n[{}]\n"),
            ("HTTP/1.1 302 Found\nA: b\n\nHTTP/2 200\n\n{\"a\": 1}", "\n\n\n\n\n{\"a\": 1}"),
            ("> {\n>  \"a\": 1\n> }\n", " {\n  \"a\": 1\n }\n"),
            ("> {\nno mark\n> }\n", "> {\nno mark\n> }\n"),
            ("Zone AB: X {y}\n", "Zone AB: X {y}\n"),
            ("HTTP/1.1 500 Error\n\n", "HTTP/1.1 500 Error\n\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&unwrapped(input.as_bytes())), want, "{input}");
        }
    }
}
