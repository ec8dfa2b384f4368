//! The described formats in force: those of the file, then the built-in ones.

use serde_json::Value;

use super::rule_set::Rules;
use crate::format::Format;
use crate::formats::{Block, MappedFormat, Shape, blocks, builtin, builtin_json, builtin_lines};

impl Rules {
    /// The formats of the file, with their indices.
    pub(crate) fn own_formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        (0..).zip(&self.table().formats)
    }

    /// The built-in formats that are not replaced or disabled, with their indices.
    pub(crate) fn builtin_formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        (0..builtin().len() as u16).filter_map(|number| self.numbered(number))
    }

    /// All formats in force, those of the file first.
    pub(crate) fn formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        self.own_formats().chain(self.builtin_formats())
    }

    /// The format of JSON in force that this document has.
    pub(crate) fn json_format(&self, document: &Value) -> Option<(u16, &MappedFormat)> {
        let own = self.own_formats().filter(|(_, format)| format.shape == Shape::Json);
        let built_in = builtin_json(document).into_iter().filter_map(|number| self.numbered(number));
        own.chain(built_in).find(|(_, format)| format.detects(document))
    }

    /// The built-in format with this number, unless it is replaced or disabled.
    fn numbered(&self, number: u16) -> Option<(u16, &MappedFormat)> {
        let format = builtin().get(usize::from(number))?;
        let own = &self.table().formats;
        let is_replaced = || own.iter().any(|mine| mine.id == format.id);
        (self.is_on(&format.id) && !is_replaced()).then_some((own.len() as u16 + number, format))
    }

    /// The formats of lines in force that may read this line, those of the file first.
    pub(crate) fn line_formats(&self, line: &str) -> impl Iterator<Item = (u16, &MappedFormat)> {
        let own = self.own_formats().filter(|(_, format)| format.shape == Shape::Lines);
        let built_in = builtin_lines(line).into_iter().filter_map(|number| self.numbered(number));
        own.chain(built_in)
    }

    /// The formats of blocks in force, those of the file first.
    pub(crate) fn block_formats(&self) -> impl Iterator<Item = (u16, &MappedFormat)> {
        self.formats().filter(|(_, format)| format.shape == Shape::Blocks)
    }

    /// The blocks of a text.
    pub(crate) fn blocks(&self, text: &str) -> Vec<Block> {
        blocks(text, |block| self.block_formats().any(|(_, format)| format.detects(&format.block(block))))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The inputs of all examples, their lines, and the documents inside.
    fn inputs() -> Vec<String> {
        let examples = builtin().iter().flat_map(|format| &format.examples);
        examples
            .flat_map(|example| example.input.value.lines().chain([&example.input.value[..]]))
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn the_index_finds_what_a_search_of_all_formats_finds() {
        let rules = Rules::builtin();
        let (mut documents, mut lines) = (0, 0);
        for input in inputs() {
            if let Ok(document) = serde_json::from_str::<Value>(&input) {
                let all = rules.formats();
                let slow = all
                    .filter(|(_, format)| format.shape == Shape::Json)
                    .find(|(_, format)| format.detects(&document));
                let of = |found: Option<(u16, &MappedFormat)>| found.map(|(number, _)| number);
                assert_eq!(of(rules.json_format(&document)), of(slow), "{input}");
                documents += usize::from(slow.is_some());
            }
            let reads = |(number, format): (u16, &MappedFormat)| {
                (format.shape == Shape::Lines && format.line(&input).is_some()).then_some(number)
            };
            let slow: Vec<u16> = rules.formats().filter_map(reads).collect();
            assert_eq!(rules.line_formats(&input).filter_map(reads).collect::<Vec<_>>(), slow, "{input}");
            lines += usize::from(!slow.is_empty());
        }
        assert!(documents > 100 && lines > 10, "{documents} {lines}");
    }
}
