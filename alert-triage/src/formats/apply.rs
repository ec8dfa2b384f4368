//! Makes a record of an alert in a described format.

use std::borrow::Cow;

use super::field::{Field, scalar};
use super::label_fields::{is_label, pairs};
use super::located::Located;
use super::mapped_format::MappedFormat;
use crate::fault::Fault;
use crate::printable::printable;
use crate::read::status_word::field_status;
use crate::read::title::without_status;
use crate::record::{Ends, Record, Status};
use crate::time::{Leading, TimeReader};

/// A record, and a text in it that may hold an alert of its own.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) record: Record<'static>,
    pub(crate) message: Option<String>,
    /// Whether its time has no year and none could be found.
    pub(crate) is_yearless: bool,
}

/// Makes a record of one alert of a document.
pub(crate) fn apply(format: &MappedFormat, at: &Located<'_>, times: &TimeReader) -> Result<Applied, Fault> {
    fn text<'v>(field: &'v Option<Field>, at: &'v Located<'v>) -> Option<Cow<'v, str>> {
        field.as_ref().and_then(|field| field.text(at))
    }
    let mut is_yearless = false;
    let mut time = |name: &str, field: &Option<Field>| match field.as_ref().map(|field| field.time(at, times))
    {
        None => Ok(None),
        Some(Ok(at)) => Ok(at),
        Some(Err(value)) => match times.leading(&value) {
            Leading::At(at, "") => Ok(Some(at)),
            Leading::Yearless("") => {
                is_yearless = true;
                Ok(None)
            }
            _ => Err(Fault::Mapped {
                format: format.id.clone(),
                problem: format!("{name} is `{}`, which is not a time", printable(value)),
            }),
        },
    };
    let message = text(&format.message, at).map(Cow::into_owned);
    let name = text(&format.name, at).unwrap_or_default();
    let (titled, name) = without_status(&name);
    if name.is_empty() && message.is_none() {
        let problem = "the field of the alert's name is missing or empty".to_owned();
        return Err(Fault::Mapped { format: format.id.clone(), problem });
    }
    let mut record = Record::firing(name.to_owned());
    record.starts = time("starts_at", &format.starts_at)?;
    record.time = time("updated_at", &format.updated_at)?;
    let ends = time("ends_at", &format.ends_at)?;
    record.status = match (&format.status, text(&format.status, at)) {
        (Some(_), Some(word)) if word == "event" => Status::Event,
        (Some(_), Some(word)) => field_status(&word)?,
        (Some(field), None) if field.has_map() && field.values(at).any(|value| !value.is_null()) => {
            let word = field.values(at).find_map(scalar).unwrap_or_default();
            let problem = format!(
                "its state `{}` is not known: add it to the map of `status`",
                printable(word.as_ref())
            );
            return Err(Fault::Mapped { format: format.id.clone(), problem });
        }
        _ => titled.unwrap_or(if record.starts.is_some() { Status::Firing } else { Status::Event }),
    };
    record.ends = ends.map_or(Ends::Open, Ends::At);
    record.key = text(&format.key, at).map(|key| Cow::Owned(key.into_owned()));
    record.keyed = record.key.is_some() && record.time.is_some();
    record.snapshot = format.snapshot;
    record.labels = labels(format, at);
    match text(&format.severity, at) {
        severity if format.severity_changes => {
            record.severity = severity.map(|word| Cow::Owned(word.into_owned()))
        }
        Some(severity) => {
            record.labels.push((Cow::Borrowed("severity"), Cow::Owned(severity.into_owned())));
        }
        // An OK has no severity, so its identity is not that of the alert that it ends.
        None => record.ends_by_key = record.status == Status::Resolved && format.severity.is_some(),
    }
    record.acknowledged = text(&format.acknowledged, at).is_some_and(|word| word != "false");
    record.annotations = annotations(format, at);
    Ok(Applied { record, message, is_yearless })
}

fn labels(format: &MappedFormat, at: &Located<'_>) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    let mut labels: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::new();
    for value in format.all_labels.iter().flat_map(|field| field.values(at)) {
        // The fields of the alert itself are of all kinds; an object of labels has labels only.
        let is_alert = std::ptr::eq(value, at.alert);
        for (name, value) in pairs(value) {
            if !format.drop.contains(name.as_ref()) && (!is_alert || is_label(&name, &value)) {
                labels.push((Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned())));
            }
        }
    }
    for (name, field) in &format.labels {
        if let Some(value) = field.text(at) {
            labels.push((Cow::Owned(name.clone()), Cow::Owned(value.into_owned())));
        }
    }
    labels
}

/// The texts of an alert beside its labels: summary, link and runbook.
fn annotations(format: &MappedFormat, at: &Located<'_>) -> Vec<(Cow<'static, str>, Cow<'static, str>)> {
    [("summary", &format.summary), ("url", &format.url), ("runbook_url", &format.runbook)]
        .into_iter()
        .filter_map(|(name, field)| Some((name, field.as_ref()?.text(at)?.into_owned())))
        .map(|(name, text)| (Cow::Borrowed(name), Cow::Owned(text)))
        .collect()
}
