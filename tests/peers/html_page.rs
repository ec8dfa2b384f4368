//! `triage -o html` in a browser.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::chromium::Visit;
use crate::program::repository;
use crate::triage::{program, triage};

/// Input that tries to run as script or markup. If it runs, it reports to the harness around the
/// page.
const MALICIOUS: [&str; 8] = [
    "<script>(parent.ran ??= []).push('script')</script>",
    "\"><img src=http://evil.example/img onerror=\"(parent.ran ??= []).push('img')\">",
    "'><a href=\"javascript:(parent.ran ??= []).push('link')\" onmouseover=\"(parent.ran ??= []).push('hand')\">x</a>",
    "<svg onload=\"(parent.ran ??= []).push('svg')\"><style>@import 'https://evil.example/style'</style></svg>",
    "</title></style></svg><iframe srcdoc=\"<script>(top.ran ??= []).push('frame')</script>\">",
    "<!-- ]]> &lt;b&gt; &#x3c;i> {{7*7}} ${7*7}",
    "<base href=http://evil.example/><form action=http://evil.example/><meta http-equiv=refresh content=0;url=http://evil.example/>",
    "unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken",
];

/// Characters that reorder text, and how the page shows them.
const REORDERED: [(&str, &str); 3] = [
    ("Pay\u{202e}sdrawkcab", r"Pay\u{202e}sdrawkcab"),
    ("Is\u{2066}olated", r"Is\u{2066}olated"),
    ("Esc\u{1b}[2J", r"Esc\u{1b}[2J"),
];

fn page_of_the_sample() -> Vec<u8> {
    triage(&["-o", "html"], [fs::read(repository("docs/samples/upcommerce.log")).expect("the sample")])
}

/// Asserts that nothing ran, nothing was fetched, nothing overflows, and the page keeps its own
/// policy.
fn assert_harmless(visit: &Visit, links: &[&str]) {
    assert_eq!(visit.list("ran"), [""; 0]);
    assert_eq!(visit.asked, [""; 0]);
    assert_eq!(visit.console, [""; 0]);
    assert_eq!(visit.list("handlers"), [""; 0]);
    assert_eq!(visit.list("overflow"), [""; 0]);
    assert_eq!(visit.list("outside"), [""; 0]);
    for element in
        ["script", "img", "iframe", "form", "base", "object", "embed", "link", "input", "foreignObject"]
    {
        assert!(!visit.list("elements").iter().any(|found| found == element), "{element}");
    }
    let ids = visit.list("ids");
    let is_inside =
        |link: &String| link.strip_prefix('#').is_some_and(|id| ids.iter().any(|known| known == id));
    let mut outside: Vec<_> = visit.list("links").into_iter().filter(|link| !is_inside(link)).collect();
    outside.dedup();
    assert_eq!(outside, links);
}

/// Shows that the other tests can fail.
#[test]
fn input_that_is_not_escaped_comes_to_life() {
    let page =
        format!("<!doctype html><title>t</title><p title=\"{}\">{}", MALICIOUS[1], MALICIOUS[..5].join("\n"));
    let visit = Visit::open(page.into_bytes());
    let mut ran = visit.list("ran");
    ran.sort();
    ran.dedup();
    assert_eq!(ran, ["frame", "hand", "img", "script", "svg"]);
    for host in ["http://evil.example/img", "evil.example:443"] {
        assert!(visit.asked.iter().any(|target| target == host), "{host}: {:?}", visit.asked);
    }
    let wide = "<!doctype html><title>t</title><p style='width: 500px'>wide";
    assert_eq!(Visit::open(wide.into()).list("overflow").len(), 2, "on both phones");
}

#[test]
fn the_policy_of_the_page_alone_keeps_input_dead() {
    let page = String::from_utf8(page_of_the_sample()).expect("UTF-8");
    let (head, tail) = page.rsplit_once("</main>").expect("a main part");
    let page = format!("{head}{}</main>{tail}", MALICIOUS.join("\n"));
    let visit = Visit::open(page.into_bytes());
    assert_eq!((visit.list("ran"), &visit.asked), (Vec::new(), &Vec::new()));
    for what in ["inline script", "inline event handler", "http://evil.example/img"] {
        let refused = |line: &&String| line.contains("Content Security Policy") && line.contains(what);
        assert!(visit.console.iter().any(|line| refused(&line)), "{what}: {:#?}", visit.console);
    }
}

#[test]
fn the_page_of_the_sample_shows_its_incidents_and_a_lane_for_each_alert() {
    let visit = Visit::open(page_of_the_sample());
    assert_harmless(&visit, &[]);
    assert_eq!(visit.list("over"), [""; 0], "nothing is drawn over a name");
    assert_eq!(visit.text("title"), "Triage: 1 page, 1 ticket");
    let text = visit.text("text");
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in\n{text}"));
    assert!(at("P1 page: TooFewEndpointsRegistered") < at("P4 ticket: EndpointRegistrationTransientFailure"));
    for words in ["zone=AB", "XQ", "OH-1", "superseded"] {
        at(words);
    }
    let mut lanes = visit.list("lanes");
    for lane in &mut lanes {
        lane.truncate(lane.find(',').expect("name, state, count, place"));
    }
    lanes.sort();
    assert_eq!(
        lanes,
        [
            "EndpointRegistrationFailure",
            "EndpointRegistrationTransientFailure",
            "EndpointRegistrationTransientFailure",
            "EndpointRegistrationTransientFailure",
            "LLMBatchProcessingJobFailures",
            "LLMModelStale",
            "LLMModelVeryStale",
            "TooFewEndpointsRegistered",
        ]
    );
}

#[test]
fn nasty_input_is_text_wherever_it_is_shown() {
    let dir = tempfile::tempdir().expect("a directory");
    let alerts: String = (MALICIOUS.iter().copied().chain(REORDERED.map(|(text, _)| text)))
        .flat_map(|text| {
            [
                json!({"labels": {"alertname": text, "zone": "AB"}}),
                json!({"labels": {"alertname": "NastyZone", "zone": text}}),
                json!({"labels": {"alertname": "NastyLabel", "zone": "AB", "service": text, text: "x"}}),
                json!({"labels": {"alertname": "NastyReplica", "zone": "AB", "replica": text}}),
                json!({"labels": {"alertname": "NastySeverity", "zone": "AB", "severity": text}}),
                json!({"labels": {"alertname": "NastyState"}, "status": text}),
            ]
        })
        .map(|alert| format!("{alert}\n"))
        .collect();
    let file = "<img src=x onerror=\"(parent.ran ??= []).push('file')\">.jsonl";
    fs::write(dir.path().join(file), alerts + MALICIOUS[0] + "\n").expect("written");
    fs::write(dir.path().join("other.jsonl"), "").expect("written");
    let runbooks = [
        "javascript:(parent.ran ??= []).push('runbook')",
        "https://runbooks.example/\"onclick='parent.ran=1'",
        "https://runbooks.example/nasty?a=1&lt;b=%22",
    ];
    let rules = json!({"runbooks": [
        {"id": "script", "alert": "NastyReplica", "url": runbooks[0]},
        {"id": "quote", "alert": "NastySeverity", "url": runbooks[1]},
        {"id": "link", "alert": "NastyLabel", "url": runbooks[2]},
    ]});
    fs::write(dir.path().join("rules.yaml"), rules.to_string()).expect("written");
    let mut command = Command::new(program());
    command.args(["--rules", "rules.yaml", "-o", "html", "--all", file, "other.jsonl"]).current_dir(&dir);
    let visit = Visit::open(command.output().expect("triage starts").stdout);
    // Only a whole web address without quotes is a link.
    assert_harmless(&visit, &runbooks[2..]);
    let text = visit.text("everything");
    for shown in MALICIOUS.into_iter().chain(REORDERED.map(|(_, shown)| shown)).chain([file]).chain(runbooks)
    {
        assert!(text.contains(shown), "{shown} is not in\n{text}");
    }
    assert!(!text.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{1b}')));
}
