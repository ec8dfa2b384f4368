//! Labels, and how they are serialized.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::printable::{is_link, printable, shown};

/// Labels, sorted by name.
pub type Labels = BTreeMap<String, String>;

pub(crate) fn labels<S: Serializer>(labels: &Labels, to: S) -> Result<S::Ok, S::Error> {
    let are_plain = labels.keys().all(|name| matches!(shown(name.as_bytes()), Cow::Borrowed(_)));
    if are_plain {
        return to.collect_map(labels.iter().map(|(name, value)| (name, shown(value.as_bytes()))));
    }
    // Different names may become equal when they are truncated or escaped.
    let mut keys = BTreeMap::new();
    for (name, text) in labels {
        let shown = printable(name);
        let mut key = shown.clone();
        let mut number = 2u32;
        while keys.contains_key(&key) || (key != *name && labels.contains_key(&key)) {
            key = format!("{shown} #{number}");
            number += 1;
        }
        keys.insert(key, printable(text));
    }
    to.collect_map(keys)
}

/// As [`labels`], but a link is not cut: a part of it leads nowhere.
pub(crate) fn annotations<S: Serializer>(texts: &Labels, to: S) -> Result<S::Ok, S::Error> {
    let (links, texts): (Labels, Labels) =
        texts.iter().map(|(name, text)| (printable(name), text.clone())).partition(|(_, text)| is_link(text));
    let texts = texts.into_iter().map(|(name, text)| (name, printable(text)));
    to.collect_map(links.into_iter().chain(texts).collect::<Labels>())
}

pub(super) struct Printable<'l>(pub(super) &'l Labels);

impl Serialize for Printable<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        labels(self.0, to)
    }
}

pub(crate) fn many_labels<S: Serializer>(scopes: &[Labels], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(scopes.iter().map(Printable))
}

pub(crate) fn maybe_labels<S: Serializer>(scope: &Option<Labels>, to: S) -> Result<S::Ok, S::Error> {
    scope.as_ref().map(Printable).serialize(to)
}

pub(crate) fn maybe_many_labels<S: Serializer>(
    scopes: &Option<Vec<Labels>>,
    to: S,
) -> Result<S::Ok, S::Error> {
    scopes.as_ref().map(|scopes| scopes.iter().map(Printable).collect::<Vec<_>>()).serialize(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_whose_names_look_alike_keep_a_key_each() {
        let long = |end: &str| format!("{}{end}", "n".repeat(300));
        let cut = printable(long("a"));
        let names =
            [long("a"), long("b"), long("c"), format!("{cut} #2"), "\u{7}".to_owned(), r"\u{7}".to_owned()];
        let of: Labels = names.iter().map(|name| (name.clone(), name.clone())).collect();
        let json = serde_json::to_string(&Printable(&of)).unwrap();
        let read: BTreeMap<String, String> = serde_json::from_str(&json).unwrap();
        assert_eq!((of.len(), read.len(), json.matches("\":\"").count()), (6, 6, 6), "{json}");
        assert_eq!(read[r"\u{7}"], r"\u{7}");
        assert!(read.contains_key(&cut) && read.contains_key(&format!("{cut} #3")), "{json}");
    }
}
