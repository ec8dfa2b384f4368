//! Kubernetes Events on the target that are not acknowledged yet.

use crate::cluster::KubernetesEvent;

/// The Events; the Record keeps them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TargetEvents {
    undelivered: Vec<KubernetesEvent>,
    /// No Events are published.
    muted: bool,
}

impl TargetEvents {
    pub(super) fn new(undelivered: Vec<KubernetesEvent>) -> Self {
        Self { undelivered, muted: false }
    }

    pub(super) fn undelivered(&self) -> &[KubernetesEvent] {
        &self.undelivered
    }

    pub(super) fn is_muted(&self) -> bool {
        self.muted
    }

    pub(super) fn mute(&mut self) {
        self.undelivered.clear();
        self.muted = true;
    }

    /// Replaces an earlier Event with the same key.
    pub(super) fn push(&mut self, event: KubernetesEvent) {
        self.delivered(&event.key.clone());
        self.undelivered.push(event);
    }

    pub(super) fn delivered(&mut self, key: &str) {
        self.undelivered.retain(|event| event.key != key);
    }

    pub(super) fn replace(&mut self, undelivered: Vec<KubernetesEvent>) {
        if !self.muted {
            self.undelivered = undelivered;
        }
    }
}
