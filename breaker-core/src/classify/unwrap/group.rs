//! Removes the frame that Python draws around the members of an exception group.

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
