//! [`NamespaceIndex`]: the subscribers of one namespace, by a label that their selector requires.

use std::collections::{BTreeMap, HashMap};

use kube::core::Expression;
use smallvec::SmallVec;

pub(super) type SubscriberId = u64;

/// Subscribers that know a pod. There are many pods, and nearly all have at most one subscriber.
pub(super) type SubscriberIds = SmallVec<[SubscriberId; 2]>;

#[derive(Default)]
pub(super) struct NamespaceIndex {
    by_label: HashMap<String, Vec<SubscriberId>>,
    /// Subscribers whose selector requires no label with one certain value.
    without_label: Vec<SubscriberId>,
}

impl NamespaceIndex {
    pub(super) fn insert(&mut self, id: SubscriberId, selector: &[Expression]) {
        let required = selector.iter().find_map(|expression| match expression {
            Expression::Equal(key, value) => Some(label(key, value)),
            _ => None,
        });
        match required {
            Some(label) => self.by_label.entry(label).or_default().push(id),
            None => self.without_label.push(id),
        }
    }

    /// Subscribers whose selector may match these labels.
    pub(super) fn candidates<'a>(
        &'a self,
        labels: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = SubscriberId> + 'a {
        let required = labels.iter().filter_map(|(key, value)| self.by_label.get(&label(key, value)));
        required.flatten().chain(&self.without_label).copied()
    }

    pub(super) fn remove(&mut self, ids: &[SubscriberId]) {
        let stays = |id: &SubscriberId| !ids.contains(id);
        self.without_label.retain(stays);
        self.by_label.retain(|_, subscribers| {
            subscribers.retain(stays);
            !subscribers.is_empty()
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_label.is_empty() && self.without_label.is_empty()
    }
}

fn label(key: &str, value: &str) -> String {
    format!("{key}={value}")
}
