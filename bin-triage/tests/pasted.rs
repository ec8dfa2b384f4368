//! Law: lines that a person pasted give the incidents of the lines themselves, or a loud reason.
//!
//! Each transformation stands for a place that people paste from: a list, a table, a mail, a chat,
//! a ticket system. The report of the transformed input has the same incidents as that of the
//! input, or the exit code is 3 and a sentence says why nothing could be read.

mod common;

use serde_json::Value;

const SAMPLE: &str = include_str!("../../docs/samples/upcommerce.log");

/// Alerts of other names: one page, one ticket with an end, and a ladder by the shape of the names.
const OTHER: &str = "\
Zone K1: PumpDown
Zone K1: TankFull slow inflow
Zone K2: QueueStale
Zone K2: VeryQueueStale
Zone K-3: ValveTransientFailure
Zone K-3: ValveTransientFailure
Zone K-3: ValveTransientFailure
Zone K1: TankFull slow inflow
";

/// What to do with the number of a line and the line.
type Line = fn(usize, &str) -> String;

/// `AB` and `LLMModelStale`, with the text behind it.
fn parts(line: &str) -> (&str, &str) {
    let (zone, alert) = line.split_once(": ").unwrap();
    (zone.strip_prefix("Zone ").unwrap(), alert)
}

/// A line with something else between the zone and the alert.
fn joined(line: &str, colon: &str) -> String {
    let (zone, alert) = parts(line);
    format!("Zone {zone}{colon}{alert}")
}

const READ: &[(&str, Line)] = &[
    ("as it is", |_, line| line.to_owned()),
    ("a list with dashes", |_, line| format!("- {line}")),
    ("a list with stars", |_, line| format!("* {line}")),
    ("a list with bullets", |_, line| format!("• {line}")),
    ("a numbered list", |n, line| format!("{n}. {line}")),
    ("a numbered list with brackets", |n, line| format!("{n}) {line}")),
    ("numbers in brackets", |n, line| format!("({n}) {line}")),
    ("grep -n", |n, line| format!("{n}:{line}")),
    ("cat -n", |n, line| format!("{n:6}\t{line}")),
    ("checkboxes", |_, line| format!("- [ ] {line}")),
    ("checked boxes", |_, line| format!("- [x] {line}")),
    ("a quoted mail", |_, line| format!("> {line}")),
    ("a mail quoted twice", |_, line| format!("> > {line}")),
    ("indented", |_, line| format!("\t    {line}")),
    ("no-break blanks", |_, line| line.replace(' ', "\u{a0}")),
    ("double blanks", |_, line| line.replace(' ', "  ")),
    ("numbers of ServiceNow", |n, line| format!("INC{n:07} {line}")),
    ("numbers of GitHub", |n, line| format!("#{} {line}", 1_000 + n)),
    ("keys of Jira", |n, line| format!("OPS-{n}: {line}")),
    ("keys and a dash", |n, line| format!("OPS-{n} - {line}")),
    ("keys in brackets", |n, line| format!("[OPS-{n}] {line}")),
    ("the word ticket", |n, line| format!("Ticket {n}: {line}")),
    ("keys behind it", |n, line| format!("{line} (OPS-{n})")),
    ("keys in square brackets behind it", |n, line| format!("{line} [OPS-{n}]")),
    ("numbers behind it", |n, line| format!("{line} (#{})", 1_000 + n)),
    ("links behind it", |n, line| format!("{line} https://tickets.example/browse/{n}")),
    ("double quotes", |_, line| format!("\"{line}\"")),
    ("quotes and commas", |_, line| format!("\"{line}\",")),
    ("single quotes", |_, line| format!("'{line}'")),
    ("curly quotes", |_, line| format!("“{line}”")),
    ("backticks", |_, line| format!("`{line}`")),
    ("guillemets", |_, line| format!("«{line}»")),
    ("a quoted zone", |_, line| format!("Zone \"{}\": {}", parts(line).0, parts(line).1)),
    ("zone in small letters", |_, line| line.replacen("Zone", "zone", 1)),
    ("zone in capitals", |_, line| line.replacen("Zone", "ZONE", 1)),
    ("a dash", |_, line| joined(line, " - ")),
    ("a long dash", |_, line| joined(line, " – ")),
    ("a bar", |_, line| joined(line, " | ")),
    ("an arrow", |_, line| joined(line, " -> ")),
    ("no blank", |_, line| joined(line, ":")),
    ("a blank before the colon", |_, line| joined(line, " : ")),
    ("a colon of another script", |_, line| joined(line, "：")),
    ("an equals sign", |_, line| line.replacen("Zone ", "Zone=", 1)),
    ("a sentence", |_, line| format!("{line}.")),
    ("a comma", |_, line| format!("{line},")),
    ("an exclamation", |_, line| format!("{line}!")),
    ("a remark", |_, line| format!("{line} - told on call")),
    ("blanks behind it", |_, line| format!("{line}   ")),
    ("links of Markdown", |n, line| format!("[{line}](https://tickets.example/{n})")),
    ("rows of a table", |n, line| format!("| {n} | {line} |")),
    ("bold", |_, line| format!("**{line}**")),
    ("a bold zone", |_, line| format!("**Zone {}:** {}", parts(line).0, parts(line).1)),
    ("italics", |_, line| format!("_{line}_")),
    ("emoji", |_, line| format!("🔥 {line}")),
    ("names of emoji", |_, line| format!(":fire: {line}")),
    ("to whom it is", |_, line| format!("@oncall {line}")),
    ("a list in HTML", |_, line| format!("<li>{line}</li>")),
    ("line ends of HTML", |_, line| format!("{line}<br>")),
    ("a chat", |n, line| format!("[06:{n:02}] alertbot: {line}")),
    ("a bot", |_, line| format!("alertbot: {line}")),
    ("the word alert", |_, line| format!("Alert: {line}")),
    ("a tag", |_, line| format!("[ALERT] {line}")),
    ("a priority", |_, line| format!("[P3] {line}")),
    ("a subject", |_, line| format!("Subject: Re: {line}")),
    ("line ends of Windows", |_, line| format!("{line}\r")),
    ("blank lines between", |_, line| format!("{line}\n")),
];

/// Transformations after which nothing, or the same, is read.
const LOUD: &[(&str, Line)] = &[
    ("only blanks", |_, line| joined(line, " ")),
    ("only the zone", |_, line| format!("{}: {}", parts(line).0, parts(line).1)),
    ("the zone behind it", |_, line| format!("{} in zone {}", parts(line).1, parts(line).0)),
    ("a zone in brackets", |_, line| format!("[Zone {}] {}", parts(line).0, parts(line).1)),
    ("a JSON object", |_, line| format!("{{\"title\": \"{line}\"}}")),
    ("items of YAML", |_, line| format!("- zone: {}\n  alert: {}", parts(line).0, parts(line).1)),
];

/// A whole document around the lines.
type Document = fn(&[&str]) -> String;

const DOCUMENTS: &[(&str, bool, Document)] = &[
    ("CSV of zones and alerts", true, |lines| {
        let row = |line: &&str| {
            let (zone, alert) = parts(line);
            let (alert, text) = alert.split_once(' ').unwrap_or((alert, ""));
            format!("{zone},{alert},{text}\n")
        };
        "zone,alert,comment\n".to_owned() + &lines.iter().map(row).collect::<String>()
    }),
    ("CSV of titles", true, |lines| {
        "id,title\n".to_owned()
            + &lines.iter().enumerate().map(|(n, line)| format!("{n},\"{line}\"\n")).collect::<String>()
    }),
    ("CSV without a header", true, |lines| {
        lines.iter().enumerate().map(|(n, line)| format!("\"{n}\",\"{line}\"\n")).collect()
    }),
    ("a table of titles", true, |lines| {
        let rows = lines.iter().enumerate().map(|(n, line)| format!("| OPS-{n} | {line} |\n"));
        "| Ticket | Title |\n|---|---|\n".to_owned() + &rows.collect::<String>()
    }),
    ("CSV of Jira", false, |lines| {
        let rows = lines.iter().enumerate().map(|(n, line)| format!("\"OPS-{n}\",\"{line}\"\n"));
        "\"Key\",\"Summary\"\n".to_owned() + &rows.collect::<String>()
    }),
    ("a mail", true, |lines| {
        format!(
            "From: ops@mail.example\nSubject: tickets of tonight\n\nHi,\nhere they are:\n\n{}\n\nRegards\n-- \nOps\n",
            lines.join("\n")
        )
    }),
    ("a reply", true, |lines| {
        format!("On Mon, Nov 23, 2026 at 6:51 AM Ops wrote:\n> {}\n", lines.join("\n> "))
    }),
    ("a code block", true, |lines| format!("# Tickets\n\n```\n{}\n```\n", lines.join("\n"))),
    ("a byte order mark", true, |lines| format!("\u{feff}{}", lines.join("\n"))),
    ("in one line", false, |lines| lines.join(", ")),
    ("line ends of old", false, |lines| lines.join("\r")),
    ("JSON strings", false, |lines| serde_json::to_string(lines).unwrap()),
];

/// The exit code, the report, and what standard error says.
fn triage(input: &str) -> (Option<i32>, Value, String) {
    let output = common::report_of(input);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8(output.stderr).unwrap())
}

/// The incidents without their positions and texts; `None` if nothing could be read.
fn incidents(input: &str) -> Option<Vec<String>> {
    let (code, report, said) = triage(input);
    if code == Some(3) {
        assert!(said.contains("nothing could be read: the input "), "{said}");
        return None;
    }
    assert_eq!(code, Some(0), "{said}");
    let incidents = report["incidents"].as_array().unwrap().iter().map(|incident| {
        let members = incident["members"].as_array().unwrap();
        let member = |member: &Value| {
            format!(
                "{} {} {} {}",
                member["labels"]["zone"], member["alert"], member["verdict"], member["count"]
            )
        };
        let mut members: Vec<String> = members.iter().map(member).collect();
        members.sort();
        format!(
            "{} {} {}: {}",
            incident["priority"],
            incident["notify"],
            incident["headline"],
            members.join(", ")
        )
    });
    Some(incidents.collect())
}

fn transformed(input: &str, transform: Line) -> String {
    input.lines().enumerate().map(|(n, line)| transform(n + 1, line) + "\n").collect()
}

#[test]
fn pasted_lines_are_the_same_incidents() {
    let mut wrong = Vec::new();
    for input in [SAMPLE, OTHER] {
        let want = incidents(input);
        for (name, transform) in READ {
            let found = incidents(&transformed(input, *transform));
            if found != want {
                wrong.push(format!("{name}: {found:?}"));
            }
        }
        let lines: Vec<&str> = input.lines().collect();
        for (name, must_be_read, document) in DOCUMENTS {
            let found = incidents(&document(&lines));
            if found != want && (*must_be_read || found.is_some()) {
                wrong.push(format!("{name}: {found:?}"));
            }
        }
        for (name, transform) in LOUD {
            let found = incidents(&transformed(input, *transform));
            if found.is_some() && found != want {
                wrong.push(format!("{name}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The names of the sample are known in small letters and in capitals as well.
#[test]
fn other_letters_are_the_same_incidents() {
    let shape = |input: &str| incidents(input).map(|found| found.join("\n").to_lowercase());
    let want = shape(SAMPLE);
    assert!(want.is_some());
    assert_eq!(shape(&SAMPLE.to_lowercase()), want);
    assert_eq!(shape(&SAMPLE.to_uppercase()), want);
}

/// A sentence that happens to name a zone is not an alert.
#[test]
fn prose_is_not_an_alert() {
    let prose = "The zone was restarted yesterday.\nZone AB is fine again\nwe moved zone XQ to another rack\n\
                 zone ownership is discussed on Monday\nzone example.com/IN: loaded serial 5\n";
    let (code, report, _) = triage(prose);
    assert_eq!((code, &report["totals"]["records"]), (Some(3), &0.into()));
}

/// A line is one record, so that the number of records is that of the lines. What the lines say of
/// themselves is said in the caveats.
#[test]
fn counts_of_lines_are_said_in_the_caveats_and_split_no_alert() {
    let lines: Vec<&str> = OTHER.lines().collect();
    let distinct: std::collections::BTreeSet<&str> = lines.iter().copied().collect();
    let want = incidents(&distinct.iter().map(|line| format!("{line}\n")).collect::<String>());
    let counts: [(&str, Line); 5] = [
        ("uniq -c", |n, line| format!("{:7} {line}", n + 1)),
        ("uniq -c of BSD", |n, line| format!("{:4} {line}", n + 1)),
        ("x3", |n, line| format!("{line} (x{})", n + 1)),
        ("(3 times)", |n, line| format!("{line} ({} times)", n + 1)),
        ("[3x]", |n, line| format!("{line} [{}x]", n + 1)),
    ];
    for (name, count) in counts {
        let pasted: String = distinct.iter().enumerate().map(|(n, line)| count(n + 1, line) + "\n").collect();
        let (code, report, _) = triage(&pasted);
        assert_eq!(code, Some(0), "{name}");
        let lines = pasted.lines().count() as u64;
        assert_eq!(report["totals"]["records"], lines, "{name}");
        let caveats = report["caveats"].to_string();
        assert!(caveats.contains(&format!("{lines} lines say how often an alert came")), "{name}: {caveats}");
        assert_eq!(incidents(&pasted), want, "{name}");
    }
    // A count of one says nothing.
    let (_, report, _) = triage("      1 Zone K1: PumpDown\n");
    assert!(!report["caveats"].to_string().contains("how often"), "{report}");
}
