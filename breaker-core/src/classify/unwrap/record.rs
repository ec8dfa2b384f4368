//! Splits JSON records that contain several lines.

/// Begins a line that continues the record above it. Cleaning removes it from the input.
pub(in crate::classify) const JOINED: char = '\u{1f}';

/// `text` with every JSON record that contains line feeds split into lines; `None` without any.
pub(super) fn split(text: &str) -> Option<String> {
    text.lines().any(is_stacked).then(|| split_all(text))
}

/// A JSON record, perhaps with its beginning cut off, that contains line feeds.
fn is_stacked(line: &str) -> bool {
    line.ends_with('}') && line.contains("\\n") && line.contains("\":")
}

fn split_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    for line in text.lines() {
        match is_stacked(line) {
            true => split_into(line, &mut out),
            false => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

fn split_into(line: &str, out: &mut String) {
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(escaped @ ('n' | 't' | 'r' | '"' | '\\' | '/'))) => {
                chars.next();
                match escaped {
                    'n' => out.extend(['\n', JOINED]),
                    't' => out.push('\t'),
                    'r' => {}
                    c => out.push(c),
                }
            }
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_in_a_record_becomes_lines() {
        assert_eq!(
            split(r#"{"level":"error","stack":"A: b\n\tat c(\"d\")\nCaused by: e"}"#).as_deref(),
            Some("{\"level\":\"error\",\"stack\":\"A: b\n\u{1f}\tat c(\"d\")\n\u{1f}Caused by: e\"}\n")
        );
        assert_eq!(split("{\"level\":\"error\"}"), None);
    }
}
