//! Texts that are not statements of the process: SQL that it repeats, its help text, and tracebacks
//! that Python reports while it discards an object.

use super::line::is_help;

/// The echo that the current line belongs to.
#[derive(Debug, Default)]
pub(super) struct Echo {
    open: Open,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Open {
    #[default]
    No,
    /// A statement in brackets, until the bracket closes.
    Brackets,
    /// `Exception ignored in: ..`, whose traceback follows.
    Ignored,
    /// The description of an option, indented more than the option.
    Help(usize),
    /// A list of possible reasons, as its items.
    Reasons,
    /// Inside that traceback, whose exception is the next line that is not indented.
    Traceback,
}

impl Echo {
    /// Whether `line` belongs to an echo.
    pub(super) fn contains(&mut self, line: &str) -> bool {
        let text = line.trim();
        let starts = |all: &[&str]| all.iter().any(|start| text.starts_with(start));
        if starts(&["Exception ignored in", "Exception ignored on"]) {
            self.open = Open::Ignored;
            return true;
        }
        match self.open {
            Open::Ignored if text.starts_with("Traceback (most recent") => {
                self.open = Open::Traceback;
                return true;
            }
            Open::Traceback => {
                if !line.starts_with([' ', '\t']) {
                    self.open = Open::No;
                }
                return true;
            }
            _ => {}
        }
        if self.open == Open::Brackets || starts(&["[SQL: ", "[parameters: ", "[generated in "]) {
            // A statement that is cut off ends with the paragraph.
            self.open = if text.ends_with(']') || text.is_empty() { Open::No } else { Open::Brackets };
            return true;
        }
        if self.open == Open::Reasons {
            let item = text.is_empty() || line.starts_with([' ', '\t']) || text.starts_with(['*', '-', '•']);
            if item {
                return true;
            }
            self.open = Open::No;
        }
        if introduces_reasons(text) {
            // The line itself may begin with what happened.
            self.open = Open::Reasons;
            return false;
        }
        let indentation = line.len() - line.trim_start().len();
        let help = is_help(line);
        let described = matches!(self.open, Open::Help(option) if indentation > option && !text.is_empty());
        if !described {
            self.open = if help { Open::Help(indentation) } else { Open::No };
        }
        help || described
    }
}

/// Whether a list of what may be the reason follows: it says what is possible, not what happened.
fn introduces_reasons(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "due to the following",
        "one of the following",
        "usually happens",
        "can happen",
        "possible cause",
        "possible reason",
        "common cause",
        "common reason",
    ];
    text.ends_with(':') && WORDS.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Vec<&str> {
        let mut echo = Echo::default();
        text.lines().filter(|line| !echo.contains(line)).collect()
    }

    #[test]
    fn an_ignored_exception_is_an_echo() {
        let ignored =
            "a\nException ignored in: <f>\nTraceback (most recent call last):\n  File \"b\", line 1\nE: c\nd";
        assert_eq!(kept(ignored), ["a", "d"]);
        assert_eq!(kept("a\nException ignored in: <f>\nb"), ["a", "b"]);
    }

    #[test]
    fn a_repeated_statement_is_an_echo() {
        let text = "a\n[SQL: SELECT 1\nFROM b]\n[parameters: {'c': 1}]\nd";
        assert_eq!(kept(text), ["a", "d"]);
        assert_eq!(kept("[SQL: SELECT 1\n\na"), ["a"]);
    }

    #[test]
    fn possible_reasons_are_an_echo() {
        let text = "Error: a. This can happen:\n\n  * The ledger does not exist\n\nb\n  * c";
        assert_eq!(kept(text), ["Error: a. This can happen:", "b", "  * c"]);
    }

    #[test]
    fn a_help_text_is_an_echo() {
        let text = "Error: a\n      --dial-timeout duration   b\n  -addr string\n        c: refused\n  -h, --help\napp:consume [--limit LIMIT]\n- c\n  - d";
        assert_eq!(kept(text), ["Error: a", "- c", "  - d"]);
    }
}
