//! Alerts by scope and name.

/// Alerts by scope and number of a name. SmallMap, since a million scopes with a list each would take much memory.
pub(super) struct Kinds {
    kinds: Vec<(u32, u32)>,
    alerts: Vec<u32>,
}

impl Kinds {
    /// Of scope, name and alert.
    pub(super) fn of(mut all: Vec<(u32, u32, u32)>) -> Self {
        all.sort_unstable();
        Self {
            kinds: all.iter().map(|(scope, name, _)| (*scope, *name)).collect(),
            alerts: all.into_iter().map(|(.., at)| at).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// The alerts of a scope that have this name.
    pub(super) fn get(&self, scope: u32, name: u32) -> &[u32] {
        let from = self.kinds.partition_point(|kind| *kind < (scope, name));
        let to = self.kinds.partition_point(|kind| *kind <= (scope, name));
        &self.alerts[from..to]
    }

    /// The scopes, each once.
    pub(super) fn scopes(&self) -> impl Iterator<Item = u32> {
        self.kinds.chunk_by(|one, other| one.0 == other.0).map(|kinds| kinds[0].0)
    }

    /// Scope, name, and the alerts of both.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, u32, &[u32])> {
        let mut alerts = self.alerts.as_slice();
        self.kinds.chunk_by(|one, other| one == other).map(move |kinds| {
            let (own, others) = alerts.split_at(kinds.len());
            alerts = others;
            (kinds[0].0, kinds[0].1, own)
        })
    }
}
