//! Classification of single lines: stack frame, link of a chain, chatter, report of a recovery.

use super::table::Seen;
use super::words::{WordClass, WordClasses};

/// The form of a line, regardless of its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Blank,
    /// A stack frame or its source line: names of functions and files, not a message.
    Frame,
    /// Python's `File "/app/main.py", line 8, in <module>`, whose source line follows.
    PythonFrame,
    /// One of the two sentences that Python puts between chained exceptions.
    PythonLink {
        cause: bool,
    },
    /// Links the statement above it to its cause.
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
    // The answer of an AWS service, below the message that says more.
    if indented && text.starts_with("status code: ") && text.contains("request id") {
        return true;
    }
    match text.as_bytes() {
        [b'a', b't', b' ', ..] if indented || is_call(text) => return true,
        [b'f', b'r', b'o', b'm', b' ', ..] if indented && text.contains(":in ") => return true,
        // A failure during cleanup explains nothing.
        [b'S', b'u', b'p', b'p', ..] if text.starts_with("Suppressed: ") => return true,
        [b'.', b'.', b'.', b' ', ..] if text.ends_with(" more") || text.contains("stack trace") => {
            return true;
        }
        [b'#', b'0'..=b'9', ..] => return true,
        // Node's native stack: ` 1: 0xa03530 node::Abort() [node]`.
        [b'0'..=b'9', ..] if text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(": 0x") => {
            return true;
        }
        [b'^' | b'~' | b'|', ..] if text.chars().all(|c| "^~ |".contains(c)) => return true,
        _ => {}
    }
    if indented && is_runtime_frame(text) || is_php_call(text) {
        return true;
    }
    // Ruby's logger prints a backtrace without indenting it.
    let ruby = text.ends_with('\'') && text.contains(":in ") && is_ruby_place(text);
    ruby || text.starts_with("--- End of ")
        || text.starts_with("goroutine ")
        || (is_go_place(line) && (text.contains(" +0x") || text.contains('/')))
        || is_go_call(line)
}

/// `at a.b.C.d(C.java:7)`, perhaps with the archive of the class behind it.
fn is_call(text: &str) -> bool {
    // A log without line feeds continues with the statement.
    if text.contains("Unhandled exception") || text.contains(" ---> ") {
        return false;
    }
    // `at net.js:963:9`
    let is_number =
        |part: Option<&str>| part.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let mut ends = text.rsplit(':');
    let is_place = is_number(ends.next()) && is_number(ends.next()) && text.matches(' ').count() == 1;
    is_place
        || text.ends_with(')')
        || text.ends_with(") {")
        || [".java:", ".kt:", ".scala:", "Native Method"].iter().any(|part| text.contains(part))
}

/// A frame of Elixir, Lua or PHP: `(stdlib 4.3) gen_server.erl:851: f/2`, `a.lua:7: in function
/// 'b'`,
/// `C->read() at /app/a.php:12`.
fn is_runtime_frame(text: &str) -> bool {
    let elixir = || text.starts_with('(') && [".ex:", ".exs:", ".erl:"].iter().any(|end| text.contains(end));
    let lua = || {
        text.contains(": in function ") || text.ends_with(": in main chunk") || text.starts_with("[C]: in ")
    };
    let php = || text.contains(" at /") && text.contains(".php:");
    elixir() || lua() || php()
}

/// `/app/lib/cURL.php(177): Client->send('', Array)`: a frame of PHP that lost its number.
fn is_php_call(text: &str) -> bool {
    let Some((place, call)) = text.split_once("): ") else { return false };
    let Some((file, line)) = place.rsplit_once('(') else { return false };
    file.ends_with(".php")
        && !file.contains(' ')
        && line.bytes().all(|b| b.is_ascii_digit())
        && call.ends_with(')')
}

/// Whether the line belongs to a help text: `  --dial-timeout duration   ...`,
/// `app:consume [--limit LIMIT]`.
pub(super) fn is_help(line: &str) -> bool {
    let text = line.trim_start();
    let indented = text.len() < line.len();
    let name = text.trim_start_matches('-');
    let option = indented
        && (1..=2).contains(&(text.len() - name.len()))
        && name.starts_with(|c: char| c.is_ascii_alphabetic());
    option || text.starts_with("[-") || (text.contains(" [--") && !text.contains(": "))
}

/// `main.main`, `example.com/app/store.(*Rates).Load`: a function, alone on its line.
pub(super) fn is_go_name(line: &str) -> bool {
    line.contains('.')
        && !line.starts_with(['.', ' ', '\t'])
        && !line.contains(|c: char| c.is_whitespace() || c == ':')
}

/// `\t/app/main.go:121`, perhaps with an offset: where that function is.
pub(super) fn is_go_place(line: &str) -> bool {
    let place = line.trim_start().split(' ').next().unwrap_or_default();
    line.starts_with(['\t', ' ']) && (place.contains(".go:") || place.contains(".s:"))
}

/// `runtime.throw({0x4c5c40?, 0x800?})`, `created by main.main in goroutine 1`.
fn is_go_call(line: &str) -> bool {
    let Some((name, arguments)) = line.split_once('(') else { return line.starts_with("created by ") };
    line.ends_with(')')
        && (name.contains('.') || name == "panic")
        && !name.contains(' ')
        && (arguments.starts_with([')', '{', '*', '.']) || arguments.starts_with("0x"))
}

fn is_link(text: &str) -> bool {
    [
        "Caused by",
        "caused by",
        "info: caused by",
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
    .any(|flag| text.starts_with(flag))
}

/// Whether the link sentence introduces a cause; `None` if `text` is not a link sentence.
fn python_link(text: &str) -> Option<bool> {
    match text {
        "The above exception was the direct cause of the following exception:" => Some(true),
        "During handling of the above exception, another exception occurred:" => Some(false),
        _ => None,
    }
}

/// Whether the line is chatter after the statement: hints, help, exit messages. It does not decide,
/// and earlier lines still can.
pub(super) fn is_chatter(folded: &str, seen: &Seen) -> bool {
    if seen.classes.has(WordClass::Chatter) || seen.classes.has(WordClass::ChatterFirst) {
        return true;
    }
    let text = folded.trim();
    let shell_echo = text.ends_with('\'') && text.contains(".sh: ") && text.contains(": '");
    // The shell on a signal that ended what it ran: `run.sh: line 12:     9 Aborted   "$@"`.
    let shell_report = text.contains(": line ") && text.contains(" aborted ");
    // A row of the table that Maven ends with.
    let summary = ["... success", "... failure", "... skipped"].iter().any(|end| text.contains(end));
    let error_number =
        text.strip_prefix("error code: ").is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    let level_only = matches!(text.trim_matches(['[', ']', ':']), "error" | "warn" | "warning" | "info");
    shell_echo
        || is_measurement(text)
        || shell_report
        || summary
        || level_only
        || error_number
        || text.len() < 2
        || text.chars().all(|c| !c.is_alphanumeric())
}

/// Whether the line is a row of a table of measurements: `Total time: 5 seconds`, `real 0m4.3s`,
/// `ok ledger/money 0.014s`.
fn is_measurement(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(4).collect();
    let value = match (text.rsplit_once(':'), &words[..]) {
        (_, [_, value] | ["ok" | "fail" | "pass" | "skip", _, value]) => value,
        (Some((_, value)), _) => value.trim(),
        (None, _) => return false,
    };
    let Some(last) = value.rfind(|c: char| c.is_ascii_digit()) else { return false };
    let (number, unit) = value.split_at(last + 1);
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'm'))
        && UNITS.contains(&unit.trim().trim_end_matches('.'))
}

/// The units of [measurements](is_measurement).
const UNITS: [&str; 10] = ["s", "ms", "sec", "secs", "seconds", "min", "minutes", "kb", "mb", "gb"];

/// Whether the last clause of the line reports only a failure without a reason.
///
/// `ledger client could not start` does, and so does `open() failed: 7`;
/// `reconciliation failed: totals differ` names a reason.
pub(super) fn is_effect(folded: &str, seen: &Seen) -> bool {
    let Some(at) = seen.effect else { return false };
    let is_last = |colon: usize| {
        let said = folded[colon + 2..].trim();
        // Neither the number of an error nor the name of what failed is a reason.
        let quoted = said.len() > 1 && said.starts_with('\'') && said.ends_with('\'');
        usize::from(at) >= colon + 2
            || quoted
            || said.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
    };
    folded.rfind(": ").is_none_or(is_last)
}

/// Whether Ruby prints an uncaught exception here: ``app.rb:9:in `call': text (Class)``.
pub(super) fn is_ruby_uncaught(line: &str) -> bool {
    is_ruby_place(line) && line.contains("': ")
}

/// Whether the line begins with a Ruby location: ``app.rb:9:in `call'``.
fn is_ruby_place(line: &str) -> bool {
    let Some((place, rest)) = line.split_once(":in ") else { return false };
    let numbered = place.rsplit(':').next().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    numbered && rest.starts_with(['`', '\''])
}

/// Whether more than a quarter of the letters are not Latin: the tool is translated, and the table
/// may not know its wording.
pub(super) fn is_foreign(folded: &str) -> bool {
    let foreign = folded.chars().filter(|c| c.is_alphabetic() && *c > '\u{24f}').count();
    foreign > 4 && 3 * foreign > folded.chars().filter(|c| c.is_ascii_alphabetic()).count()
}

/// Whether the line reports that the process continued after it.
pub(super) fn is_recovery(classes: WordClasses) -> bool {
    let went_on = classes.has(WordClass::WentOn) || classes.has(WordClass::Attempt);
    classes.has(WordClass::Survived) || went_on && !classes.has(WordClass::DidNot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measurements_are_rows_with_a_unit() {
        for line in [
            "real 0m4.301s",
            "total time: 5 seconds",
            "cpu time : 3.20 sec.",
            "max memory : 81 mb",
            "ok ledger/money 0.014s",
        ] {
            assert!(is_measurement(line), "{line}");
        }
        for line in ["error: 3 failed", "exit code: 1", "ledger: 0 rows", "started a in 3s", "x: s"] {
            assert!(!is_measurement(line), "{line}");
        }
    }

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
            "/app/lib/cURL.php(177): Client->send('', Array)",
            "\t/app/main.go:121 +0x1d",
            "panic(0x8574a0, 0xc820312390)",
            "panic({0x4c5c40?, 0xc000012345?})",
        ] {
            assert!(matches!(shape(line), Shape::Frame | Shape::PythonFrame), "{line}");
        }
        for line in [
            "at A.B(C d) Unhandled exception. System.E: f (g)",
            "PHP Fatal error: x in /app/a.php:7 Stack trace: #0 /app/a.php(7): a('', Array)",
            "    ERROR run \"dial tcp 10.0.0.7:80: i/o timeout\", \"at\": \"/app/main.go:7",
        ] {
            assert_eq!(shape(line), Shape::Words, "{line}");
        }
        assert_eq!(shape("Caused by: java.net.ConnectException: Connection refused"), Shape::Link);
    }
}
