//! Removes the marks before the lines of one message: the frame that Python draws around the
//! members of an exception group, the frame that Terraform draws beside a message, and the mark
//! that Dropwizard writes before an exception and its stack.

use super::record::JOINED;

/// `text` with the lines behind Dropwizard's mark joined to the record above them; `None` if it has
/// none.
pub(super) fn unmark(text: &str) -> Option<String> {
    text.contains("\n! at ").then(|| {
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            match line.strip_prefix("! ") {
                Some(rest) => {
                    out.push(JOINED);
                    out.push_str(if rest.starts_with("at ") { "\t" } else { "" });
                    out.push_str(rest);
                }
                None => out.push_str(line),
            }
            out.push('\n');
        }
        out
    })
}

/// `text` without the frames of Terraform; `None` if it has none. It may begin inside of one.
pub(super) fn unbox(text: &str) -> Option<String> {
    (text.contains('╷') || text.starts_with('│')).then(|| {
        let inner = |line: &str| match line.strip_prefix('│') {
            Some(rest) => rest.strip_prefix(' ').unwrap_or(rest).to_owned() + "\n",
            None => line.to_owned() + "\n",
        };
        text.lines().map(inner).collect()
    })
}

/// `text` without the frame; `None` if it has none.
pub(super) fn unframe(text: &str) -> Option<String> {
    let is_border = |line: &str| line.trim_start().starts_with("+-") && line.contains("----");
    text.lines().any(is_border).then(|| {
        let mut out = String::with_capacity(text.len());
        for line in text.lines() {
            let rest = line.trim_start();
            match rest.strip_prefix("| ") {
                _ if is_border(line) => {}
                Some(inner) if rest.len() < line.len() => out.push_str(inner),
                _ => out.push_str(line),
            }
            out.push('\n');
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_of_dropwizard_belongs_to_its_record() {
        let text = "WARN  [2026] a.B: c\n! d.E: f\n! at g.H(I.java:1)\nINFO j\n";
        assert_eq!(
            unmark(text).as_deref(),
            Some("WARN  [2026] a.B: c\n\u{1f}d.E: f\n\u{1f}\tat g.H(I.java:1)\nINFO j\n")
        );
        assert_eq!(unmark("! a\n"), None);
    }

    #[test]
    fn a_message_of_terraform_is_read_without_its_frame() {
        let want = "Error: a\n\n  with b\n";
        assert_eq!(unbox("╷\n│ Error: a\n│ \n│   with b\n").as_deref(), Some(&*format!("╷\n{want}")));
        assert_eq!(unbox("│ Error: a\n│\n│   with b\n").as_deref(), Some(want));
        assert_eq!(
            unbox("│ INFO up\n│ Error: a\n│ \tat b\n│ \n").as_deref(),
            Some("INFO up\nError: a\n\tat b\n\n")
        );
        assert_eq!(unbox("a │ b\n"), None);
    }

    #[test]
    fn members_of_a_group_stand_alone() {
        let text = "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: a (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"b\", line 1\n    | E: c\n    +------------------------------------\n";
        assert_eq!(
            unframe(text).as_deref(),
            Some(
                "  + Exception Group Traceback (most recent call last):\nExceptionGroup: a (1 sub-exception)\n\nTraceback (most recent call last):\n  File \"b\", line 1\nE: c\n\n"
            )
        );
        assert_eq!(unframe("| a | b |\n"), None);
    }
}
