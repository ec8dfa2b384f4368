//! Times at the beginning of a line.

/// The length of an RFC 3339 time at the beginning of `text`; `None` if there is none.
pub(super) fn rfc3339(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let at = |index: usize, pattern: &[u8]| {
        bytes.get(index..index + pattern.len()).is_some_and(|found| {
            found.iter().zip(pattern).all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { b == p })
        })
    };
    if !at(0, b"0000-00-00T00:00:00") {
        return None;
    }
    let mut end = 19;
    if matches!(bytes.get(end), Some(b'.' | b',')) {
        end += 1 + bytes[end + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    }
    if bytes.get(end) == Some(&b'Z') {
        return Some(end + 1);
    }
    let signed = matches!(bytes.get(end), Some(b'+' | b'-'));
    if signed && at(end + 1, b"00:00") {
        return Some(end + 6);
    }
    (signed && at(end + 1, b"0000")).then_some(end + 5)
}

/// The length of a syslog time, `Jun  3 11:20:44`, at the beginning of `text`.
pub(super) fn syslog(text: &str) -> Option<usize> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let stamp = text.get(..15)?;
    let month = MONTHS.as_bytes().chunks(3).any(|month| month == &stamp.as_bytes()[..3]);
    let rest = stamp.as_bytes()[3..].iter().zip(b" 00 00:00:00");
    let shaped = |(b, p): (&u8, &u8)| if *p == b'0' { b.is_ascii_digit() || *b == b' ' } else { b == p };
    (month && rest.into_iter().all(shaped)).then_some(15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found() {
        for (text, want) in [
            ("2026-06-03T11:20:44Z x", Some(20)),
            ("2026-06-03T11:20:44.123456789Z x", Some(30)),
            ("2026-06-03T11:20:44.5+02:00 x", Some(27)),
            ("2026-06-03T11:20:44+0000 x", Some(24)),
            ("2026-06-03 11:20:44Z x", None),
            ("2026-06-03T11:20:44", None),
            ("é", None),
        ] {
            assert_eq!(rfc3339(text), want, "{text}");
        }
        assert_eq!(syslog("Jun  3 11:20:44 host"), Some(15));
        assert_eq!(syslog("Jun 13 11:20:44 host"), Some(15));
        assert_eq!(syslog("Jux 13 11:20:44 host"), None);
    }
}
