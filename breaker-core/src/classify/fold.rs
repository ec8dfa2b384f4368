//! Folds a long text: most frames of a long stack and all echoes are left out, so that the
//! statement above the stack is among the bytes that are read.

use std::borrow::Cow;

use super::echo::Echo;
use super::line::{self, Shape};
use super::text::MAX_BYTES;
use super::unwrap::JOINED;

/// The number of frames that are kept at each end of a stack. Some rules need them.
const MAX_FRAMES: usize = 8;

/// The last [`MAX_BYTES`] bytes of a folded text.
#[derive(Debug)]
pub(super) struct Folded<'t> {
    pub(super) text: Cow<'t, str>,
    /// The number of lines before them.
    pub(super) cut: usize,
}

/// Folds `cleaned`, if it is longer than [`MAX_BYTES`]. A line that is left out stays as an empty
/// line, so that the numbers of the others do not change.
pub(super) fn fold(cleaned: &str) -> Folded<'_> {
    if cleaned.len() <= MAX_BYTES {
        return Folded { text: Cow::Borrowed(cleaned), cut: 0 };
    }
    let lines: Vec<&str> = cleaned.lines().collect();
    let leave_out = foldable(&lines);
    let mut folded = String::with_capacity(cleaned.len() / 2);
    for (line, leave_out) in lines.iter().zip(leave_out) {
        match (leave_out, line.starts_with(JOINED)) {
            (false, _) => folded.push_str(line),
            (true, true) => folded.push(JOINED),
            (true, false) => {}
        }
        folded.push('\n');
    }
    let at = folded.ceil_char_boundary(folded.len().saturating_sub(MAX_BYTES));
    let cut = folded[..at].split_inclusive('\n').filter(|line| !line.starts_with(JOINED)).count();
    // A line that is cut in the middle is still there.
    let begins_line = at == 0 || folded.as_bytes()[at - 1] == b'\n';
    let cut = if begins_line { cut } else { cut.saturating_sub(1) };
    folded.drain(..at);
    Folded { text: Cow::Owned(folded), cut }
}

/// Whether the first line of `text` is a stack frame: what the stack belongs to is missing.
pub(super) fn begins_in_stack(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty());
    first.is_some_and(|line| matches!(line::shape(line), Shape::Frame | Shape::PythonFrame))
}

/// Which lines say nothing that a verdict needs: echoes, and the inner frames of each stack.
fn foldable(lines: &[&str]) -> Vec<bool> {
    let mut echo = Echo::default();
    let mut leave_out = vec![false; lines.len()];
    let mut stack: Vec<usize> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let written = line.strip_prefix(JOINED).unwrap_or(line);
        if written.trim().is_empty() {
            continue;
        }
        if is_frame(lines, number) {
            stack.push(number);
            continue;
        }
        leave_out_inner(&mut stack, &mut leave_out);
        leave_out[number] = echo.contains(written);
    }
    leave_out_inner(&mut stack, &mut leave_out);
    leave_out
}

/// Leaves out all frames of a stack but the first and the last ones.
fn leave_out_inner(stack: &mut Vec<usize>, leave_out: &mut [bool]) {
    let inner = MAX_FRAMES..stack.len().saturating_sub(MAX_FRAMES);
    for number in stack.get(inner).unwrap_or_default() {
        leave_out[*number] = true;
    }
    stack.clear();
}

fn is_frame(lines: &[&str], number: usize) -> bool {
    let written = |number: usize| {
        lines.get(number).map(|line| line.strip_prefix(JOINED).unwrap_or(line)).unwrap_or_default()
    };
    let line = written(number);
    let source_of_python = || {
        let above = number.checked_sub(1).map(written).unwrap_or_default();
        line.starts_with([' ', '\t']) && line::shape(above) == Shape::PythonFrame
    };
    let go = || line::is_go_name(line) && line::is_go_place(written(number + 1));
    matches!(line::shape(line), Shape::Frame | Shape::PythonFrame) || go() || source_of_python()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(frames: usize) -> String {
        let frame =
            |n| format!("\tat com.acme.payments.client.RetryingInvoker.proceed(RetryingInvoker.java:{n})\n");
        (0..frames).map(frame).collect()
    }

    #[test]
    fn a_short_text_is_not_folded() {
        let text = format!("java.net.ConnectException: a\n{}", java(20));
        assert!(matches!(fold(&text), Folded { text: Cow::Borrowed(_), cut: 0 }));
    }

    #[test]
    fn the_statement_above_a_long_stack_is_kept_with_its_number() {
        let text = format!("INFO up\njava.net.ConnectException: a\n{}Caused by: b\n", java(400));
        let Folded { text: folded, cut } = fold(&text);
        assert!(folded.starts_with("INFO up\njava.net.ConnectException: a\n\tat "), "{folded}");
        assert_eq!((folded.matches("\tat ").count(), cut), (2 * MAX_FRAMES, 0));
        assert_eq!(folded.lines().count(), text.lines().count());
        assert_eq!(folded.lines().nth(402), Some("Caused by: b"));
    }

    #[test]
    fn what_is_too_long_all_the_same_is_cut_at_the_beginning_and_counted() {
        let text = format!("{}fatal\n", "0123456789 some words\n".repeat(2000));
        let Folded { text: folded, cut } = fold(&text);
        assert!(folded.len() <= MAX_BYTES && folded.ends_with("fatal\n"));
        assert_eq!(cut + folded.lines().count(), text.lines().count());
    }

    #[test]
    fn go_and_python_and_node_stacks_are_folded() {
        let go = |n| format!("example.com/app/store.(*Rates).Load\n\t/app/store/rates.go:{n}\n");
        let python =
            |n| format!("  File \"/app/main.py\", line {n}, in load\n    return self.session.get(url)\n");
        let node = |n| format!("    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:{n}:16)\n");
        for frames in [
            (0..400).map(go).collect::<String>(),
            (0..400).map(python).collect::<String>(),
            (0..400).map(node).collect::<String>(),
        ] {
            let text = format!("fatal: a\n{frames}");
            assert!(fold(&text).text.starts_with("fatal: a\n"), "{frames}");
        }
    }

    #[test]
    fn a_text_that_begins_with_a_frame_begins_inside_a_stack() {
        assert!(begins_in_stack("\n\tat a.B.c(D.java:1)\nCaused by: e\n"));
        assert!(begins_in_stack("  File \"a.py\", line 1, in f\nE: g\n"));
        assert!(!begins_in_stack("java.net.ConnectException: a\n\tat a.B.c(D.java:1)\n"));
        assert!(!begins_in_stack(""));
    }
}
