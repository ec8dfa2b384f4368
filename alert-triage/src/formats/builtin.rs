//! The built-in formats.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::RegexSet;
use serde::Deserialize;
use serde_json::Value;

use super::format_row::{FormatRow, Shape};
use super::mapped_format::MappedFormat;
use crate::yaml;

/// The rows of the built-in formats.
pub(crate) const FORMATS: &str = include_str!("formats.yaml");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FormatsFile {
    formats: Vec<FormatRow>,
}

/// The built-in formats, compiled at the first call: an input in a core format never needs them.
pub(crate) fn builtin() -> &'static [MappedFormat] {
    static BUILTIN: OnceLock<Vec<MappedFormat>> = OnceLock::new();
    BUILTIN.get_or_init(|| {
        let file: FormatsFile = yaml::parse(FORMATS).expect("tested: the built-in formats parse");
        let compiled = file.formats.into_iter().map(MappedFormat::compile);
        compiled.collect::<Result<_, _>>().expect("tested: the built-in formats compile")
    })
}

/// The numbers of the built-in formats of lines that read this line. One scan for all of them.
pub(crate) fn builtin_lines(line: &str) -> Vec<u16> {
    static LINES: OnceLock<(RegexSet, Vec<u16>)> = OnceLock::new();
    let (all, formats) = LINES.get_or_init(|| {
        let numbered = (0..).zip(builtin()).filter(|(_, format)| format.shape == Shape::Lines);
        let (formats, patterns): (Vec<u16>, Vec<&str>) = numbered
            .flat_map(|(number, format)| format.lines.iter().map(move |line| (number, line.as_str())))
            .unzip();
        (RegexSet::new(patterns).expect("tested: the built-in formats compile"), formats)
    });
    let mut found: Vec<u16> = all.matches(line).into_iter().map(|pattern| formats[pattern]).collect();
    found.dedup();
    found
}

/// The numbers of the built-in formats of JSON that this document may have, in order. Each is found
/// by the member that the fewest formats have, so that a document is compared with few of them.
pub(crate) fn builtin_json(document: &Value) -> Vec<u16> {
    static JSON: OnceLock<HashMap<&str, Vec<u16>>> = OnceLock::new();
    /// The key of formats that no member tells from others.
    const ANY: &str = "";
    let by_key = JSON.get_or_init(|| {
        let formats = || (0..).zip(builtin()).filter(|(_, format)| format.shape == Shape::Json);
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for (_, format) in formats() {
            format.first_keys().for_each(|key| *uses.entry(key).or_default() += 1);
        }
        let mut by_key: HashMap<&str, Vec<u16>> = HashMap::new();
        for (number, format) in formats() {
            let rarest = format.first_keys().min_by_key(|key| uses[*key]).unwrap_or(ANY);
            by_key.entry(rarest).or_default().push(number);
        }
        by_key
    });
    let keys = document.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str));
    let keys = keys.filter(|key| !key.is_empty()).chain([ANY]);
    let mut found: Vec<u16> = keys.filter_map(|key| by_key.get(key)).flatten().copied().collect();
    found.sort_unstable();
    found
}

/// The ids of the built-in formats, without compiling them.
pub(crate) fn builtin_ids() -> impl Iterator<Item = &'static str> {
    FORMATS.lines().filter_map(|line| line.strip_prefix("- id: "))
}
