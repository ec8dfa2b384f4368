//! What only the newest record of an alert says: its severity and its texts for people.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::printable::{is_link, printable};
use crate::record::Record;
use crate::source_position::SourcePosition;

/// At most this number of annotations is kept per alert, in the order of the source.
const MAX_ANNOTATIONS: usize = 16;

/// The maximum length of an annotation in bytes. A longer link is left out, since a part of it
/// leads nowhere; a longer text is cut to what is shown of it.
const MAX_ANNOTATION_LEN: usize = 2_048;

/// A value of the newest record that has one. Of two records with equal times, the later position
/// counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Latest<T> {
    at: Option<Timestamp>,
    position: SourcePosition,
    value: T,
}

type Annotations = Box<[(Box<str>, Box<str>)]>;

/// The severity and the annotations of an alert, each of the newest record that has it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Newest {
    severity: Option<Latest<Box<str>>>,
    annotations: Option<Latest<Annotations>>,
}

impl Newest {
    /// Whether the record has anything to keep here.
    pub(crate) fn concerns(record: &Record<'_>) -> bool {
        record.severity.is_some() || !record.annotations.is_empty()
    }

    pub(crate) fn record(&mut self, position: SourcePosition, record: &Record<'_>) {
        let at = record.newest();
        // Most records of an alert say the same as the one before, so older ones are not copied.
        fn is_newer<T>(kept: &Option<Latest<T>>, at: Option<Timestamp>, position: SourcePosition) -> bool {
            kept.as_ref().is_none_or(|kept| (kept.at, kept.position) <= (at, position))
        }
        if let Some(severity) = &record.severity
            && is_newer(&self.severity, at, position)
        {
            keep(&mut self.severity, Some(Latest { at, position, value: severity.as_ref().into() }));
        }
        if !record.annotations.is_empty() && is_newer(&self.annotations, at, position) {
            let texts = record
                .annotations
                .iter()
                .filter_map(|(name, text)| Some((name.as_ref().into(), kept_text(text)?)));
            let value: Annotations = texts.take(MAX_ANNOTATIONS).collect();
            keep(&mut self.annotations, Some(Latest { at, position, value }));
        }
    }

    pub(crate) fn merge(&mut self, other: Newest) {
        keep(&mut self.severity, other.severity);
        keep(&mut self.annotations, other.annotations);
    }

    pub(crate) fn severity(&self) -> Option<&str> {
        self.severity.as_ref().map(|latest| latest.value.as_ref())
    }

    /// Compares by the record of the annotations; those without any come first.
    pub(crate) fn cmp_annotations(&self, other: &Newest) -> Ordering {
        self.annotations.cmp(&other.annotations)
    }

    pub(crate) fn annotations(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.annotations.iter().flat_map(|latest| &latest.value);
        texts.map(|(name, text)| (name.as_ref(), text.as_ref()))
    }
}

fn keep<T: Ord>(kept: &mut Option<Latest<T>>, new: Option<Latest<T>>) {
    *kept = kept.take().max(new);
}

fn kept_text(text: &str) -> Option<Box<str>> {
    let text = text.trim();
    match text.len() {
        0 => None,
        length if length <= MAX_ANNOTATION_LEN => Some(text.into()),
        _ if is_link(text) => None,
        _ => Some(printable(text).into()),
    }
}
