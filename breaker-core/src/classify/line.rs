//! What one line is for: a stack frame, a link of a chain, chatter, news that things went on.

/// A stack frame, or the source shown for one: names of functions and files, not words.
pub(super) fn is_frame(line: &str) -> bool {
    let text = line.trim_start();
    let indented = text.len() < line.len();
    let ruby = |t: &str| t.starts_with("from ") && t.contains(":in ");
    (text.starts_with("at ") && (indented || text.ends_with(')')))
        || (text.starts_with("File \"") && text.contains(", line "))
        || (indented && ruby(text))
        || (text.starts_with("... ") && (text.ends_with(" more") || text.contains("stack trace")))
        || text.starts_with("--- End of ")
        || (indented && text.contains(".go:") && (text.contains(" +0x") || text.contains("/")))
        || (!text.is_empty() && text.chars().all(|c| "^~ |".contains(c)))
        || (text.starts_with('#') && text[1..].starts_with(|c: char| c.is_ascii_digit()))
        || text.starts_with("goroutine ")
        || is_go_call(line)
}

/// `runtime.throw({0x4c5c40?, 0x800?})`, `created by main.main in goroutine 1`.
fn is_go_call(line: &str) -> bool {
    let Some((name, arguments)) = line.split_once('(') else { return line.starts_with("created by ") };
    line.ends_with(')')
        && name.contains('.')
        && !name.contains(' ')
        && (arguments.starts_with([')', '{', '*', '.']) || arguments.starts_with("0x"))
}

/// A line that joins the statement above it to its cause.
pub(super) fn is_link(line: &str) -> bool {
    let text = line.trim_start();
    [
        "Caused by",
        "caused by",
        "Cause:",
        "cause:",
        "[cause]:",
        "---> ",
        "Suppressed:",
        "Wrapped by",
        "Root cause",
        "[errors]:",
        "Emitted 'error' event",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
}

/// The two sentences Python puts between chained exceptions; true for the one that names a cause.
pub(super) fn python_link(line: &str) -> Option<bool> {
    match line.trim() {
        "The above exception was the direct cause of the following exception:" => Some(true),
        "During handling of the above exception, another exception occurred:" => Some(false),
        _ => None,
    }
}

/// Chatter after the statement: hints, help, goodbyes. It neither decides nor hides what stands before.
pub(super) fn is_chatter(folded: &str) -> bool {
    const STARTS: &[&str] = &[
        "note:",
        "hint:",
        "help:",
        "usage:",
        "see ",
        "try ",
        "for more",
        "(background on this error",
        "stack backtrace",
        "stack trace:",
        "node.js v",
        "exiting",
        "exit ",
        "bye",
        "goodbye",
        "shutdown",
        "shutting down",
        "stopping",
        "stopped",
        "aborting",
        "aborted",
        "terminated",
        "make: ***",
        "npm error a complete log",
        "npm err! a complete log",
        "npm error network",
        "a complete log",
        "in most cases",
        "if you are behind",
        "command terminated",
        "process exited",
        "done.",
        "info: shutting",
        "run `",
        "run '",
        "is the server running",
        "to display the",
        "caught signal",
        "cleanup",
        "cleaning up",
    ];
    const WITHIN: &[&str] = &[
        "shutting down",
        "shutdown",
        "exiting",
        "giving up",
        "stopping",
        "for more details",
        "cleaning up",
        "closing",
        "exit status",
        "exited with",
        "terminating",
        "goodbye",
        "rerun with",
        "going away",
        "aborting",
        "bailing out",
        "dumped core",
        "core dumped",
        "full thread dump",
        "to display the",
    ];
    let text = folded.trim();
    let shell_echo = text.contains(".sh: ") && text.contains(": '") && text.ends_with('\'');
    shell_echo
        || text.len() < 2
        || text.chars().all(|c| !c.is_alphanumeric())
        || STARTS.iter().any(|start| text.starts_with(start))
        || WITHIN.iter().any(|word| text.contains(word))
}

/// The line's last clause says only that something did not succeed: `ledger client could not start`, and not
/// `reconciliation failed: totals differ`, which names a reason of its own.
pub(super) fn is_effect(folded: &str) -> bool {
    let clause = folded.rsplit(": ").next().unwrap_or(folded);
    [
        "fail",
        "unable",
        "cannot",
        "can't",
        "could not",
        "couldn't",
        "unavailable",
        "unreachable",
        "not reachable",
        "giving up",
        "gave up",
        "lost",
        "did not answer",
        "no answer",
        "not responding",
        "not available",
        "retries",
        "exhausted",
        "attempts",
        "did not start",
        "not started",
    ]
    .iter()
    .any(|word| clause.contains(word))
}

/// Most of its letters are not Latin: a translated tool, whose wording the table may not know.
pub(super) fn is_foreign(folded: &str) -> bool {
    let foreign = folded.chars().filter(|c| c.is_alphabetic() && *c > '\u{24f}').count();
    foreign > 4 && 3 * foreign > folded.chars().filter(|c| c.is_ascii_alphabetic()).count()
}

/// The line says that things went on after it.
pub(super) fn is_recovery(folded: &str) -> bool {
    const WENT_ON: &[&str] = &[
        "retry",
        "reconnect",
        "recovered",
        "resumed",
        "succeeded",
        "success",
        "refreshed",
        " ok",
        "connected",
        "restored",
        "established",
        "healthy",
        "ready",
        "finished",
        "will try",
        "trying again",
        "backing off",
        "scheduling",
        "in background",
        "delivered",
        "accepted",
        "next attempt",
    ];
    const DID_NOT: &[&str] = &[
        "not ready",
        "retries exceeded",
        "retries exhausted",
        "disconnected",
        "unsuccess",
        "not connected",
        "unhealthy",
    ];
    is_survived(folded)
        || WENT_ON.iter().any(|word| folded.contains(word))
            && !DID_NOT.iter().any(|word| folded.contains(word))
}

/// The line says that its own trouble was got over.
pub(super) fn is_survived(folded: &str) -> bool {
    [
        "using cache",
        "using the cache",
        "cached",
        "using local",
        "using stale",
        "using default",
        "continuing",
        "fallback",
        "falling back",
        "ignor",
        "skipping",
        "buffering",
        "degraded",
        "best effort",
        "non-fatal",
        "delivery resumed",
        "recovered",
    ]
    .iter()
    .any(|word| folded.contains(word))
}

/// The line promises another try, so it is not the last word.
pub(super) fn will_retry(folded: &str) -> bool {
    [
        "retrying",
        "will retry",
        "reconnecting",
        "trying again",
        "will try",
        "next attempt",
        "scheduling re",
        "retry in",
    ]
    .iter()
    .any(|word| folded.contains(word))
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
            assert!(is_frame(line), "{line}");
        }
        assert!(!is_frame("Caused by: java.net.ConnectException: Connection refused"));
    }
}
