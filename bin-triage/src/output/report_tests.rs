//! No text of the input breaks an output or takes effect in it.

use alert_triage::printable::MAX_PRINTABLE_CHARS;
use alert_triage::{Engine, Format, Rules, is_link};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use serde_json::{Value, json};

use std::io;
use std::num::NonZeroUsize;

use super::columns::{columns, set_width, width};
use super::{html, json, markdown, table};

/// Texts that would like to be more.
const NASTY: [&str; 22] = [
    "a|b",
    "\\",
    "a\\|b",
    "`",
    "``` x",
    "*b* _i_ ~~s~~",
    "[a](http://evil.example)",
    "![a](http://evil.example/i)",
    "http://evil.example www.evil.example me@evil.example",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</style></svg></title><b>",
    "&lt;&amp;",
    "- - 1. # > ===",
    "a\nb\r\n| x | y |\n|---|---|",
    "\u{1b}[31m\u{7}\u{9b}2J\0",
    "\u{202e}abc\u{2066}\u{200f}\u{2028}\u{feff}",
    "東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京東京",
    "👩‍👩‍👧 ☁️ e\u{301} ลา \u{1f3f4}\u{e0067}",
    "@all #1 :fire: !1",
    "--- ***",
    " x ",
];

fn jsonl(alerts: &[(String, String, String)]) -> String {
    let line = |(name, zone, value): &(String, String, String)| {
        json!({"alertname": name, "labels": {"zone": zone, "own": value, value.clone(): "x"},
            "annotations": {"summary": zone, "runbook_url": value, value.clone(): name, "url": format!("https://{zone}")}})
        .to_string()
            + "\n"
    };
    alerts.iter().map(line).collect()
}

/// The five outputs, a table without colours among them.
fn outputs(input: &[u8], format: Format, all: bool) -> [(&'static str, String); 5] {
    let mut engine = Engine::new(Rules::builtin());
    engine.add_source("one\u{1b}[2J|file.log");
    engine.add_source("other `file`");
    engine.read("one\u{1b}[2J|file.log", format, input);
    engine.read("other `file`", format, input);
    let report = engine.report(None);
    let text = |print: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| {
        let mut bytes = Vec::new();
        print(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    let table = text(&|to| table::write(&report, all, to));
    [
        ("table", anstream::adapter::strip_str(&table).to_string()),
        ("json", text(&|to| json::write_document(&report, NonZeroUsize::MIN, to))),
        ("jsonl", text(&|to| json::write_lines(&report, to))),
        ("markdown", text(&|to| markdown::write(&report, all, to))),
        ("html", text(&|to| html::write(&report, all, to))),
    ]
}

fn check(input: &[u8], format: Format, all: bool) {
    for (name, text) in outputs(input, format, all) {
        let is_obeyed = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        assert!(!text.contains(is_obeyed), "{name}: {text:?}");
        match name {
            "table" => text.lines().for_each(|line| assert!(columns(line) <= width(), "{line}")),
            "json" => assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["schema"], "triage/v1"),
            "jsonl" => text.lines().for_each(|line| {
                assert!(serde_json::from_str::<Value>(line).unwrap()["type"].is_string());
            }),
            "markdown" => markup_is_ours(&text),
            _ => tags_are_ours(&text),
        }
    }
}

/// No table gains or loses a cell, and nothing is a link, an image or HTML.
fn markup_is_ours(text: &str) {
    let (mut cells, mut columns) = (0, 0);
    for event in Parser::new_ext(text, Options::all()) {
        match event {
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableRow) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow) => assert_eq!(cells, columns),
            // A row with a cell too many loses it silently, and so do rows after a broken one.
            Event::Text(text) => assert!(!text.contains('|'), "{text:?}"),
            Event::Html(raw) | Event::InlineHtml(raw) | Event::InlineMath(raw) | Event::DisplayMath(raw) => {
                panic!("{raw:?} in {text}")
            }
            Event::Start(
                tag @ (Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::CodeBlock(_)
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::Superscript
                | Tag::Subscript
                | Tag::FootnoteDefinition(_)
                | Tag::DefinitionList
                | Tag::MetadataBlock(_)),
            ) => panic!("{tag:?} in {text}"),
            Event::FootnoteReference(_) | Event::Rule | Event::TaskListMarker(_) | Event::HardBreak => {
                panic!("{event:?} in {text}")
            }
            _ => {}
        }
    }
    // Rows of a table stand in one block, each with the bars of its head.
    for row in text.lines().filter(|line| line.starts_with('|')) {
        assert!(row.ends_with(" |") || row.ends_with("-|") || row.ends_with(":|"), "{row}");
    }
}

/// Every tag and every address of the page is one that we wrote.
fn tags_are_ours(html: &str) {
    const TAGS: &str = "!DOCTYPE html head meta title style body header main h1 h2 h3 h4 p ul li b a div span code br \
                        article details summary table thead tbody tr th td svg g line rect circle text";
    let (before, after) = html.split_once("<style>").unwrap();
    let (_, after) = after.split_once("</style>").unwrap();
    for tag in [before, after].iter().flat_map(|part| part.split('<').skip(1)) {
        let (tag, _) = tag.split_once('>').unwrap_or_else(|| panic!("<{tag} does not end"));
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(TAGS.split_whitespace().any(|known| known == name), "<{tag}>");
        // Values stand in quotes and hold none.
        let outside: String = tag.split('"').step_by(2).collect();
        assert!(!outside.contains(" on"), "<{tag}>");
        if let Some((_, address)) = tag.split_once("href=\"") {
            let address = address.split('"').next().unwrap();
            assert!(address.starts_with("#i") || is_link(address), "<{tag}>");
        }
        assert!(!outside.contains(" src=") && !outside.contains(" style="), "<{tag}>");
    }
}

#[test]
fn nasty_names_stay_text() {
    let alerts: Vec<_> = (NASTY.iter())
        .enumerate()
        .map(|(at, name)| {
            (
                name.to_string(),
                NASTY[(at + 7) % NASTY.len()].to_owned(),
                NASTY[(at + 3) % NASTY.len()].to_owned(),
            )
        })
        .collect();
    let input = jsonl(&alerts);
    for terminal in [None, Some(40), Some(60), Some(79), Some(160)] {
        set_width(terminal);
        for all in [false, true] {
            check(input.as_bytes(), Format::Jsonl, all);
        }
    }
    set_width(None);
    check(NASTY.join("\n").as_bytes(), Format::Lines, false);
    let zones: String = NASTY.iter().map(|name| format!("Zone {}: X\n", name.replace('\n', " "))).collect();
    check(zones.as_bytes(), Format::Lines, true);
}

#[test]
fn long_texts_are_cut_and_say_how_long_they_are() {
    let long = "x".repeat(5_000);
    let input = jsonl(&[(long.clone(), long.clone(), long)]);
    for (name, text) in outputs(input.as_bytes(), Format::Jsonl, true) {
        let longest = text.split(|c| c != 'x').map(str::len).max().unwrap();
        assert!(longest <= MAX_PRINTABLE_CHARS, "{name} shows {longest}");
        assert!(name == "table" || text.contains("(5000 bytes)"), "{name}");
    }
}

#[test]
fn text_tells_alerts_of_one_name_apart() {
    let engine = |input: &str| outputs(input.as_bytes(), Format::Lines, false);
    let input = "Zone AB: Foo bar\nZone AB: Foo baz\nZone AB: Foo\n";
    for (name, text) in engine(input) {
        let wanted: &[&str] = match name {
            "table" => &["  Foo bar  zone=AB  ", "  Foo baz  zone=AB  ", "  Foo  zone=AB  "],
            "markdown" => {
                &["`Foo` `bar` | ", ": `Foo` `baz` in ", "| `Foo bar` |", "| `Foo baz` |", "| `Foo` |"]
            }
            "html" => &["Foo bar</h3>", "Foo baz</h3>", "Foo</h3>", "\">Foo bar", "\">Foo baz", "\">Foo"],
            _ => continue,
        };
        for wanted in wanted {
            assert!(text.replace("\n", "").contains(wanted), "{name} lacks {wanted}: {text}");
        }
    }
    // Nor does text push out where it is.
    let long = format!("Zone AB: Foo {}\n", "x y ".repeat(60));
    assert!(engine(&long)[0].1.contains("x…  zone=AB  "), "{}", engine(&long)[0].1);
    // Of several the labels are what differs first.
    let pattern = "Zone AB: FooTransientFailure\nZone CD: FooTransientFailure bar\n";
    let markdown = &engine(pattern)[3].1;
    assert!(markdown.contains("| `zone=AB` |") && markdown.contains("| `zone=CD bar` |"), "{markdown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Law: whatever alerts are called, every output keeps its shape.
    #[test]
    fn no_name_breaks_an_output(
        alerts in prop::collection::vec((".{1,40}", "\\PC{0,30}", prop::sample::select(&NASTY[..])), 1..30),
        all: bool,
        terminal in prop::option::of(0usize..200),
    ) {
        set_width(terminal);
        let alerts: Vec<_> = alerts.into_iter().map(|(name, zone, value)| (name, zone, value.to_owned())).collect();
        check(jsonl(&alerts).as_bytes(), Format::Jsonl, all);
    }

    /// Law: and whatever stands in lines that cannot be read.
    #[test]
    fn no_line_breaks_an_output(input in prop::collection::vec(any::<u8>(), 0..400)) {
        check(&input, Format::Lines, false);
    }
}
