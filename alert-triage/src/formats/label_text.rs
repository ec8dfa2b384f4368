//! Labels in a text.

use std::borrow::Cow;

type TextPair<'t> = (Cow<'t, str>, Cow<'t, str>);

/// The pairs of a text: `a:x, b=y`, or the notation of Prometheus, `{a="x", b="y"}`, also with only
/// blanks between the pairs.
pub(super) fn pairs(text: &str) -> Vec<TextPair<'_>> {
    if text.contains("=\"") { quoted(text) } else { text.split(',').filter_map(pair).collect() }
}

/// One pair such as `key:value`.
pub(super) fn pair(text: &str) -> Option<TextPair<'_>> {
    let (name, value) = text.split_once([':', '='])?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && !value.is_empty()).then_some((Cow::Borrowed(name), Cow::Borrowed(value)))
}

/// Reads up to the first text that is not a pair.
fn quoted(text: &str) -> Vec<TextPair<'_>> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, ',' | '{' | '}');
    let mut pairs = Vec::new();
    let mut rest = text.trim_start_matches(is_between);
    while let Some((name, value)) = rest.split_once('=') {
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => match end_of_quoted(quoted) {
                Some(end) => (unescaped(&quoted[..end]), &quoted[end + 1..]),
                None => break,
            },
            None => {
                let end = value.find(is_between).unwrap_or(value.len());
                (Cow::Borrowed(&value[..end]), &value[end..])
            }
        };
        if name.is_empty() || name.contains(char::is_whitespace) {
            break;
        }
        if !value.is_empty() {
            pairs.push((Cow::Borrowed(name), value));
        }
        rest = behind.trim_start_matches(is_between);
    }
    pairs
}

/// The position of the quotation mark that ends a text.
pub(super) fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn unescaped(text: &str) -> Cow<'_, str> {
    match text.contains('\\') {
        true => Cow::Owned(text.replace("\\\"", "\"").replace("\\\\", "\\")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_in_both_notations() {
        for (text, want) in [
            ("tank:t1,zone=K1", vec![("tank", "t1"), ("zone", "K1")]),
            ("plain, a:1", vec![("a", "1")]),
            (r#"{a="x, y", b="z"}"#, vec![("a", "x, y"), ("b", "z")]),
            (r#"a="x y"  b="say \"no\"" c="""#, vec![("a", "x y"), ("b", "say \"no\"")]),
            (r#"a="x" and b="y""#, vec![("a", "x")]),
            (r#"a="open"#, vec![]),
        ] {
            let found = pairs(text);
            let found: Vec<_> = found.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
            assert_eq!(found, want, "{text}");
        }
    }
}
