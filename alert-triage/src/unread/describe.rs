//! One sentence on what an input looks like.

use super::appearance::Appearance;
use super::{binary, json, text};

/// Describes an input by its first bytes.
pub(crate) fn describe(head: &[u8]) -> Appearance {
    if let Some(binary) = binary::describe(head) {
        return binary;
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let whole = String::from_utf8_lossy(head);
    let begin = whole.trim_start();
    match begin.as_bytes() {
        [b'{' | b'[', ..] => json::describe(begin),
        _ => text::describe(begin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_described_by_its_start() {
        for (input, kind, part) in [
            (b"\x1f\x8b\x08\0".as_slice(), "compressed", "gzip"),
            (b"PK\x03\x04abc", "archive", "a zip archive"),
            (b"\x7fELF\0\0", "binary", "NUL"),
            (b"\xff\xfe[\0", "utf-16", "UTF-16"),
            (
                b"<html><head><title>503 Service\n Unavailable</title>",
                "html",
                "the title `503 Service Unavailable`",
            ),
            (b"<!DOCTYPE html>\n<p>", "html", "an HTML page"),
            (b"<?xml version=\"1.0\"?>", "xml", "XML"),
            (b"curl: (7) Failed to connect to am port 9093", "program-error", "curl: (7) Failed"),
            (b"bash: amtool: command not found\n", "program-error", "amtool: command not found"),
            (b"Error from server (Forbidden): events is", "program-error", "Forbidden"),
            (b"Traceback (most recent call last):\n", "program-error", "Traceback"),
            (b"apiVersion: v1\nkind: Pod\n", "yaml", "-o json"),
            (b"groups:\n- name: x\n  rules:\n", "yaml", "YAML"),
            (b"# HELP up x\n# TYPE up gauge\nup 1\n", "metrics", "metrics"),
            (b"when,what,who\n1,2,3\n", "table", "`when`, `what`, `who`"),
            (b"| a | b |\n|---|---|\n", "table", "`a`, `b`"),
            (b"some words\nand more\n", "text", "`some words`"),
            (
                b"{\"status\":\"error\",\"errorType\":\"timeout\",\"error\":\"too slow\"}",
                "error-answer",
                "`too slow`",
            ),
            (b"{\"code\":401,\"message\":\"unauthorized\"}", "error-answer", "`unauthorized`"),
            (b"{\"a\":1,\"b\":{}}", "json", "a, b"),
            (b"[{\"a\":1}, {\"a\"", "json", "fields a"),
            (b"[1, 2]", "json", "JSON"),
            (b"{\"a\": nonsense", "json-damaged", "column 8"),
        ] {
            let found = describe(input);
            let shown = String::from_utf8_lossy(input);
            assert_eq!(found.kind, kind, "{shown}: {}", found.sentence);
            assert!(found.sentence.contains(part), "{shown}: {}", found.sentence);
        }
    }
}
