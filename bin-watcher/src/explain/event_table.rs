//! The table of `kubectl get events` and `kubectl events`.

use breaker_core::pod::PodEvent;

use super::capture::{Capture, field_path_of};

/// The columns of a table that kubectl aligns: each begins where its name begins.
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

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(column, _)| column == name)
    }
}

/// The columns of a table of events, by its header.
pub(crate) fn header(line: &str) -> Option<Columns> {
    let known =
        |columns: &Columns| ["LAST SEEN", "REASON", "OBJECT", "MESSAGE"].iter().all(|name| columns.has(name));
    Columns::of_header(line).filter(known)
}

/// Adds the event of a row, if it is about a pod.
pub(crate) fn row(columns: &Columns, line: &str, capture: &mut Capture) {
    let cell = |name| columns.cell(line, name);
    let Some(pod) = cell("OBJECT").strip_prefix("pod/").or_else(|| cell("OBJECT").strip_prefix("Pod/"))
    else {
        return;
    };
    let message = cell("MESSAGE");
    let field_path = match cell("SUBOBJECT") {
        "" => field_path_of(message),
        path => path.to_owned(),
    };
    let event = PodEvent { reason: cell("REASON").into(), message: message.into(), field_path, at: None };
    capture.event(cell("NAMESPACE"), pod, event);
}
