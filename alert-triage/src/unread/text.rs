//! Text that holds no alert.

use super::appearance::Appearance;
use crate::printable::printable;

/// Columns that are named.
const MAX_COLUMNS: usize = 8;

/// Beginnings of the messages of programs that failed, in lower case.
const PROGRAM_ERRORS: [&str; 16] = [
    "error from server",
    "error:",
    "error ",
    "unable to connect",
    "the connection to the server",
    "traceback (most recent call last)",
    "curl: (",
    "wget: ",
    "jq: error",
    "amtool: error",
    "kubectl: ",
    "fatal:",
    "usage:",
    "an error occurred",
    "ssh: ",
    "no resources found",
];

/// Ends and parts of the messages of shells.
const SHELL_ERRORS: [&str; 5] = [
    "command not found",
    "no such file or directory",
    "permission denied",
    "connection refused",
    "could not resolve host",
];

/// Describes text that is not JSON.
pub(super) fn describe(text: &str) -> Appearance {
    let first = text.lines().next().unwrap_or_default().trim();
    let lower = first.to_ascii_lowercase();
    let quoted = format!("`{}`", printable(first));
    if let Some(html) = html(text, &lower) {
        return html;
    }
    if lower.starts_with("<?xml") || lower.starts_with('<') && !first.starts_with("<1") && first.contains('>')
    {
        return Appearance::new("xml", "is XML: fetch the alerts as JSON");
    }
    let is_program_error = PROGRAM_ERRORS.iter().any(|begin| lower.starts_with(begin));
    let is_shell_error = lower.len() < 300 && SHELL_ERRORS.iter().any(|part| lower.contains(part));
    if text.lines().count() < 50 && (is_program_error || is_shell_error) {
        return Appearance::new(
            "program-error",
            format!(
                "is the message of a program that failed, {quoted}: correct the command that fetches the alerts"
            ),
        );
    }
    if lower.starts_with("# help ") || lower.starts_with("# type ") {
        return Appearance::new(
            "metrics",
            "is Prometheus metrics and not alerts: fetch /api/v1/alerts of Prometheus or /api/v2/alerts of Alertmanager",
        );
    }
    if is_yaml(text) {
        return Appearance::new(
            "yaml",
            "is YAML, such as a manifest or rules, and not alerts: fetch the alerts with -o json",
        );
    }
    if let Some(columns) = columns(text) {
        return Appearance::new(
            "table",
            format!(
                "is a table with the columns {columns}, none of which is known as the alert's name: rename that column to `alert`, \
                 or describe the table under `formats:` in --rules"
            ),
        );
    }
    Appearance::new(
        "text",
        format!(
            "is text, and no line fits a template or a known format; the first line is {quoted}: describe your lines with a \
             template in --rules (`triage formats` lists the known formats)"
        ),
    )
}

fn html(text: &str, lower: &str) -> Option<Appearance> {
    if !["<!doctype html", "<html", "<head", "<body"].iter().any(|begin| lower.starts_with(begin)) {
        return None;
    }
    let within = |open: &str, close: &str| {
        let from = text.to_ascii_lowercase().find(open)? + open.len();
        let rest = text.get(from..)?;
        let end = rest.to_ascii_lowercase().find(close)?;
        let words: Vec<&str> = rest[..end].split_whitespace().collect();
        Some(words.join(" ")).filter(|title| !title.is_empty())
    };
    let title = within("<title>", "</title>").or_else(|| within("<h1>", "</h1>"));
    let title = title.map(|title| format!(", with the title `{}`", printable(title))).unwrap_or_default();
    Some(Appearance::new(
        "html",
        format!(
            "is an HTML page{title}, probably an error or a log-in page of a web server: check the address and the credentials"
        ),
    ))
}

/// Whether most lines of the start are keys of YAML.
fn is_yaml(text: &str) -> bool {
    let is_key = |line: &str| {
        let line = line.trim_start_matches([' ', '-']);
        let key = line.split_once(':').filter(|(_, value)| value.is_empty() || value.starts_with(' '));
        key.is_some_and(|(key, _)| {
            !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte))
        })
    };
    let mut lines =
        text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).take(6).peekable();
    let begins = lines.peek().is_some_and(|line| *line == "---" || is_key(line) && !line.starts_with(' '));
    begins && lines.filter(|line| *line != "---").all(is_key)
}

/// The columns of a header line, named; `None` if the text is not a table.
fn columns(text: &str) -> Option<String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (header, second) = (lines.next()?, lines.next()?);
    let separator = ['\t', ';', ',', '|'].into_iter().find(|separator| {
        let count = header.matches(*separator).count();
        count > 0 && second.matches(*separator).count() >= count
    })?;
    let names: Vec<&str> =
        header.trim_matches('|').split(separator).map(|name| name.trim().trim_matches('"')).collect();
    let is_name =
        |name: &&str| !name.is_empty() && name.len() < 40 && !name.starts_with(|c: char| c.is_ascii_digit());
    if names.len() < 2 || !names.iter().all(is_name) {
        return None;
    }
    let mut shown: Vec<String> =
        names.iter().take(MAX_COLUMNS).map(|name| format!("`{}`", printable(*name))).collect();
    if names.len() > MAX_COLUMNS {
        shown.push("…".to_owned());
    }
    Some(shown.join(", "))
}
