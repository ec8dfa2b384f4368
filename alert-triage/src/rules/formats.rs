//! The described formats in force: those of the file, then the built-in ones.

use super::rule_set::Rules;
use crate::format::Format;
use crate::formats::{MappedFormat, builtin};

impl Rules {
    /// The formats of the file, with their indices.
    pub(crate) fn own_formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        (0..).zip(&self.table().formats)
    }

    /// The built-in formats that are not replaced or disabled, with their indices.
    pub(crate) fn builtin_formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        let own = &self.table().formats;
        (own.len() as u16..)
            .zip(builtin())
            .filter(|(_, format)| self.is_on(&format.id) && !own.iter().any(|mine| mine.id == format.id))
    }

    /// All formats in force, those of the file first.
    pub(crate) fn formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        self.own_formats().chain(self.builtin_formats())
    }

    pub(crate) fn mapped_format(&self, index: u16) -> Option<&MappedFormat> {
        let own = &self.table().formats;
        own.get(usize::from(index)).or_else(|| builtin().get(usize::from(index).checked_sub(own.len())?))
    }

    /// The name of a format: the id of a described one.
    ///
    /// ```
    /// use alert_triage::{Format, Rules};
    ///
    /// assert_eq!(Rules::builtin().format_name(Format::Jsonl), "jsonl");
    /// ```
    pub fn format_name(&self, format: Format) -> &str {
        match format {
            Format::Mapped(id) => self.mapped_format(id.index).map_or("mapped", |format| format.id.as_str()),
            format => format.name(),
        }
    }
}
