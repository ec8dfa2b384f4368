//! Rows of text as objects: pairs of logfmt, and tables with a header.

use serde_json::{Map, Value};

use super::label_text::end_of_quoted;

/// The pairs of a line of logfmt; `None` if it has fewer than two.
pub(crate) fn logfmt(line: &str) -> Option<Value> {
    let mut pairs = Map::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = &rest[..end];
        rest = &rest[end..];
        let Some(value) = rest.strip_prefix('=') else {
            rest = rest.trim_start();
            continue;
        };
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let end = end_of_quoted(quoted)?;
                (quoted[..end].replace("\\\"", "\""), &quoted[end + 1..])
            }
            None => {
                let end = value.find(char::is_whitespace).unwrap_or(value.len());
                (value[..end].to_owned(), &value[end..])
            }
        };
        if !key.is_empty() {
            pairs.insert(key.to_owned(), Value::String(value));
        }
        rest = behind.trim_start();
    }
    (pairs.len() > 1).then_some(Value::Object(pairs))
}

/// How the columns of a table are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Byte(u8),
    /// `| a | b |` or `a|b`, as in Markdown and in clients of databases.
    Bars,
    /// Two or more blanks; the columns begin where those of the header begin.
    Aligned,
}

/// The maximum number of columns of a table.
const MAX_COLUMNS: usize = 256;

/// The rows of a table with their line numbers; a row that cannot be read is its error.
pub(crate) type Rows = Vec<(u64, Result<Value, String>)>;

/// Reads the header of a table, in lower case with `_` for blanks; `None` if the text has none.
pub(crate) fn columns(text: &str) -> Option<Vec<String>> {
    header(text).map(|(_, _, columns)| columns)
}

/// Whether a line of a table draws only rules, or is blank.
fn is_rule(line: &str) -> bool {
    line.trim().chars().all(|c| matches!(c, '+' | '-' | '=' | '|' | ' ' | ':' | '\t'))
}

/// Whether a line between bars is one cell, as the title of a table of the AWS CLI.
fn is_caption(line: &str) -> bool {
    line.trim().starts_with('|') && bars(line).len() == 1
}

fn header(text: &str) -> Option<(usize, Separator, Vec<String>)> {
    let (number, line) = text.lines().enumerate().find(|(_, line)| !is_rule(line) && !is_caption(line))?;
    let separator = if line.trim().starts_with('|') {
        Separator::Bars
    } else if let Some(byte) = [b'\t', b';', b','].into_iter().find(|byte| line.as_bytes().contains(byte)) {
        Separator::Byte(byte)
    } else if line.contains('|') {
        Separator::Bars
    } else if starts(line).len() > 1 {
        Separator::Aligned
    } else {
        return None;
    };
    let cells = |line: &str| {
        Some(match separator {
            Separator::Byte(byte) => record(line, byte)?,
            Separator::Bars => bars(line),
            Separator::Aligned => aligned(line, &starts(line)),
        })
    };
    let names: Vec<String> = cells(line)?.iter().map(|cell| normalized(cell)).collect();
    let is_header = (2..=MAX_COLUMNS).contains(&names.len()) && names.iter().all(|name| name.len() < 60);
    // Pasted lines have the same word in the same place: `ALERT | Zone AB: X`.
    let next = text.lines().skip(number + 1).find(|line| !is_rule(line)).and_then(cells);
    let repeats =
        next.iter().flatten().zip(&names).any(|(cell, name)| !name.is_empty() && normalized(cell) == *name);
    (is_header && !repeats).then_some((number, separator, names))
}

pub(super) fn normalized(cell: &str) -> String {
    let cell = cell.trim().trim_start_matches('\u{feff}').trim_matches('"');
    let plain: String = cell.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("_").to_lowercase()
}

/// Reads a whole table.
pub(crate) fn table(text: &str) -> Option<Rows> {
    let (at, separator, columns) = header(text)?;
    let row = |cells: Vec<String>| {
        let cells = cells.into_iter().map(|cell| Value::String(cell.trim().to_owned()));
        let named = columns.iter().cloned().zip(cells).filter(|(name, _)| !name.is_empty());
        Value::Object(named.collect())
    };
    let mut rows = Vec::new();
    match separator {
        Separator::Byte(byte) => {
            let body: usize = text.split_inclusive('\n').take(at + 1).map(str::len).sum();
            let mut reader = csv::ReaderBuilder::new()
                .delimiter(byte)
                .has_headers(false)
                .flexible(true)
                .from_reader(&text.as_bytes()[body..]);
            let mut cells = csv::StringRecord::new();
            loop {
                // The position of a record is known after it was read.
                match reader.read_record(&mut cells) {
                    Ok(false) => break,
                    Ok(true) => {
                        let line = cells.position().map_or(1, csv::Position::line) + at as u64 + 1;
                        let cells: Vec<String> = cells.iter().map(str::to_owned).collect();
                        rows.push((line, Ok(row(cells))));
                    }
                    Err(error) => {
                        let line = error.position().map_or(1, csv::Position::line) + at as u64 + 1;
                        rows.push((line, Err(error.to_string())));
                    }
                }
            }
        }
        Separator::Bars | Separator::Aligned => {
            let begin = starts(text.lines().nth(at).unwrap_or_default());
            for (number, line) in text.lines().enumerate().skip(at + 1) {
                if !is_rule(line) {
                    let cells = if separator == Separator::Bars { bars(line) } else { aligned(line, &begin) };
                    rows.push((number as u64 + 1, Ok(row(cells))));
                }
            }
        }
    }
    Some(rows)
}

fn record(line: &str, delimiter: u8) -> Option<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok()?;
    Some(record.iter().map(str::to_owned).collect())
}

fn bars(line: &str) -> Vec<String> {
    let line = line.trim();
    // A bar behind the last cell stands only where one stands before the first.
    let cells = match line.strip_prefix('|') {
        Some(cells) => cells.strip_suffix('|').unwrap_or(cells),
        None => line,
    };
    cells.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Where the columns of an aligned header begin, in characters.
fn starts(header: &str) -> Vec<usize> {
    let chars: Vec<char> = header.chars().collect();
    let is_start = |at: &usize| {
        !chars[*at].is_whitespace()
            && (*at == 0 || *at > 1 && chars[at - 1].is_whitespace() && chars[at - 2].is_whitespace())
    };
    (0..chars.len()).filter(is_start).collect()
}

/// The cells of a line, up to the last column that it reaches.
fn aligned(line: &str, starts: &[usize]) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let ends = starts.iter().skip(1).copied().chain([usize::MAX]);
    let cell = |(from, to): (&usize, usize)| {
        chars[*from..to.min(chars.len())].iter().collect::<String>().trim().to_owned()
    };
    starts.iter().zip(ends).take_while(|(from, _)| **from < chars.len()).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pairs_are_read() {
        assert_eq!(
            logfmt(r#"a=1 b="x \"y\" z" junk c="#),
            Some(json!({"a": "1", "b": "x \"y\" z", "c": ""}))
        );
        assert_eq!(logfmt("a=1"), None);
        assert_eq!(logfmt("no pairs here"), None);
    }

    #[test]
    fn tables_of_all_kinds_have_the_same_rows() {
        let want = json!([{"alert_name": "Disk full", "zone": "K1"}, {"alert_name": "X", "zone": ""}]);
        for text in [
            "Alert name,Zone\n\"Disk full\",K1\nX,\n",
            "\n\"Alert Name\";\"Zone\"\nDisk full;K1\nX;\n",
            "Alert name\tzone\nDisk full\tK1\nX\t\n",
            "| Alert name | Zone |\n|---|---:|\n| Disk full | K1 |\n| X | |\n",
            "+------------+------+\n| Alert name | zone |\n+------------+------+\n| Disk full  | K1   |\n| X          |      |\n",
            "-----------\n|  Alarms  |\n+------+---+\n|Alert name|Zone|\n+----+---+\n|Disk full|K1|\n|X||\n+---+--+\n",
            "#Alert name|Zone\nDisk full|K1\nX|\n",
            " Alert name | zone\n------------+------\n Disk full  | K1\n X          |\n",
            "ALERT NAME   ZONE\nDisk full    K1\nX             \n",
        ] {
            assert_eq!(columns(text).unwrap(), ["alert_name", "zone"], "{text}");
            let rows: Vec<Value> = table(text).unwrap().into_iter().map(|(_, row)| row.unwrap()).collect();
            assert_eq!(Value::Array(rows), want, "{text}");
        }
        let lines = table("a,b\n\"x\ny\",1\nz,2\n").unwrap();
        assert_eq!(lines.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn lines_with_the_same_word_in_one_place_are_not_a_table() {
        for text in ["ALERT | Zone AB: X\nALERT | Zone AB: Y\n", "alert, Zone AB: X\nalert, Zone AB: Y\n"] {
            assert_eq!(columns(text), None, "{text}");
        }
    }

    #[test]
    fn a_row_has_no_more_cells_than_its_line() {
        let rows = table("NAME   ZONE   NOTE\nX\nY      K1\n").unwrap();
        let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row.unwrap()).collect();
        assert_eq!(rows, [json!({"name": "X"}), json!({"name": "Y", "zone": "K1"})]);
    }

    #[test]
    fn a_table_has_at_most_256_columns() {
        for separator in [",", "\t", "  "] {
            let header = |columns: usize| vec!["c"; columns].join(separator);
            assert_eq!(columns(&header(MAX_COLUMNS)).map(|columns| columns.len()), Some(MAX_COLUMNS));
            assert_eq!(columns(&header(MAX_COLUMNS + 1)), None);
            assert!(table(&header(MAX_COLUMNS + 1)).is_none());
        }
    }
}
