//! `triage -o html` in a browser.

use crate::chromium::Visit;

/// Input that would like to be more than text. What comes to life says so to the page around it.
const NASTY: [&str; 4] = [
    "<script>(parent.ran ??= []).push('script')</script>",
    "\"><img src=http://evil.example/img onerror=\"(parent.ran ??= []).push('img')\">",
    "<a href=\"javascript:parent.ran='link'\" onmouseover=\"(parent.ran ??= []).push('hand')\">x</a>",
    "<svg onload=\"(parent.ran ??= []).push('svg')\"><style>@import 'https://evil.example/style'</style></svg>",
];

/// Without this the other tests could not fail.
#[test]
fn input_that_is_not_escaped_comes_to_life() {
    let page = format!("<!doctype html><title>t</title><p title=\"{}\">{}", NASTY[1], NASTY.join("\n"));
    let visit = Visit::to(page.into_bytes());
    let mut ran = visit.list("ran");
    ran.sort();
    ran.dedup();
    assert_eq!(ran, ["hand", "img", "script", "svg"]);
    assert!(visit.asked.iter().any(|target| target == "http://evil.example/img"), "{:?}", visit.asked);
    assert!(visit.asked.iter().any(|target| target.starts_with("evil.example:443")), "{:?}", visit.asked);
}
