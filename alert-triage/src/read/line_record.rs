//! The record of one plain line, by the templates.

use super::line::without_cr;
use super::matched_line::from_match;
use super::pasted;
use crate::fault::{Fault, MAX_LINE_BYTES};
use crate::record::Record;
use crate::rules::{Rules, TemplateMatch};
use crate::time::TimeReader;

/// The line without outer blanks.
pub(super) fn text(line: &[u8]) -> Result<&str, Fault> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = without_cr(line);
    if line.len() > MAX_LINE_BYTES {
        return Err(Fault::TooLong);
    }
    let line = std::str::from_utf8(line).map_err(|fault| Fault::NotUtf8 { byte: fault.valid_up_to() + 1 })?;
    let line = line.strip_prefix('\u{feff}').unwrap_or(line).trim();
    // C0, DEL and the C1 range, of which only the first two bytes of UTF-8 are 0xC2 0x80..0x9F.
    if line.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f || byte == 0xc2)
        && let Some(control) = line.chars().find(|c| c.is_control() && *c != '\t')
    {
        return Err(Fault::Control(control));
    }
    Ok(line)
}

/// The record by the first template that matches; else by the first that matches a part of a pasted
/// line; else the fault of the template that matched most.
pub(super) fn record<'l>(text: &'l str, rules: &Rules, times: &TimeReader) -> Result<Record<'l>, Fault> {
    match strict(text, rules, times) {
        Ok(record) if is_clean(&record) => Ok(record),
        strict => pasted::record(text, rules, times).map_or(strict, Ok),
    }
}

/// Whether no mark of a list, a quote or a sentence sticks to the name and the labels.
fn is_clean(record: &Record<'_>) -> bool {
    let is_marked = |value: &str| {
        let edge =
            |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'*' | b'='));
        edge(value.as_bytes().first()) || edge(value.as_bytes().last())
    };
    !record.alert.ends_with('.') && !record.labels.iter().any(|(_, value)| is_marked(value))
}

/// The record by the first template that matches as it is written; for texts of programs.
pub(super) fn strict<'l>(text: &'l str, rules: &Rules, times: &TimeReader) -> Result<Record<'l>, Fault> {
    let mut found = TemplateMatch::default();
    let mut nearest: Option<Fault> = None;
    for (_, template) in &rules.table().templates {
        match template.match_line(text, &mut found) {
            Ok(()) => return from_match(template, &found, rules, times),
            Err(fault) => {
                let is_nearer = !matches!(fault, Fault::NoTemplate { .. });
                if nearest.is_none() || is_nearer && matches!(nearest, Some(Fault::NoTemplate { .. })) {
                    nearest = Some(fault);
                }
            }
        }
    }
    let none = || Fault::NoTemplate { literal: String::new(), template: "no template at all".to_owned() };
    Err(nearest.unwrap_or_else(none))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Status;

    fn parse(line: &str) -> Result<(String, String, String), Fault> {
        let rules = Rules::builtin();
        let record = record(text(line.as_bytes())?, &rules, &TimeReader::default())?;
        let zone = record.labels.iter().find(|(name, _)| name == "zone").map(|(_, value)| value.to_string());
        Ok((zone.unwrap_or_default(), record.alert.into_owned(), record.text.into_owned()))
    }

    #[test]
    fn records_are_read() {
        for (case, line, (zone, alert, text)) in [
            ("plain", "Zone AB: LLMModelStale", ("AB", "LLMModelStale", "")),
            ("byte order mark and CR LF", "\u{feff}Zone AB: X1\r\n", ("AB", "X1", "")),
            ("outer blanks", " \t Zone AB: X1 \u{a0} ", ("AB", "X1", "")),
            ("many inner blanks", "Zone  AB :  X1", ("AB", "X1", "")),
            ("tabs for blanks", "Zone\tAB:\tX1\tand more", ("AB", "X1", "and more")),
            ("text behind the name", "Zone AB: X1  at 10:42: slow", ("AB", "X1", "at 10:42: slow")),
            ("blank in the zone", "Zone North East: X1", ("North East", "X1", "")),
            ("colon in the zone", "Zone a:b: X1", ("a:b", "X1", "")),
            ("any script", "Zone 東京: 5xxRate-hoch.é_1", ("東京", "5xxRate-hoch.é_1", "")),
            ("a zone named Zone", "Zone Zone: Zone", ("Zone", "Zone", "")),
        ] {
            assert_eq!(parse(line), Ok((zone.into(), alert.into(), text.into())), "{case}");
        }
    }

    #[test]
    fn blank_lines_are_white_space_only() {
        for line in ["", "\n", "\r\n", " \t ", "\u{feff}", "\u{feff}\u{3000}\r\n"] {
            assert_eq!(text(line.as_bytes()), Ok(""), "{line:?}");
        }
    }

    #[test]
    fn a_state_at_the_end_is_not_text() {
        for (line, want) in [
            ("Zone K1: FanDown", (Status::Event, "")),
            ("Zone K1: FanDown (closed)", (Status::Resolved, "")),
            ("Zone K1: FanDown [Resolved]", (Status::Resolved, "")),
            ("Zone K1: FanDown since noon RESOLVED", (Status::Resolved, "since noon")),
            ("Zone K1: FanDown OK", (Status::Resolved, "")),
            ("Zone K1: FanDown [open]", (Status::Firing, "")),
            ("Zone K1: FanDown is not closed", (Status::Event, "is not closed")),
            ("Zone K1: FanDown closed", (Status::Event, "closed")),
            ("Zone K1: FanDown (closed", (Status::Event, "(closed")),
            ("Zone K1: FanDown of HTTP", (Status::Event, "of HTTP")),
            ("Zone K1: FanDown (not closed)", (Status::Event, "(not closed)")),
        ] {
            let record = record(line, &Rules::builtin(), &TimeReader::default()).unwrap();
            assert_eq!((record.status, record.text.as_ref()), want, "{line}");
        }
    }

    #[test]
    fn faults_are_told_apart() {
        for (case, line, want) in [
            ("prose", b"something else".as_slice(), "no-template"),
            ("a longer word", b"Zones AB: X1", "no-template"),
            ("no colon", b"Zone AB X1", "no-template"),
            ("only the word", b"Zone", "no-template"),
            ("no blank behind the word", b"ZoneAB: X1", "no-template"),
            ("another word", b"zonefile: X1", "no-template"),
            ("two alerts", b"Zone AB: X1, Zone AB: X2", "not-a-name"),
            ("no zone", b"Zone : X1", "empty-field"),
            ("no zone, no blank", b"Zone: X1", "empty-field"),
            ("no alert", b"Zone AB: ", "no-alert"),
            ("punctuation", b"Zone AB: X1: slow", "not-a-name"),
            ("dashes alone", b"Zone AB: ---", "not-a-name"),
            ("NUL", b"Zone AB: X1\0", "control-character"),
            ("escape", b"Zone \x1b[31m: X1", "control-character"),
            ("C1", "Zone AB\u{9b}: X1".as_bytes(), "control-character"),
            ("two lines of an old Mac", b"Zone AB: X1\rZone AB: X2", "control-character"),
            ("tab in the zone", b"Zone A\tB: X1", "control-character"),
            ("Latin-1", b"Zone Z\xfcrich: X1", "not-utf8"),
            ("UTF-16", b"\xff\xfeZ\0o\0n\0e\0", "not-utf8"),
        ] {
            let rules = Rules::builtin();
            let fault = text(line).and_then(|text| record(text, &rules, &TimeReader::default())).unwrap_err();
            assert_eq!(fault.kind(), want, "{case}");
        }
    }

    #[test]
    fn sixty_four_kib_are_read_and_not_a_byte_more() {
        let longest = format!("Zone AB: {}\r\n", "x".repeat(MAX_LINE_BYTES - "Zone AB: ".len()));
        assert!(parse(&longest).is_ok());
        let longer = format!("Zone AB: x{}", &longest["Zone AB: ".len()..]);
        assert_eq!(parse(&longer), Err(Fault::TooLong));
    }

    #[test]
    fn messages_name_the_fix() {
        assert_eq!(Fault::Control('\u{1b}').to_string(), r"contains the control character \u{1b}: remove it");
        assert_eq!(
            parse("else").unwrap_err().to_string(),
            "does not begin with `Zone`: write `Zone {zone}: {alert}`, or describe your lines with a template in --rules"
        );
    }
}
