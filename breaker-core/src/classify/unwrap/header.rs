//! Joins records of a logger that repeats its header before every line of one message: a traceback
//! or a stack, each line stamped with time and level.
//!
//! Such lines begin alike, except for digits, and what follows the header is indented or belongs to
//! a stack.

use super::record::JOINED;

/// The minimum length of a repeated header, in bytes.
const MIN_HEADER: usize = 10;
/// The minimum number of digits in a header: it contains a time.
const MIN_DIGITS: usize = 4;

const TRACEBACK: &str = "Traceback (most recent call last):";

/// `text` with repeated headers removed from the lines that continue a message; `None` if no header
/// is repeated so.
pub(super) fn join(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let joined = continuations(&lines);
    if joined.iter().all(Option::is_none) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for (line, from) in lines.iter().zip(joined) {
        if let Some(from) = from {
            out.push(JOINED);
            out.push_str(&line[from..]);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    Some(out)
}

/// For each line that continues the message above it, the length of its header.
fn continuations(lines: &[&str]) -> Vec<Option<usize>> {
    let mut joined = vec![None; lines.len()];
    // Inside a traceback: the length of its header. After its exception only indented lines belong
    // to it.
    let mut traceback = None;
    let mut ended = false;
    for n in 0..lines.len() {
        let line = lines[n];
        let begins = || line.trim_end().strip_suffix(TRACEBACK).map(str::len);
        if let Some(at) = begins().filter(|at| *at >= MIN_HEADER) {
            traceback = Some(at);
            ended = false;
            continue;
        }
        if n == 0 {
            continue;
        }
        let inside = traceback.filter(|at| same_shape(lines[n - 1], line) >= *at);
        let indented = |header: usize| line[header..].starts_with([' ', '\t']);
        if let Some(header) = inside.filter(|header| !ended || indented(*header)) {
            joined[n] = Some(header);
            ended |= !indented(header);
            continue;
        }
        traceback = None;
        let header = same_shape(lines[n - 1], line);
        let header = line[..header].trim_end().len();
        let stamped = line[..header].bytes().filter(u8::is_ascii_digit).count() >= MIN_DIGITS;
        if header >= MIN_HEADER && stamped && is_continuation(&line[header..]) {
            joined[n] = Some(header + usize::from(line[header..].starts_with(' ')));
        }
    }
    joined
}

/// Whether a text behind a header and its separator belongs to the message above it.
fn is_continuation(text: &str) -> bool {
    let text = text.strip_prefix(' ').unwrap_or(text);
    text.starts_with("  ") && text.trim_start().starts_with("at ")
        || text.starts_with("\tat ")
        || text.starts_with("\t...")
        || text.starts_with("Caused by: ")
}

/// The length of the common beginning of two lines in which all digits are alike.
fn same_shape(a: &str, b: &str) -> usize {
    let alike = |(a, b): &(u8, u8)| a == b || (a.is_ascii_digit() && b.is_ascii_digit());
    let len = a.bytes().zip(b.bytes()).take_while(alike).count();
    (0..=len).rev().find(|at| a.is_char_boundary(*at) && b.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_traceback_is_one_message() {
        let head = "2026-06-03 11:20:44,310 - a - ERROR - ";
        let lines = [TRACEBACK, "  File \"a.py\", line 3, in b", "    c()", "d.E: f", "\tIs it up?", "next"];
        let text: String = lines.iter().map(|line| format!("{head}{line}\n")).collect();
        assert_eq!(
            join(&text).expect("joined"),
            format!(
                "{head}{TRACEBACK}\n\u{1f}  File \"a.py\", line 3, in b\n\u{1f}    c()\n\u{1f}d.E: f\n\u{1f}\tIs it up?\n{head}next\n"
            )
        );
    }

    #[test]
    fn a_stamped_java_stack_is_one_message() {
        let head = |n| format!("2026-06-03 11:20:44.{n:03} ERROR ");
        let text = format!(
            "{}a.B: c\n{}\tat d.E(F.java:1)\n{}Caused by: g\n{}other\n",
            head(1),
            head(2),
            head(13),
            head(14)
        );
        assert_eq!(
            join(&text).expect("joined"),
            format!("{}a.B: c\n\u{1f}\tat d.E(F.java:1)\n\u{1f}Caused by: g\n{}other\n", head(1), head(14))
        );
    }

    #[test]
    fn records_with_like_headers_stay_apart() {
        for text in [
            "2026-06-03 11:20:44 ERROR a\n2026-06-03 11:20:45 ERROR b\n",
            "2026-06-03 11:20:44 ERROR   a\n2026-06-03 11:20:45 ERROR   b\n",
            "a\n  at b\n",
        ] {
            assert_eq!(join(text), None, "{text}");
        }
    }
}
