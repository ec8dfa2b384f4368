//! Tables that kubectl aligns.

/// The columns of a table: each begins where its name begins.
#[derive(Debug)]
pub(crate) struct Columns(Vec<(String, usize)>);

impl Columns {
    /// The columns of a header; `None` if it has fewer than two. Names can hold single spaces.
    pub(crate) fn of_header(line: &str) -> Option<Self> {
        let mut columns = Vec::new();
        let mut at = 0;
        for name in line.split("  ") {
            let begins = at + (name.len() - name.trim_start().len());
            if !name.trim().is_empty() {
                columns.push((name.trim().to_owned(), begins));
            }
            at += name.len() + "  ".len();
        }
        (columns.len() > 1).then_some(Self(columns))
    }

    /// The cell of a line in the column of this name; empty if there is none.
    pub(crate) fn cell<'l>(&self, line: &'l str, name: &str) -> &'l str {
        let Some(column) = self.0.iter().position(|(column, _)| column == name) else { return "" };
        let from = line.floor_char_boundary(self.0[column].1);
        let to = self.0.get(column + 1).map_or(line.len(), |(_, to)| line.floor_char_boundary(*to));
        line.get(from..to).unwrap_or_default().trim()
    }

    /// Whether the table has all of these columns.
    pub(crate) fn have(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.0.iter().any(|(column, _)| column == name))
    }
}
