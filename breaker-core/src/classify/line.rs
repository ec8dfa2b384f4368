//! What one line is for: a stack frame, a link of a chain, a log record, chatter.

/// How grave a line says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Debug, trace, info, notice.
    Info,
    /// A warning.
    Warn,
    /// It does not say.
    Plain,
    /// An error, or an exception with its stack.
    Error,
    /// The process's own end: a panic, an uncaught exception, level fatal.
    Fatal,
}

const FATAL: &[&str] = &[
    "exception in thread",
    "unhandled exception",
    "unhandled rejection",
    "unhandledpromiserejection",
    "uncaught exception",
    "uncaught error",
    "unhandled 'error' event",
    "uncaughtexception",
    "triggeruncaughtexception",
    "panicked at",
    "fatal error",
    "terminate called",
    "traceback (most recent call last)",
    "segmentation fault",
    "fatal exception",
];

/// The level that `line` (and `folded`, the same folded) claims, looking only at its beginning.
pub(super) fn level(line: &str, folded: &str) -> Level {
    if FATAL.iter().any(|mark| folded.contains(mark)) || folded.starts_with("panic: ") {
        return Level::Fatal;
    }
    bracket_level(line).or_else(|| named_level(line)).or_else(|| klog_level(line)).unwrap_or_else(|| {
        let tool = folded.split(' ').next().unwrap_or_default();
        match tool {
            "error:" | "error" | "err:" | "failed:" | "erreur" | "fehler:" | "ошибка:" => Level::Error,
            "fatal:" | "crit:" => Level::Fatal,
            "fail:" => Level::Error,
            "warning:" | "warn:" => Level::Warn,
            "info:" | "dbug:" | "trce:" | "debug:" => Level::Info,
            _ if folded.contains(" error: ") || folded.contains(" fatal: ") => Level::Error,
            _ => Level::Plain,
        }
    })
}

/// A level as loggers write it: in capitals near the start, or after a `level`, `severity` or `lvl` key,
/// or between tabs.
fn named_level(line: &str) -> Option<Level> {
    let mut end = line.len().min(400);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let tabs = line.contains('\t');
    let mut after_key = false;
    let mut tokens = 0;
    for token in line[..end].split(|c: char| !c.is_ascii_alphanumeric()).filter(|t| !t.is_empty()) {
        tokens += 1;
        if after_key {
            if let Some(level) = level_name(&token.to_ascii_uppercase()) {
                return Some(level);
            }
        } else if tokens <= 16 {
            let lower_between_tabs = tabs && line.contains(&format!("\t{token}\t"));
            let word = if lower_between_tabs { token.to_ascii_uppercase() } else { token.to_owned() };
            let known = if word.len() > 2 { level_name(&word) } else { None };
            if known.is_some() {
                return known;
            }
        }
        let key = ["level", "severity", "lvl", "loglevel", "Level", "l"].contains(&token);
        after_key = key;
        if !key && !line.starts_with('{') && tokens > 24 {
            break;
        }
    }
    None
}

fn level_name(token: &str) -> Option<Level> {
    Some(match token {
        "FATAL" | "PANIC" | "CRITICAL" | "CRIT" | "EMERG" | "EMERGENCY" | "FTL" | "DPANIC" | "60" => {
            Level::Fatal
        }
        "ERROR" | "ERR" | "SEVERE" | "ALERT" | "50" | "EROR" => Level::Error,
        "WARN" | "WARNING" | "WRN" | "40" => Level::Warn,
        "INFO" | "INF" | "DEBUG" | "DBG" | "TRACE" | "NOTICE" | "NOTE" | "LOG" | "30" | "20" | "10" => {
            Level::Info
        }
        _ => return None,
    })
}

/// One letter or sign in brackets: `[!] Configuration failed`, `[E 2026-11-23 07:44:19] text`.
fn bracket_level(line: &str) -> Option<Level> {
    let mut chars = line.strip_prefix('[')?.chars();
    let sign = chars.next()?;
    if !matches!(chars.next(), Some(']' | ' ')) {
        return None;
    }
    match sign {
        'F' | 'C' => Some(Level::Fatal),
        '!' | 'E' => Some(Level::Error),
        'W' => Some(Level::Warn),
        '.' | ' ' | 'I' | 'D' | '*' => Some(Level::Info),
        _ => None,
    }
}

/// klog: `E1123 07:44:19.123456       1 file.go:10] text`.
fn klog_level(line: &str) -> Option<Level> {
    let bytes = line.as_bytes();
    let stamped = bytes.len() > 6 && bytes[1..5].iter().all(u8::is_ascii_digit) && bytes[5] == b' ';
    match bytes.first() {
        Some(b'F') if stamped => Some(Level::Fatal),
        Some(b'E') if stamped => Some(Level::Error),
        Some(b'W') if stamped => Some(Level::Warn),
        Some(b'I') if stamped => Some(Level::Info),
        _ => None,
    }
}

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
    use super::super::words::fold;
    use super::*;

    #[test]
    fn loggers_say_how_grave_a_line_is() {
        for (line, want) in [
            ("2026-11-23 07:30:03.023  WARN 1 --- [main] o.a.Z : text", Level::Warn),
            ("time=\"2020\" level=fatal msg=\"no configuration\"", Level::Fatal),
            ("{\"level\":\"error\",\"msg\":\"x\"}", Level::Error),
            ("{\"level\":50,\"time\":1795418336666}", Level::Error),
            ("{\"ts\":\"2026\",\"severity\":\"INFO\",\"message\":\"x\"}", Level::Info),
            ("[10:03:51] [FTL] [1] Main: text", Level::Fatal),
            ("E0227 10:34:00.000666       1 reflector.go:123] Failed to list", Level::Error),
            ("2023-10-17T23:27:05.891Z\tinfo\tservice@v0.87.0/service.go:178\ttext", Level::Info),
            ("W1123 07:44:19.000001 1 conn.go:44] retrying", Level::Warn),
            ("panic: runtime error: index out of range", Level::Fatal),
            ("Error: builder error", Level::Error),
            ("fatal: unable to access 'https://x/'", Level::Fatal),
            ("curl: (7) Failed to connect to x port 80", Level::Plain),
            ("psql: error: connection to server", Level::Error),
        ] {
            assert_eq!(level(line, &fold(line)), want, "{line}");
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
        ] {
            assert!(is_frame(line), "{line}");
        }
        assert!(!is_frame("Caused by: java.net.ConnectException: Connection refused"));
    }
}
