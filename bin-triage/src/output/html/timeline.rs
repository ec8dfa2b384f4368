//! The timeline: a lane per alert, under the head of its incident.
//!
//! Horizontal positions are percentages and everything else is in pixels, so that text keeps its
//! size on a phone without a script.

use alert_triage::report::{Member, Row, Seen};
use alert_triage::verdict::Notify;
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

/// One line of the drawing: an alert, or all instances of one.
struct Lane<'r> {
    name: String,
    standing: String,
    /// Gives the color.
    member: &'r Member,
    first: &'r Seen,
    last: &'r Seen,
    count: u64,
}

/// An incident with its lanes.
struct Drawn<'r> {
    row: &'r Row,
    lanes: Vec<Lane<'r>>,
}

/// The lanes of an incident: one for all instances of an alert if it has nothing else.
fn lanes<'r>(row: &'r Row, report: &Report<'_>) -> Vec<Lane<'r>> {
    let members = &row.incident.members;
    if let (Some(names), Some(member)) = (labels::instances(row), members.first()) {
        let standing = names;
        let name = printable(&member.alert);
        return vec![Lane { name, standing, member, first: &row.first, last: &row.last, count: row.count }];
    }
    let names = MemberNames::new(row);
    let lane = |branch: &str, member: &'r Member| {
        let severity = phrases::severity(member).map(|severity| format!("{severity}, ")).unwrap_or_default();
        Lane {
            name: format!("{}{}", branch.replace(' ', "\u{a0}"), names.name(member)),
            standing: format!("{}× {severity}{}", member.count, phrases::standing(member, report.now())),
            member,
            first: &member.first,
            last: &member.last,
            count: member.count,
        }
    };
    member_tree(members).into_iter().map(|tree_row| lane(&tree_row.branch, tree_row.member)).collect()
}

pub(super) fn timeline(rows: &[Row], report: &Report<'_>) -> Markup {
    let mut left = MAX_LANES;
    let mut drawn: Vec<Drawn<'_>> = Vec::new();
    let mut is_whole = rows.iter().map(|row| row.incidents).sum::<u64>() == report.totals().incidents;
    for row in rows {
        let mut lanes = lanes(row, report);
        is_whole &= lanes.len() <= left && (lanes.len() as u64 == row.alerts || row.instances == row.alerts);
        lanes.truncate(left);
        left -= lanes.len();
        if !lanes.is_empty() {
            drawn.push(Drawn { row, lanes });
        }
    }
    // An old alert that needs nobody does not stretch the axis.
    let needs_somebody = |drawn: &&Drawn<'_>| drawn.row.incident.notify != Notify::None;
    let all = drawn.iter().any(|drawn| needs_somebody(&drawn));
    let seen: Vec<&Seen> = (drawn.iter())
        .filter(|drawn| !all || needs_somebody(drawn))
        .flat_map(|drawn| drawn.lanes.iter().flat_map(|lane| [lane.first, lane.last]))
        .collect();
    let scale = Scale::new(&seen, report.now());
    let lanes: usize = drawn.iter().map(|drawn| drawn.lanes.len()).sum();
    let height = AXIS_HEIGHT + drawn.len() * HEAD_HEIGHT + lanes * LANE_HEIGHT + 4;
    html! {
        h2 { "Timeline" }
        p .muted {
            (scale.title())
            @if !is_whole { " Only the first " (counted(lanes as u64, "alert")) " are drawn." }
        }
        // Three drawings of the same height: names are beside the bars on a wide screen and above
        // them on a phone.
        div .timeline role="group" aria-label="Timeline" {
            svg .plot height=(height) {
                (axis(&scale, height))
                @for (y, drawn) in stacked(&drawn) {
                    @for (lane, y) in drawn.lanes.iter().zip((y + HEAD_HEIGHT..).step_by(LANE_HEIGHT)) {
                        (bar(lane, y, &scale, report))
                    }
                }
            }
            svg .names height=(height) {
                @for (y, drawn) in stacked(&drawn) {
                    @for (lane, y) in drawn.lanes.iter().zip((y + HEAD_HEIGHT..).step_by(LANE_HEIGHT)) {
                        (label(lane, y))
                    }
                }
            }
            svg .heads height=(height) { @for (y, drawn) in stacked(&drawn) { (head(drawn.row, y)) } }
        }
        (legend(&scale))
    }
}

/// Each incident with its vertical position in pixels.
fn stacked<'d, 'r>(drawn: &'d [Drawn<'r>]) -> Vec<(usize, &'d Drawn<'r>)> {
    let mut y = AXIS_HEIGHT;
    let place = |drawn: &'d Drawn<'r>| {
        let at = y;
        y += HEAD_HEIGHT + drawn.lanes.len() * LANE_HEIGHT;
        (at, drawn)
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
                (incident.priority) " " (incident.notify) ": " (printable(&incident.headline)) (phrases::times_instances(row)) (place)
                @if *incidents > 1 { ", the first of " (incidents) }
            }
        }
    }
}

/// The label of a lane: the name, and below it the verdict.
fn label(lane: &Lane<'_>, y: usize) -> Markup {
    let class = if is_set_aside(lane.member) { "aside" } else { "" };
    html! {
        g class=(class) {
            text x="4" y=(y + 12) { (cut(&lane.name, MAX_NAME_WIDTH)) }
            text .stand.quiet x="4" y=(y + 28) { (cut(&lane.standing, MAX_NAME_WIDTH)) }
        }
    }
}

fn bar(lane: &Lane<'_>, y: usize, scale: &Scale, report: &Report<'_>) -> Markup {
    let member = lane.member;
    let is_active = !is_set_aside(member);
    let class =
        if is_active { phrases::severity(member).map(|s| s.to_string()) } else { Some("aside".to_owned()) };
    let place = span_with_unit(lane.first, lane.last, report.now());
    let first = scale.position(lane.first).or_else(|| scale.position(lane.last));
    let last = scale.position(lane.last);
    // What began before the axis has no mark there: its bar runs in from the edge.
    let marks = [(first, lane.first), (last, lane.last)];
    let marks = marks.into_iter().filter(|(_, seen)| !scale.is_before(seen)).filter_map(|(at, _)| at);
    let mut marks: Vec<f64> = marks.collect();
    marks.dedup();
    let middle = y + 17;
    html! {
        g class={ "lane " (class.unwrap_or_default()) } {
            title { (printable(&member.alert)) ", " (phrases::standing(member, report.now())) ", " (lane.count) "×, " (place) }
            line .track x1="0" x2="100%" y1=(middle) y2=(middle) {}
            @if let (Some(first), Some(last)) = (first, last) {
                @if let (true, Some(now)) = (is_active, scale.now()) {
                    line .lasts x1=(percent(last)) x2=(percent(now)) y1=(middle) y2=(middle) {}
                }
                @if last > first {
                    rect .bar x=(percent(first)) y=(middle - 4) width=(percent(last - first)) height="8" {}
                }
                @for at in &marks {
                    circle .mark cx=(percent(*at)) cy=(middle) r="5" {}
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
