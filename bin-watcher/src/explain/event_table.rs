//! The table of `kubectl get events` and `kubectl events`, with its header or without.

use breaker_core::pod::PodEvent;

use super::capture::{Capture, field_path_of};
use super::table::Columns;

/// The rows of a table.
#[derive(Debug)]
pub(crate) enum Rows {
    /// Under a header, whose columns place the cells.
    Aligned(Columns),
    /// Without a header, as `--no-headers` prints them: two blanks separate the cells.
    Bare,
}

impl Rows {
    /// The rows of a table by its first line; `None` if that is not one of a table of events.
    pub(crate) fn begin(line: &str) -> Option<Self> {
        let names = ["LAST SEEN", "REASON", "OBJECT", "MESSAGE"];
        if let Some(columns) = Columns::of_header(line).filter(|columns| columns.have(&names)) {
            return Some(Self::Aligned(columns));
        }
        bare_row(line).map(|_| Self::Bare)
    }

    /// Adds the event of a line, if it is about a pod. A header has none.
    pub(crate) fn add(&self, line: &str, capture: &mut Capture) {
        let row = match self {
            Self::Aligned(columns) => {
                let cell = |name| columns.cell(line, name);
                Some(Row {
                    namespace: cell("NAMESPACE"),
                    reason: cell("REASON"),
                    object: cell("OBJECT"),
                    subobject: cell("SUBOBJECT"),
                    message: cell("MESSAGE"),
                })
            }
            Self::Bare => bare_row(line),
        };
        let Some(row) = row else { return };
        let Some(pod) = row.object.strip_prefix("pod/").or_else(|| row.object.strip_prefix("Pod/")) else {
            return;
        };
        let field_path = match row.subobject {
            "" => field_path_of(row.message),
            path => path.to_owned(),
        };
        let event = PodEvent { reason: row.reason.into(), message: row.message.into(), field_path, at: None };
        capture.event(row.namespace, pod, event);
    }
}

struct Row<'l> {
    namespace: &'l str,
    reason: &'l str,
    object: &'l str,
    subobject: &'l str,
    message: &'l str,
}

/// `[NAMESPACE] LAST-SEEN TYPE REASON KIND/NAME MESSAGE`, with two blanks or more between them.
fn bare_row(line: &str) -> Option<Row<'_>> {
    let mut rest = line.trim();
    let mut next = || {
        let (cell, after) = rest.split_once("  ").unwrap_or((rest, ""));
        rest = after.trim_start();
        cell.trim_end()
    };
    let first = next();
    let (namespace, age) = if is_age(first) { ("", first) } else { (first, next()) };
    let (kind, reason, object) = (next(), next(), next());
    let is_row = is_age(age) && matches!(kind, "Normal" | "Warning") && object.contains('/');
    is_row.then_some(Row { namespace, reason, object, subobject: "", message: rest })
}

/// `5m12s`, `3d`, `<unknown>`, `10s (x4 over 2m)`.
fn is_age(cell: &str) -> bool {
    let age = cell.split(' ').next().unwrap_or_default();
    let is_unit = |c: char| c.is_ascii_digit() || "smhdy".contains(c);
    age == "<unknown>"
        || age.starts_with(|c: char| c.is_ascii_digit())
            && age.ends_with(|c: char| c.is_ascii_lowercase())
            && age.chars().all(is_unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_header_has_the_cells_of_one_with_it() {
        let message = "Liveness probe failed:  two  blanks";
        let line = format!("5m12s       Warning   Unhealthy   pod/a-1   {message}");
        let row = bare_row(&line).expect("a row");
        assert_eq!((row.namespace, row.reason, row.object), ("", "Unhealthy", "pod/a-1"));
        assert_eq!(row.message, message);
        let row = bare_row("sre   2s (x4 over 1m)   Normal   Killing   pod/a-1   Stopping").expect("a row");
        assert_eq!((row.namespace, row.reason, row.message), ("sre", "Killing", "Stopping"));
    }

    #[test]
    fn a_line_of_a_log_is_not_a_row() {
        for line in [
            "",
            "2026-11-29 08:24:03  Warning  pool  a/b  connection refused",
            "5m  WARN  pool  a/b  refused",
            "5m12s  Warning  BackOff  app  Back-off",
        ] {
            assert!(bare_row(line).is_none(), "{line}");
        }
    }
}
