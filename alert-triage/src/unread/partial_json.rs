//! The first value of JSON text that may be cut.

use serde_json::Value;

/// The first JSON value of a text. If the text ends inside it, the value has what was complete.
pub(crate) fn first_value(text: &str) -> Option<Value> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next()? {
        Ok(value) => Some(value),
        Err(error) if error.is_eof() => serde_json::from_str(&closed(text)?).ok(),
        Err(_) => None,
    }
}

/// The text up to its last complete element or member, with the brackets that are open closed.
fn closed(text: &str) -> Option<String> {
    let (mut open, mut in_string, mut escaped) = (Vec::new(), false, false);
    // The end of the last complete element, and the brackets that are open there.
    let mut cut: Option<(usize, usize)> = None;
    for (at, byte) in text.bytes().enumerate() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                open.push(if byte == b'{' { b'}' } else { b']' });
                cut = Some((at + 1, open.len()));
            }
            (false, b'}' | b']') => {
                open.pop();
                cut = Some((at + 1, open.len()));
            }
            (false, b',') => cut = Some((at, open.len())),
            _ => {}
        }
    }
    let (end, depth) = cut?;
    // Brackets that are open at the end and opened later than the cut do not exist: each moves it.
    let mut closed = text[..end].to_owned();
    closed.extend(open.get(..depth)?.iter().rev().map(|byte| char::from(*byte)));
    Some(closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_that_is_cut_has_what_was_complete() {
        for (text, want) in [
            (r#"{"a":1} {"b":2}"#, Some(json!({"a": 1}))),
            (r#"{"a":1,"b":[1,2"#, Some(json!({"a": 1, "b": [1]}))),
            (r#"{"a":[{"b":"x, y"},{"c":"#, Some(json!({"a": [{"b": "x, y"}, {}]}))),
            (r#"{"a":1,"b":"cut \" he"#, Some(json!({"a": 1}))),
            (r#"{"a""#, Some(json!({}))),
            ("[", Some(json!([]))),
            ("[nonsense", None),
            ("", None),
        ] {
            assert_eq!(first_value(text), want, "{text}");
        }
    }
}
