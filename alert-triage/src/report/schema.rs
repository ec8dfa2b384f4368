//! The JSON Schema of a report.

use regex::Regex;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform as _};
use serde_json::Value;

use super::report_document::ReportDocument;

/// The JSON Schema (draft 2020-12) of a `triage/v1` report, from the types of this crate.
///
/// ```
/// let schema = alert_triage::report::report_schema();
/// assert_eq!(schema.get("title").unwrap(), "triage/v1");
/// ```
pub fn report_schema() -> Schema {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<ReportDocument>();
    let link = Regex::new(r"\[(`[^`]*`|[^\]`]*)\](\([^)]*\))").expect("a valid expression");
    RecursiveTransform(|schema: &mut Schema| {
        if let Some(Value::String(text)) = schema.get_mut("description") {
            // The first paragraph, without links: they lead to the documentation of the crate.
            let first = text.split("\n\n").next().unwrap_or_default();
            *text = link.replace_all(first, "$1").replace('\n', " ");
        }
    })
    .transform(&mut schema);
    schema
}
