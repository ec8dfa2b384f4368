//! A described format, compiled.

use std::collections::HashSet;

use regex::Regex;
use serde_json::Value;

use super::field::{Field, Source, scalar};
use super::field_path::FieldPath;
use super::format_row::{DetectRow, ExampleRow, FieldRow, FormatRow, Shape};
use super::located::Located;
use super::text_blocks::Block;
use crate::yaml::FileError;

/// A compiled format.
#[derive(Debug, Clone)]
pub(crate) struct MappedFormat {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) see: String,
    pub(crate) shape: Shape,
    detect: Vec<Condition>,
    pub(super) lines: Vec<Regex>,
    each: Option<serde_json_path::JsonPath>,
    /// Whether a field needs what is around an alert.
    is_located: bool,
    pub(super) name: Option<Field>,
    pub(crate) message: Option<Field>,
    pub(super) labels: Vec<(String, Field)>,
    pub(super) all_labels: Vec<Field>,
    pub(super) drop: HashSet<String>,
    pub(super) severity: Option<Field>,
    pub(super) severity_changes: bool,
    pub(super) status: Option<Field>,
    pub(super) starts_at: Option<Field>,
    pub(super) ends_at: Option<Field>,
    pub(super) updated_at: Option<Field>,
    pub(super) key: Option<Field>,
    pub(super) summary: Option<Field>,
    pub(super) url: Option<Field>,
    pub(super) runbook: Option<Field>,
    pub(super) acknowledged: Option<Field>,
    pub(super) snapshot: bool,
    pub(crate) examples: Vec<ExampleRow>,
}

#[derive(Debug, Clone)]
struct Condition {
    path: FieldPath,
    is: Vec<String>,
    matches: Option<Regex>,
}

/// The label whose sources give several labels.
const ALL: &str = "*";

impl MappedFormat {
    pub(crate) fn compile(row: FormatRow) -> Result<Self, FileError> {
        let FormatRow { id, .. } = &row;
        let fault = |message: String| FileError::at(id, format!("format `{}`: {message}", id.value));
        let regex = |text: &String| {
            Regex::new(text).map_err(|error| fault(format!("`{text}` is not a regular expression: {error}")))
        };
        let field = |name: &str, row: &Option<FieldRow>| {
            row.as_ref()
                .map(|row| Field::compile(row).map_err(|error| fault(format!("{name}: {error}"))))
                .transpose()
        };
        let condition = |row: &DetectRow| {
            let (path, is, matches) = match row {
                DetectRow::Present(path) => (path, None, None),
                DetectRow::Value(row) => (&row.path, row.is.as_ref(), row.matches.as_ref()),
            };
            Ok(Condition {
                path: FieldPath::parse(path).map_err(&fault)?,
                is: is.map(|texts| texts.as_slice().to_vec()).unwrap_or_default(),
                matches: matches.map(regex).transpose()?,
            })
        };
        let lines =
            row.lines.iter().flat_map(|lines| lines.as_slice()).map(regex).collect::<Result<Vec<_>, _>>()?;
        let (has_lines, has_detect) = (!lines.is_empty(), !row.detect.is_empty());
        match row.reads {
            Shape::Json | Shape::Logfmt | Shape::Blocks if !has_detect => {
                return Err(fault(
                    "has no `detect`: name the fields by which it is known, such as [$.title]".to_owned(),
                ));
            }
            Shape::Lines if !has_lines => {
                return Err(fault("has no `lines`: write a regular expression with named groups".to_owned()));
            }
            Shape::Json | Shape::Logfmt | Shape::Table if has_lines => {
                return Err(fault(
                    "has `lines`, which only `reads: lines` and `reads: blocks` use".to_owned(),
                ));
            }
            _ => {}
        }
        if row.name.is_none() && row.message.is_none() {
            return Err(fault("has neither `name` nor `message`: say where the alert's name is".to_owned()));
        }
        let each = row.each.as_ref().map(|each| {
            serde_json_path::JsonPath::parse(each)
                .map_err(|error| fault(format!("each: `{each}` is not a JSONPath (RFC 9535): {error}")))
        });
        let mut labels = Vec::new();
        let mut all_labels = Vec::new();
        for (name, row) in &row.labels {
            let field = Field::compile(row).map_err(|error| fault(format!("label {name}: {error}")))?;
            if name == ALL { all_labels.push(field) } else { labels.push((name.clone(), field)) }
        }
        let mut format = Self {
            detect: row.detect.iter().map(condition).collect::<Result<_, FileError>>()?,
            each: each.transpose()?,
            is_located: false,
            name: field("name", &row.name)?,
            message: field("message", &row.message)?,
            severity: field("severity", &row.severity)?,
            status: field("status", &row.status)?,
            starts_at: field("starts_at", &row.starts_at)?,
            ends_at: field("ends_at", &row.ends_at)?,
            updated_at: field("updated_at", &row.updated_at)?,
            key: field("key", &row.key)?,
            summary: field("summary", &row.summary)?,
            url: field("url", &row.url)?,
            runbook: field("runbook", &row.runbook)?,
            acknowledged: field("acknowledged", &row.acknowledged)?,
            id: row.id.value.clone(),
            what: row.what,
            see: row.see,
            shape: row.reads,
            lines,
            severity_changes: row.severity_changes,
            labels,
            all_labels,
            drop: row.drop.into_iter().collect(),
            snapshot: row.snapshot,
            examples: row.examples,
        };
        let used: Vec<String> = format.used_members().map(str::to_owned).collect();
        format.drop.extend(used);
        let is_located = format.fields().chain(&format.all_labels).any(Field::is_located);
        format.is_located = is_located;
        Ok(format)
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        let named = self.labels.iter().map(|(_, field)| field);
        [
            &self.name,
            &self.message,
            &self.severity,
            &self.status,
            &self.starts_at,
            &self.ends_at,
            &self.updated_at,
            &self.key,
            &self.summary,
            &self.url,
            &self.runbook,
            &self.acknowledged,
        ]
        .into_iter()
        .flatten()
        .chain(named)
    }

    /// The members of an object of labels that other fields use.
    fn used_members(&self) -> impl Iterator<Item = &str> {
        fn path(source: &Source) -> Option<&FieldPath> {
            match source {
                Source::Alert(path) => Some(path),
                _ => None,
            }
        }
        let objects = self.all_labels.iter().flat_map(|field| &field.sources).filter_map(path);
        objects.flat_map(|object| {
            let sources = self.fields().flat_map(|field| &field.sources).filter_map(path);
            sources.filter_map(|used| object.member_of(used))
        })
    }

    /// Whether a document, a row or the pairs of a line have this format.
    pub(crate) fn detects(&self, value: &Value) -> bool {
        self.detect.iter().all(|condition| {
            let Some(found) = condition.path.first(value) else { return false };
            let text = scalar(found);
            (condition.is.is_empty()
                || text.as_ref().is_some_and(|text| condition.is.iter().any(|is| is == text)))
                && condition
                    .matches
                    .as_ref()
                    .is_none_or(|regex| text.as_ref().is_some_and(|text| regex.is_match(text)))
        })
    }

    /// Members that a document of this format has.
    pub(super) fn first_keys(&self) -> impl Iterator<Item = &str> {
        self.detect.iter().filter_map(|condition| condition.path.first_key())
    }

    /// Whether a table with these columns has this format: one of them is the alert's name.
    pub(crate) fn detects_columns(&self, columns: &[String]) -> bool {
        let row =
            Value::Object(columns.iter().map(|name| (name.clone(), Value::from(name.as_str()))).collect());
        let has_name = self.name.as_ref().is_some_and(|name| {
            name.sources
                .iter()
                .any(|source| matches!(source, Source::Alert(path) if path.first(&row).is_some()))
        });
        has_name && self.detects(&row)
    }

    /// Whether a document lists what stands.
    pub(crate) fn is_snapshot_list(&self) -> bool {
        self.snapshot && self.each.is_some()
    }

    /// The alerts of a document.
    pub(crate) fn alerts<'v>(&self, document: &'v Value) -> Vec<Located<'v>> {
        match &self.each {
            Some(each) if self.is_located => {
                let nodes = each.query_located(document);
                nodes.iter().map(|node| Located::from_node(node, document)).collect()
            }
            Some(each) => {
                let alerts = each.query(document).all().into_iter();
                alerts.map(|alert| Located::new(alert, document)).collect()
            }
            None => vec![Located::new(document, document)],
        }
    }

    /// The fields of a block: its pairs, and the groups of the expressions that match its lines.
    pub(crate) fn block(&self, block: &Block) -> Value {
        let mut fields = block.pairs.clone();
        let each = self.lines.iter().flat_map(|regex| block.lines().map(move |line| (regex, line)));
        for (regex, line) in each {
            let Some(groups) = regex.captures(line) else { continue };
            for name in regex.capture_names().flatten() {
                if let Some(group) = groups.name(name) {
                    fields.insert(name.to_owned(), Value::from(group.as_str()));
                }
            }
        }
        Value::Object(fields)
    }

    /// The groups of the first expression that matches a line, as an object.
    pub(crate) fn line(&self, line: &str) -> Option<Value> {
        self.lines.iter().find_map(|regex| {
            let groups = regex.captures(line)?;
            let named = regex.capture_names().flatten();
            let object =
                named.filter_map(|name| Some((name.to_owned(), Value::from(groups.name(name)?.as_str()))));
            Some(Value::Object(object.collect()))
        })
    }
}
