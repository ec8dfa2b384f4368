//! The timeline: a lane per alert, under the head of its incident.
//!
//! Horizontal positions are percentages and everything else is in pixels, so that text keeps its
//! size on a phone without a script.

use alert_triage::report::{Member, Row};
use alert_triage::{Report, printable};
use maud::{Markup, html};

use super::super::columns::cut;
use super::super::labels::{self, MemberNames};
use super::super::phrases::{self, counted};
use super::super::seen::span_with_unit;
use super::super::tree::{is_set_aside, member_tree};
use super::scale::Scale;

/// Lanes that are drawn, also with `--all`.
const MAX_LANES: usize = 200;

/// Columns of the text beside a bar; the card below has all of it.
const MAX_NAME_WIDTH: usize = 56;

/// Heights in pixels.
const AXIS_HEIGHT: usize = 38;
const HEAD_HEIGHT: usize = 36;
const LANE_HEIGHT: usize = 40;

pub(super) fn timeline(rows: &[Row], report: &Report<'_>) -> Markup {
    let mut left = MAX_LANES;
    let drawn: Vec<(&Row, usize)> = (rows.iter())
        .map(|row| {
            let lanes = row.incident.members.len().min(left);
            left -= lanes;
            (row, lanes)
        })
        .filter(|(_, lanes)| *lanes > 0)
        .collect();
    let seen =
        drawn.iter().flat_map(|(row, lanes)| member_tree(&row.incident.members).into_iter().take(*lanes));
    let seen: Vec<_> = seen.flat_map(|tree_row| [&tree_row.member.first, &tree_row.member.last]).collect();
    let scale = Scale::new(&seen, report.now());
    let lanes: usize = drawn.iter().map(|(_, lanes)| lanes).sum();
    let height = AXIS_HEIGHT + drawn.len() * HEAD_HEIGHT + lanes * LANE_HEIGHT + 4;
    let shown: u64 = rows.iter().map(|row| row.incidents).sum();
    let is_whole = shown == report.totals().incidents
        && drawn.len() == rows.len()
        && drawn.iter().all(|(row, lanes)| row.alerts == *lanes as u64);
    html! {
        h2 #timeline { "Timeline" }
        p .muted {
            (scale.title())
            @if !is_whole { " Only the first " (counted(lanes as u64, "alert")) " are drawn." }
        }
        // Three drawings of the same height: names are beside the bars on a wide screen and above
        // them on a phone.
        div .timeline role="group" aria-labelledby="timeline" {
            svg .plot height=(height) {
                (axis(&scale, height))
                @for (y, row, lanes) in stacked(&drawn) {
                    @for (tree_row, y) in member_tree(&row.incident.members).into_iter().take(lanes).zip((y + HEAD_HEIGHT..).step_by(LANE_HEIGHT)) {
                        (bar(tree_row.member, y, &scale, report))
                    }
                }
            }
            svg .names height=(height) {
                @for (y, row, lanes) in stacked(&drawn) {
                    @let names = MemberNames::new(row);
                    @for (tree_row, y) in member_tree(&row.incident.members).into_iter().take(lanes).zip((y + HEAD_HEIGHT..).step_by(LANE_HEIGHT)) {
                        @let name = format!("{}{}", tree_row.branch.replace(' ', "\u{a0}"), names.name(tree_row.member));
                        (label(tree_row.member, &name, y, report))
                    }
                }
            }
            svg .heads height=(height) { @for (y, row, _) in stacked(&drawn) { (head(row, y)) } }
        }
        (legend(&scale))
    }
}

/// Each incident with its vertical position in pixels.
fn stacked<'r>(drawn: &[(&'r Row, usize)]) -> Vec<(usize, &'r Row, usize)> {
    let mut y = AXIS_HEIGHT;
    let place = |(row, lanes): &(&'r Row, usize)| {
        let at = y;
        y += HEAD_HEIGHT + lanes * LANE_HEIGHT;
        (at, *row, *lanes)
    };
    drawn.iter().map(place).collect()
}

fn axis(scale: &Scale, height: usize) -> Markup {
    let now = scale.now();
    // The word `now` needs the room of a tick's label.
    let ticks = scale.ticks().into_iter().filter(|tick| now.is_none_or(|now| (tick.at - now).abs() > 14.0));
    html! {
        @for tick in ticks {
            line .tick x1=(percent(tick.at)) x2=(percent(tick.at)) y1=(AXIS_HEIGHT - 6) y2=(height) {}
            @if let Some(day) = tick.day {
                text .quiet x=(percent(tick.at)) y=(AXIS_HEIGHT - 26) text-anchor=(anchor(tick.at)) { (day) }
            }
            text .quiet x=(percent(tick.at)) y=(AXIS_HEIGHT - 11) text-anchor=(anchor(tick.at)) { (tick.label) }
        }
        @if let Some(at) = now {
            line .now x1=(percent(at)) x2=(percent(at)) y1=(AXIS_HEIGHT - 6) y2=(height) {}
            text .quiet x=(percent(at)) y=(AXIS_HEIGHT - 11) text-anchor=(anchor(at)) { "now" }
        }
    }
}

/// The head of an incident, a link to its card.
fn head(row: &Row, y: usize) -> Markup {
    let Row { incident, incidents, scopes, .. } = row;
    let place = match scopes.as_slice() {
        [] => String::new(),
        [scope] => format!(" in {}", labels::scope(scope)),
        _ => format!(" in {}", counted(row.scopes_in_all, "scope")),
    };
    html! {
        line .rule x1="0" x2="100%" y1=(y + 6) y2=(y + 6) {}
        a href={ "#i" (incident.id) } {
            text .head x="0" y=(y + 25) {
                (incident.priority) " " (incident.notify) ": " (printable(&incident.headline)) (place)
                @if *incidents > 1 { ", the first of " (incidents) }
            }
        }
    }
}

/// The label of a lane: the name, and below it the verdict.
fn label(member: &Member, name: &str, y: usize, report: &Report<'_>) -> Markup {
    let severity = phrases::severity(member).map(|severity| format!("{severity}, ")).unwrap_or_default();
    let standing = format!("{}× {severity}{}", member.count, phrases::standing(member, report.now()));
    let class = if is_set_aside(member) { "aside" } else { "" };
    html! {
        g class=(class) {
            text x="4" y=(y + 12) { (cut(name, MAX_NAME_WIDTH)) }
            text .stand.quiet x="4" y=(y + 28) { (cut(&standing, MAX_NAME_WIDTH)) }
        }
    }
}

fn bar(member: &Member, y: usize, scale: &Scale, report: &Report<'_>) -> Markup {
    let is_active = !is_set_aside(member);
    let class =
        if is_active { phrases::severity(member).map(|s| s.to_string()) } else { Some("aside".to_owned()) };
    let place = span_with_unit(&member.first, &member.last, report.now());
    let first = scale.position(&member.first).or_else(|| scale.position(&member.last));
    let last = scale.position(&member.last);
    let middle = y + 17;
    html! {
        g class={ "lane " (class.unwrap_or_default()) } {
            title { (printable(&member.alert)) ", " (phrases::standing(member, report.now())) ", " (member.count) "×, " (place) }
            line .track x1="0" x2="100%" y1=(middle) y2=(middle) {}
            @if let (Some(first), Some(last)) = (first, last) {
                @if let (true, Some(now)) = (is_active, scale.now()) {
                    line .lasts x1=(percent(last)) x2=(percent(now)) y1=(middle) y2=(middle) {}
                }
                @if last > first {
                    rect .bar x=(percent(first)) y=(middle - 4) width=(percent(last - first)) height="8" {}
                }
                @for at in if first == last { vec![first] } else { vec![first, last] } {
                    circle .mark cx=(percent(at)) cy=(middle) r="5" {}
                }
            } @else {
                text .quiet x="4" y=(middle + 4) { "no time, " (place) }
            }
        }
    }
}

fn legend(scale: &Scale) -> Markup {
    html! {
        ul .legend aria-label="Legend" {
            li {
                svg aria-hidden="true" {
                    rect .bar x="6" y="2" width="28" height="8" {}
                    circle .mark cx="6" cy="6" r="5" {}
                    circle .mark cx="34" cy="6" r="5" {}
                }
                "first to last record"
            }
            li {
                svg aria-hidden="true" {
                    g .aside {
                        rect .bar x="6" y="2" width="28" height="8" {}
                        circle .mark cx="6" cy="6" r="5" {}
                        circle .mark cx="34" cy="6" r="5" {}
                    }
                }
                "set aside"
            }
            @if scale.now().is_some() {
                li {
                    svg aria-hidden="true" { line .lasts x1="4" x2="36" y1="6" y2="6" {} }
                    "no end known"
                }
            }
        }
    }
}

/// The anchor that keeps a label at the edge inside the drawing.
fn anchor(at: f64) -> &'static str {
    match at {
        at if at < 8.0 => "start",
        at if at > 92.0 => "end",
        _ => "middle",
    }
}

fn percent(at: f64) -> String {
    format!("{}%", (at * 100.0).round() / 100.0)
}
