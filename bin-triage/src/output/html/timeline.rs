//! The timeline: a lane for each alert under the incident it belongs to.
//!
//! Horizontal places are percents and all else is pixels, so that text keeps its size on a phone and needs no script.

use alert_triage::{Member, Report, Row, printable};
use maud::{Markup, html};

use super::super::columns::cut;
use super::super::family::{family, is_aside};
use super::super::words::{self, Names, counted};
use super::scale::Scale;

/// Lanes drawn, whatever is asked for.
const LANES: usize = 200;

/// Columns of text beside a bar; the card below has all of it.
const NAME: usize = 56;

/// Heights in pixels.
const AXIS: usize = 38;
const HEAD: usize = 36;
const LANE: usize = 40;

pub(super) fn timeline(rows: &[Row], report: &Report<'_>) -> Markup {
    let mut left = LANES;
    let drawn: Vec<(&Row, usize)> = (rows.iter())
        .map(|row| {
            let lanes = row.incident.members.len().min(left);
            left -= lanes;
            (row, lanes)
        })
        .filter(|(_, lanes)| *lanes > 0)
        .collect();
    let seen = drawn.iter().flat_map(|(row, lanes)| family(&row.incident.members).into_iter().take(*lanes));
    let seen: Vec<_> = seen.flat_map(|kin| [&kin.member.first, &kin.member.last]).collect();
    let scale = Scale::of(&seen, report.now());
    let lanes: usize = drawn.iter().map(|(_, lanes)| lanes).sum();
    let height = AXIS + drawn.len() * HEAD + lanes * LANE + 4;
    let told: u64 = rows.iter().map(|row| row.incidents).sum();
    let is_whole = told == report.totals().incidents
        && drawn.len() == rows.len()
        && drawn.iter().all(|(row, lanes)| row.alerts == *lanes as u64);
    html! {
        h2 #timeline { "Timeline" }
        p .muted {
            (scale.title())
            @if !is_whole { " Only the first " (counted(lanes as u64, "alert")) " are drawn." }
        }
        // Three drawings of one height: on a wide screen the names stand beside the bars, on a phone above them.
        div .timeline role="group" aria-labelledby="timeline" {
            svg .plot height=(height) {
                (axis(&scale, height))
                @for (y, row, lanes) in stacked(&drawn) {
                    @for (kin, y) in family(&row.incident.members).into_iter().take(lanes).zip((y + HEAD..).step_by(LANE)) {
                        (bar(kin.member, y, &scale, report))
                    }
                }
            }
            svg .names height=(height) {
                @for (y, row, lanes) in stacked(&drawn) {
                    @let names = Names::of(row);
                    @for (kin, y) in family(&row.incident.members).into_iter().take(lanes).zip((y + HEAD..).step_by(LANE)) {
                        @let name = format!("{}{}", kin.branch.replace(' ', "\u{a0}"), names.name(kin.member));
                        (label(kin.member, &name, y, report))
                    }
                }
            }
            svg .heads height=(height) { @for (y, row, _) in stacked(&drawn) { (head(row, y)) } }
        }
        (legend(&scale))
    }
}

/// Each incident with the pixel it begins at.
fn stacked<'r>(drawn: &[(&'r Row, usize)]) -> Vec<(usize, &'r Row, usize)> {
    let mut y = AXIS;
    let place = |(row, lanes): &(&'r Row, usize)| {
        let at = y;
        y += HEAD + lanes * LANE;
        (at, *row, *lanes)
    };
    drawn.iter().map(place).collect()
}

fn axis(scale: &Scale, height: usize) -> Markup {
    let now = scale.now();
    // No mark under the word at the edge.
    let ticks = scale.ticks().into_iter().filter(|tick| now.is_none_or(|now| (tick.at - now).abs() > 14.0));
    html! {
        @for tick in ticks {
            line .tick x1=(percent(tick.at)) x2=(percent(tick.at)) y1=(AXIS - 6) y2=(height) {}
            @if let Some(day) = tick.day {
                text .quiet x=(percent(tick.at)) y=(AXIS - 26) text-anchor=(anchor(tick.at)) { (day) }
            }
            text .quiet x=(percent(tick.at)) y=(AXIS - 11) text-anchor=(anchor(tick.at)) { (tick.label) }
        }
        @if let Some(at) = now {
            line .now x1=(percent(at)) x2=(percent(at)) y1=(AXIS - 6) y2=(height) {}
            text .quiet x=(percent(at)) y=(AXIS - 11) text-anchor=(anchor(at)) { "now" }
        }
    }
}

/// Leads to the incident's card.
fn head(row: &Row, y: usize) -> Markup {
    let Row { incident, incidents, scopes, .. } = row;
    let place = match scopes.as_slice() {
        [] => String::new(),
        [scope] => format!(" in {}", words::scope(scope)),
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

/// What a lane is of: a name, and below it how it stands.
fn label(member: &Member, name: &str, y: usize, report: &Report<'_>) -> Markup {
    let severity = words::severity(member).map(|severity| format!("{severity}, ")).unwrap_or_default();
    let stand = format!("{}× {severity}{}", member.count, super::stand(member, report.now()));
    let class = if is_aside(member) { "aside" } else { "" };
    html! {
        g class=(class) {
            text x="4" y=(y + 12) { (cut(name, NAME)) }
            text .stand.quiet x="4" y=(y + 28) { (cut(&stand, NAME)) }
        }
    }
}

fn bar(member: &Member, y: usize, scale: &Scale, report: &Report<'_>) -> Markup {
    let stands = !is_aside(member);
    let class =
        if stands { words::severity(member).map(|s| s.to_string()) } else { Some("aside".to_owned()) };
    let place = words::place_in_full(&member.first, &member.last, report.now());
    let first = scale.place(&member.first).or_else(|| scale.place(&member.last));
    let last = scale.place(&member.last);
    let middle = y + 17;
    html! {
        g class={ "lane " (class.unwrap_or_default()) } {
            title { (printable(&member.alert)) ", " (super::stand(member, report.now())) ", " (member.count) "×, " (place) }
            line .track x1="0" x2="100%" y1=(middle) y2=(middle) {}
            @if let (Some(first), Some(last)) = (first, last) {
                @if let (true, Some(now)) = (stands, scale.now()) {
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
                    "not known to be over"
                }
            }
        }
    }
}

/// Texts at the edges stay inside.
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
