//! Tables without lines, as kubectl prints them.

use breaker_core::printable::one_line;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

/// Spaces between two columns, as in kubectl.
const COLUMN_GAP: u16 = 3;

/// A table with these names of columns and these cells, each on one line.
pub(crate) fn table(head: Vec<&str>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(head);
    for row in rows {
        table.add_row(row.into_iter().map(|cell| one_line(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}
