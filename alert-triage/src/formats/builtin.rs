//! The built-in formats.

use std::sync::OnceLock;

use serde::Deserialize;

use super::format_row::FormatRow;
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

/// The ids of the built-in formats, without compiling them.
pub(crate) fn builtin_ids() -> impl Iterator<Item = &'static str> {
    FORMATS.lines().filter_map(|line| line.strip_prefix("- id: "))
}
