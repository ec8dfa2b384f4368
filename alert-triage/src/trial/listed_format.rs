//! All described formats in force.

use crate::formats::Shape;
use crate::rules::Rules;

/// One described format.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedFormat {
    /// The id, which `builtin: {disable: [id]}` takes.
    pub id: String,
    /// What it is.
    pub what: String,
    /// What it reads: json, lines, logfmt, table or blocks.
    pub reads: &'static str,
    /// The address of its documentation; may be empty.
    pub see: String,
    /// The input of its first example; may be empty.
    pub example: String,
    /// Whether it is built in.
    pub is_builtin: bool,
}

impl Rules {
    /// All described formats in force, those of the rules file first, in the order in which they
    /// are tried.
    pub fn listed_formats(&self) -> Vec<ListedFormat> {
        let own = self.own_formats().count();
        let listed = self.formats().enumerate().map(|(number, (_, format))| ListedFormat {
            id: format.id.clone(),
            what: format.what.clone(),
            reads: match format.shape {
                Shape::Json => "json",
                Shape::Lines => "lines",
                Shape::Logfmt => "logfmt",
                Shape::Table => "table",
                Shape::Blocks => "blocks",
            },
            see: format.see.clone(),
            example: format.examples.first().map(|example| example.input.value.clone()).unwrap_or_default(),
            is_builtin: number >= own,
        });
        listed.collect()
    }

    /// The YAML of the built-in formats.
    pub fn builtin_formats_yaml() -> &'static str {
        crate::formats::FORMATS
    }
}
