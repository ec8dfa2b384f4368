use std::fmt::Write as _;
use std::io::{self, Write as _};

use alert_triage::{Place, Report, printable};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};

use crate::args::Output;

/// Columns of the report; longer cells wrap.
const WIDTH: u16 = 100;

/// Malformed lines shown under the table; the JSON shows more.
const MALFORMED_SHOWN: usize = 10;

/// Prints the report to standard output.
pub(crate) fn print(report: &Report, output: Output) -> io::Result<()> {
    let text = match output {
        Output::Table => table(report),
        Output::Json => format!("{}\n", serde_json::to_string_pretty(report)?),
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

fn table(report: &Report) -> String {
    let totals = report.totals;
    let mut text = format!(
        "{} = {} blank + {} malformed + {}; {}\n",
        counted(totals.lines, "line"),
        totals.blank,
        totals.malformed,
        counted(totals.records, "record"),
        counted(totals.distinct, "distinct alert"),
    );
    if !report.members.is_empty() {
        let _ = writeln!(text, "{}", rows(report).trim_fmt());
        text.push_str(
            "By severity of the names known, then by first appearance; not yet joined into incidents.\n",
        );
    }
    if !report.malformed.is_empty() {
        let _ = writeln!(text, "{}", malformed(report).trim_fmt());
    }
    let more = totals.malformed.saturating_sub(MALFORMED_SHOWN as u64);
    if more > 0 {
        let _ = writeln!(text, "{more} more malformed; -o json shows the first 1,000 and counts all by kind");
    }
    text
}

fn rows(report: &Report) -> Table {
    let mut table = titled(["Severity", "Zone", "Alert", "Count", "First line", "Last line"]);
    for column in 3..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for member in &report.members {
        table.add_row([
            member.severity.to_string(),
            printable(&member.identity.scope.zone),
            printable(&member.identity.alert),
            member.count.to_string(),
            place(report, member.first),
            place(report, member.last),
        ]);
    }
    table
}

fn malformed(report: &Report) -> Table {
    let mut table = titled(["Line", "Malformed because it", "Text"]);
    for malformed in report.malformed.iter().take(MALFORMED_SHOWN) {
        table.add_row([place(report, malformed.place), malformed.fault.to_string(), malformed.text.clone()]);
    }
    table
}

fn titled<const N: usize>(titles: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH)
        .set_header(titles);
    table
}

/// The line; with its file, where there are several.
fn place(report: &Report, place: Place) -> String {
    match report.sources.as_slice() {
        [] | [_] => place.line.to_string(),
        sources => format!("{}:{}", printable(&sources[place.source]), place.line),
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
