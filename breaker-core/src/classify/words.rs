//! Last words as they come: cut to size, freed of colours and control characters, line by line.

/// Longest last words looked at, in bytes; longer ones lose their beginning.
pub(super) const LONGEST: usize = 4096;

/// The last [`LONGEST`] bytes of `text`, without ANSI sequences, in lines without their end.
///
/// A carriage return ends a line too, so that a progress bar does not hide what it overwrote.
pub(super) fn clean(text: &str) -> String {
    let mut start = text.len().saturating_sub(LONGEST);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let mut out = String::with_capacity(text.len() - start);
    let mut chars = text[start..].chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\n' | '\t' => out.push(c),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        // CSI: parameters until a final byte.
        Some('[') => {
            chars.next();
            while let Some(c) = chars.peek() {
                if *c == '\n' {
                    break;
                }
                let last = ('\u{40}'..='\u{7e}').contains(c);
                chars.next();
                if last {
                    break;
                }
            }
        }
        // OSC: until BEL or the end of the line.
        Some(']') => {
            while let Some(c) = chars.peek() {
                if *c == '\n' {
                    break;
                }
                if chars.next() == Some('\u{7}') {
                    break;
                }
            }
        }
        Some('(' | ')') => {
            chars.next();
            chars.next();
        }
        _ => {}
    }
}

/// One line as rules see it: lower case, single spaces, straight apostrophes, JSON escapes undone.
pub(super) fn fold(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let c = match (c, chars.peek()) {
            ('\\', Some('n' | 't' | 'r')) => {
                chars.next();
                ' '
            }
            ('\\', Some('"' | '\\' | '/' | '\'')) => chars.next().unwrap_or(' '),
            ('\u{2019}' | '\u{2018}' | '`', _) => '\'',
            (c, _) => c,
        };
        if c.is_whitespace() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_cleaned() {
        for (case, text, want) in [
            ("colours", "\u{1b}[31mERROR\u{1b}[0m x", "ERROR x"),
            ("window title", "\u{1b}]0;title\u{7}x", "x"),
            ("windows line ends", "a\r\nb", "a\nb"),
            ("progress bar", "10%\r20%", "10%\n20%"),
            ("control characters", "a\0b\u{8}c", "abc"),
        ] {
            assert_eq!(clean(text), want, "{case}");
        }
    }

    #[test]
    fn only_the_end_is_kept() {
        let text = format!("{}é{}", "x".repeat(10), "y".repeat(LONGEST - 1));
        assert_eq!(clean(&text), "y".repeat(LONGEST - 1));
    }

    #[test]
    fn folding_undoes_json() {
        assert_eq!(fold(r#"a\n\tB  \"C\""#), "a b \"c\"");
    }
}
