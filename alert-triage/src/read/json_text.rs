//! Positions in JSON text, and what the text at a position is.

/// The maximum depth of nesting.
pub(super) const MAX_DEPTH: usize = 64;

/// The offset at which serde_json stopped.
pub(super) fn offset(text: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return text.trim_end().len();
    }
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let begin = lines.map(str::len).sum::<usize>();
    let mut at = (begin + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The offset, from `at` on, of the next `{` or `[` that may begin a document or an element of an
/// array. The value of an object's field is neither: labels alone are not an alert.
pub(super) fn next_document(text: &str, at: usize) -> Option<usize> {
    let before = |at: usize| text[..at].trim_end_matches([' ', '\t', '\r']).as_bytes().last();
    memchr::memchr2_iter(b'{', b'[', &text.as_bytes()[at..])
        .map(|begin| at + begin)
        .filter(|begin| *begin > 0)
        .find(|begin| {
            let is_line = text[..*begin].ends_with('\n');
            is_line || text[*begin..].starts_with('{') && matches!(before(*begin), Some(b',' | b'['))
        })
}

pub(super) fn found(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// Whether the text nests deeper than [`MAX_DEPTH`], strings aside.
pub(super) fn is_too_deep(json: &str) -> bool {
    if memchr::memchr2_iter(b'{', b'[', json.as_bytes()).nth(MAX_DEPTH).is_none() {
        return false;
    }
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return true;
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The text after `"alerts": [`.
pub(super) fn alerts_of(json: &str) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.find("\"alerts\"") {
        rest = &rest[at + "\"alerts\"".len()..];
        if let Some(array) =
            rest.trim_start().strip_prefix(':').and_then(|rest| rest.trim_start().strip_prefix('['))
        {
            return Some(array);
        }
    }
    None
}
