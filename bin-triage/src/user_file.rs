//! Files that the user writes for `triage`: rules and test cases, in YAML.

use std::fs;
use std::path::Path;

use alert_triage::{Rules, printable};
use anyhow::Context as _;
use jiff::tz::TimeZone;

/// A user's file that is invalid. The text is printable and has several lines.
#[derive(Debug)]
pub(crate) struct BadUserFile(pub(crate) String);

impl std::fmt::Display for BadUserFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadUserFile {}

/// Reads a YAML file, which must be UTF-8.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let name = path.display();
    let bytes =
        fs::read(path).with_context(|| format!("cannot read {name}: check the path and its permissions"))?;
    String::from_utf8(bytes).map_err(|error| {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let before = String::from_utf8_lossy(before);
        let (line, column) =
            (before.split('\n').count(), before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
        let byte = rest.first().map(|byte| format!("\\x{byte:02x}")).unwrap_or_default();
        let text = format!(
            "{}:{line}:{column}: `{byte}` is not valid UTF-8: save the file as UTF-8",
            printable(name.to_string())
        );
        BadUserFile(text).into()
    })
}

/// The built-in rules, extended by those of `file`.
pub(crate) fn rules(file: Option<&Path>) -> anyhow::Result<Rules> {
    let Some(path) = file else { return Ok(Rules::builtin()) };
    let yaml = text(path)?;
    let name = path.display().to_string();
    Ok(Rules::parse(&yaml).map_err(|error| BadUserFile(error.shown(&name, &yaml)))?)
}

/// The same, for inputs whose times without a zone are in `zone`.
pub(crate) fn rules_in_zone(file: Option<&Path>, zone: Option<&TimeZone>) -> anyhow::Result<Rules> {
    let rules = rules(file)?;
    Ok(match zone {
        Some(zone) => rules.in_time_zone(zone.clone()),
        None => rules,
    })
}
