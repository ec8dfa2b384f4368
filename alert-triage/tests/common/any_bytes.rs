//! What holds of any bytes, in any format. Shared with the fuzz target `triage`, so it takes
//! nothing of this crate but what is public.

use std::sync::LazyLock;

use alert_triage::{Engine, Format, Report, Rules};

/// Parsed once: they take longer than most inputs.
static RULES: LazyLock<Rules> = LazyLock::new(Rules::builtin);

/// Reads the input in every format, whole and in two parts, and reports it.
///
/// `cut` is where the parts meet, at the next line end; it may be anything.
pub(crate) fn hold(input: &[u8], cut: usize) {
    let detected = Format::detect(input);
    assert!(Format::ALL.contains(&detected));
    for format in Format::ALL {
        let mut engine = engine();
        engine.read_block(0, 0, format, input);
        let whole = text(&engine.report(None));
        nothing_is_lost(&engine.report(None), format, input);
        is_printable(&whole);
        if format.is_lines() {
            let (one, other) = parts(input, cut);
            in_parts_it_is_the_same(format, one, other, &whole);
        }
    }
}

fn engine() -> Engine {
    let mut engine = Engine::new(RULES.clone());
    engine.add_source("bytes");
    engine
}

fn text(report: &Report<'_>) -> String {
    serde_json::to_string(report).expect("a report is JSON")
}

/// Every line and every record is in an alert, or told as blank, malformed or a duplicate.
fn nothing_is_lost(report: &Report<'_>, format: Format, input: &[u8]) {
    let totals = report.totals();
    let counts: u64 =
        report.incidents().flat_map(|incident| incident.members).map(|member| member.count).sum();
    assert_eq!(totals.records, totals.duplicates + counts, "{format}");
    assert_eq!(totals.alerts, counts, "{format}");
    let open = u64::from(!input.is_empty() && !input.ends_with(b"\n"));
    let lines = input.iter().filter(|byte| **byte == b'\n').count() as u64 + open;
    assert_eq!(totals.lines, lines, "{format}");
    let told = totals.blank + totals.malformed + totals.records;
    // A payload is as many records as it has alerts, and may have none.
    let has_payloads = input.windows(8).any(|word| word == b"\"alerts\"");
    match format {
        Format::Lines | Format::Syslog => assert_eq!(told, lines, "{format}"),
        Format::Jsonl => assert!(told >= lines || has_payloads, "{format}: {told} of {lines}"),
        _ => {
            let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
            // YAML has more ways to write an empty list, and keys without quotes.
            let is_yaml = format == Format::Yaml;
            let has_payloads = has_payloads || is_yaml && input.windows(6).any(|word| word == b"alerts");
            let is_empty = is_yaml && !input.iter().any(u8::is_ascii_alphanumeric);
            let is_empty = is_empty
                || input.iter().all(|byte| byte.is_ascii_whitespace() || matches!(byte, b'[' | b']'));
            assert!(told > 0 || is_empty || has_payloads, "{format}: nothing is told");
        }
    }
    for malformed in report.malformed() {
        assert!((1..=lines).contains(&malformed.line), "{format}: line {} of {lines}", malformed.line);
        assert!(!malformed.error.is_empty(), "{format}");
    }
}

/// Nothing that a terminal would obey.
fn is_printable(text: &str) {
    let is_bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!text.chars().any(|c| c.is_control() || is_bidi(c)), "{text:?}");
}

fn parts(input: &[u8], cut: usize) -> (&[u8], &[u8]) {
    let cut = cut % (input.len() + 1);
    let end = input[cut..].iter().position(|byte| *byte == b'\n').map_or(input.len(), |end| cut + end + 1);
    input.split_at(end)
}

fn in_parts_it_is_the_same(format: Format, one: &[u8], other: &[u8], whole: &str) {
    let mut on = engine();
    on.read_on(0, format, one);
    on.read_on(0, format, other);
    assert_eq!(text(&on.report(None)), whole, "{format}, read on");

    let mut merged = engine();
    let mut sibling = merged.sibling();
    sibling.read_block(0, 0, format, one);
    merged.read_block(0, 1, format, other);
    merged.merge(sibling);
    assert_eq!(text(&merged.report(None)), whole, "{format}, merged");
}
