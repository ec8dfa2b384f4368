//! What one line is for: a stack frame, a link of a chain, chatter, news that things went on.

use super::lexicon::Marks;
use super::table::Seen;

/// What a line is by its form alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Blank,
    /// A stack frame, or the source shown for one: names of functions and files, not words.
    Frame,
    /// Python's `File "/app/main.py", line 8, in <module>`, whose source line follows.
    PythonFrame,
    /// One of the two sentences that Python puts between chained exceptions.
    PythonLink {
        cause: bool,
    },
    /// Joins the statement above it to its cause.
    Link,
    Words,
}

pub(super) fn shape(line: &str) -> Shape {
    let text = line.trim();
    if text.is_empty() {
        Shape::Blank
    } else if let Some(cause) = python_link(text) {
        Shape::PythonLink { cause }
    } else if text.starts_with("File \"") && text.contains(", line ") {
        Shape::PythonFrame
    } else if is_frame(line) {
        Shape::Frame
    } else if is_link(text) {
        Shape::Link
    } else {
        Shape::Words
    }
}

fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let indented = text.len() < line.len();
    match text.as_bytes() {
        [b'a', b't', b' ', ..] if indented || text.ends_with(')') => return true,
        [b'f', b'r', b'o', b'm', b' ', ..] if indented && text.contains(":in ") => return true,
        // What failed while cleaning up explains nothing.
        [b'S', b'u', b'p', b'p', ..] if text.starts_with("Suppressed: ") => return true,
        [b'.', b'.', b'.', b' ', ..] if text.ends_with(" more") || text.contains("stack trace") => {
            return true;
        }
        [b'#', b'0'..=b'9', ..] => return true,
        [b'^' | b'~' | b'|', ..] if text.chars().all(|c| "^~ |".contains(c)) => return true,
        _ => {}
    }
    // Ruby's logger prints a backtrace without indenting it.
    let ruby = text.ends_with('\'') && text.contains(":in ") && is_ruby_place(text);
    ruby || text.starts_with("--- End of ")
        || text.starts_with("goroutine ")
        || (is_go_place(line) && (text.contains(" +0x") || text.contains('/')))
        || (indented && text.contains(".go:") && text.contains('/'))
        || is_go_call(line)
}

/// `main.main`, `example.com/app/store.(*Rates).Load`: a function, alone on its line.
pub(super) fn is_go_name(line: &str) -> bool {
    line.contains('.')
        && !line.starts_with(['.', ' ', '\t'])
        && !line.contains(|c: char| c.is_whitespace() || c == ':')
}

/// `\t/app/main.go:121`, perhaps with an offset: where that function is.
pub(super) fn is_go_place(line: &str) -> bool {
    line.starts_with('\t') && (line.contains(".go:") || line.contains(".s:"))
}

/// `runtime.throw({0x4c5c40?, 0x800?})`, `created by main.main in goroutine 1`.
fn is_go_call(line: &str) -> bool {
    let Some((name, arguments)) = line.split_once('(') else { return line.starts_with("created by ") };
    line.ends_with(')')
        && name.contains('.')
        && !name.contains(' ')
        && (arguments.starts_with([')', '{', '*', '.']) || arguments.starts_with("0x"))
}

fn is_link(text: &str) -> bool {
    [
        "Caused by",
        "caused by",
        "Cause:",
        "cause:",
        "[cause]:",
        "---> ",
        "Wrapped by",
        "Root cause",
        "[errors]:",
        "Emitted 'error' event",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
}

/// True for the one that names a cause.
fn python_link(text: &str) -> Option<bool> {
    match text {
        "The above exception was the direct cause of the following exception:" => Some(true),
        "During handling of the above exception, another exception occurred:" => Some(false),
        _ => None,
    }
}

/// Chatter after the statement: hints, help, goodbyes. It neither decides nor hides what stands
/// before.
pub(super) fn is_chatter(folded: &str, seen: &Seen) -> bool {
    if seen.marks.has(Marks::CHATTER) || seen.marks.has(Marks::CHATTER_FIRST) {
        return true;
    }
    let text = folded.trim();
    let shell_echo = text.ends_with('\'') && text.contains(".sh: ") && text.contains(": '");
    shell_echo || text.len() < 2 || text.chars().all(|c| !c.is_alphanumeric())
}

/// The line's last clause says only that something did not succeed:
/// `ledger client could not start`, and not `reconciliation failed: totals differ`, which names a
/// reason of its own.
pub(super) fn is_effect(folded: &str, seen: &Seen) -> bool {
    seen.effect.is_some_and(|at| folded.rfind(": ").is_none_or(|colon| usize::from(at) >= colon + 2))
}

/// What Ruby prints of an exception that nobody rescued: ``app.rb:9:in `call': text (Class)``.
pub(super) fn is_ruby_uncaught(line: &str) -> bool {
    is_ruby_place(line) && line.contains("': ")
}

/// ``app.rb:9:in `call'``, with or without more.
fn is_ruby_place(line: &str) -> bool {
    let Some((place, rest)) = line.split_once(":in ") else { return false };
    let numbered = place.rsplit(':').next().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    numbered && rest.starts_with(['`', '\''])
}

/// Most of its letters are not Latin: a translated tool, whose wording the table may not know.
pub(super) fn is_foreign(folded: &str) -> bool {
    let foreign = folded.chars().filter(|c| c.is_alphabetic() && *c > '\u{24f}').count();
    foreign > 4 && 3 * foreign > folded.chars().filter(|c| c.is_ascii_alphabetic()).count()
}

/// The line says that things went on after it.
pub(super) fn is_recovery(marks: Marks) -> bool {
    marks.has(Marks::SURVIVED) || (marks.has(Marks::WENT_ON) && !marks.has(Marks::DID_NOT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_not_words() {
        for line in [
            "\tat java.base/java.net.Socket.connect(Socket.java:633)",
            "   at System.Net.Sockets.Socket.Connect(EndPoint remoteEP)",
            "  File \"/app/main.py\", line 8, in <module>",
            "\t... 15 more",
            "\tfrom /app/app.rb:3:in `<main>'",
            "\truntime/panic.go:1229 +0x48 fp=0x39",
            "        ^^^^^^^^^^",
        ] {
            assert!(matches!(shape(line), Shape::Frame | Shape::PythonFrame), "{line}");
        }
        assert_eq!(shape("Caused by: java.net.ConnectException: Connection refused"), Shape::Link);
    }
}
