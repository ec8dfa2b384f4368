//! Levels of lines: level names of loggers, prefixes of tools, signs of a crash.

use super::words::{WordClass, WordClasses};

/// The severity that a line claims, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Debug, trace, info, notice.
    Info,
    /// A warning.
    Warn,
    /// The line claims no level.
    Plain,
    /// An error, or an exception with its stack.
    Error,
    /// The process's own end: a panic, an uncaught exception, level fatal.
    Fatal,
}

/// The level that `line` (and `folded`, the same folded) claims, looking only at its beginning.
pub(super) fn level(line: &str, folded: &str, classes: WordClasses) -> Level {
    let claimed = || bracket_level(line).or_else(|| named_level(line)).or_else(|| klog_level(line));
    if classes.has(WordClass::Fatal) || folded.starts_with("panic: ") {
        // A thread whose uncaught exception is logged as a warning ended alone.
        return claimed().filter(|level| *level == Level::Warn).unwrap_or(Level::Fatal);
    }
    claimed().unwrap_or_else(|| {
        let tool = folded.split(' ').next().unwrap_or_default();
        match tool {
            "error:" | "error" | "err:" | "failed:" | "fail:" | "erreur" | "fehler:" | "ошибка:" => {
                Level::Error
            }
            "fatal:" | "crit:" => Level::Fatal,
            "curl:" if folded.starts_with("curl: (") => Level::Error,
            // A call that failed, in PHP's words.
            _ if folded.starts_with("php warning: ")
                || folded.starts_with("warning: ") && folded.contains("): ") =>
            {
                Level::Error
            }
            "warning:" | "warn:" => Level::Warn,
            "info:" | "dbug:" | "trce:" | "debug:" => Level::Info,
            _ if classes.has(WordClass::ToolError) => Level::Error,
            _ => Level::Plain,
        }
    })
}

/// A level as loggers write it: in capitals near the start, or after a `level`, `severity` or `lvl`
/// key, or between tabs.
fn named_level(line: &str) -> Option<Level> {
    let bytes = &line.as_bytes()[..line.len().min(400)];
    let json = bytes.starts_with(b"{");
    let mut after_key = false;
    let mut from = 0;
    let mut tokens = 0;
    for token in bytes.split(|b| !b.is_ascii_alphanumeric()) {
        let to = from + token.len();
        let between_tabs = from > 0 && bytes[from - 1] == b'\t' && bytes.get(to) == Some(&b'\t');
        from = to + 1;
        if token.is_empty() {
            continue;
        }
        tokens += 1;
        let level = match token {
            _ if after_key || (between_tabs && tokens <= 16) => level_name(&token.to_ascii_uppercase()),
            // Numbers are levels behind their key only.
            [b'A'..=b'Z', _, _, ..] if tokens <= 16 => level_name(token),
            _ => None,
        };
        if level.is_some() {
            return level;
        }
        after_key = matches!(token, b"level" | b"severity" | b"lvl" | b"loglevel" | b"Level" | b"l");
        if !after_key && !json && tokens > 24 {
            break;
        }
    }
    None
}

fn level_name(token: &[u8]) -> Option<Level> {
    Some(match token {
        b"FATAL" | b"PANIC" | b"CRITICAL" | b"CRIT" | b"EMERG" | b"EMERGENCY" | b"FTL" | b"DPANIC"
        | b"60" => Level::Fatal,
        b"ERROR" | b"ERR" | b"SEVERE" | b"ALERT" | b"50" | b"EROR" => Level::Error,
        b"WARN" | b"WARNING" | b"WRN" | b"40" => Level::Warn,
        // PostgreSQL's lines below an error.
        b"HINT" | b"DETAIL" | b"STATEMENT" | b"CONTEXT" => Level::Info,
        b"INFO" | b"INF" | b"DEBUG" | b"DBG" | b"TRACE" | b"NOTICE" | b"NOTE" | b"LOG" | b"30" | b"20"
        | b"10" => Level::Info,
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

#[cfg(test)]
mod tests {
    use super::super::Classifier;
    use super::*;

    fn level(line: &str) -> Level {
        let read = Classifier::default().table.read(line);
        super::level(line, read.text.folded(0), read.seen[0].classes)
    }

    #[test]
    fn the_level_of_a_line_is_read() {
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
            ("2026-11-23 WARN [events-1] a.B: Unhandled exception in the sender", Level::Warn),
            ("2026-11-23 ERROR [main] a.B: Unhandled exception in the sender", Level::Fatal),
            ("panic: runtime error: index out of range", Level::Fatal),
            ("Error: builder error", Level::Error),
            ("fatal: unable to access 'https://x/'", Level::Fatal),
            ("curl: (7) Failed to connect to x port 80", Level::Error),
            ("psql: error: connection to server", Level::Error),
        ] {
            assert_eq!(level(line), want, "{line}");
        }
    }
}
