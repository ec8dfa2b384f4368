//! Alerts by scope and name.

use crate::judge::index::{AlertIx, ScopeIx};

/// Alerts by scope and name, where a name is a number that the caller assigns. A sorted list,
/// because a million scopes with a list each would take too much memory.
pub(super) struct AlertsByName {
    keys: Vec<(ScopeIx, u32)>,
    alerts: Vec<AlertIx>,
}

impl AlertsByName {
    /// Takes triples of scope, name and alert.
    pub(super) fn new(mut all: Vec<(ScopeIx, u32, AlertIx)>) -> Self {
        all.sort_unstable();
        Self {
            keys: all.iter().map(|(scope, name, _)| (*scope, *name)).collect(),
            alerts: all.into_iter().map(|(.., at)| at).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// The alerts with this name in a scope.
    pub(super) fn get(&self, scope: ScopeIx, name: u32) -> &[AlertIx] {
        let from = self.keys.partition_point(|key| *key < (scope, name));
        let to = self.keys.partition_point(|key| *key <= (scope, name));
        &self.alerts[from..to]
    }

    /// The scopes, each once.
    pub(super) fn scopes(&self) -> impl Iterator<Item = ScopeIx> {
        self.keys.chunk_by(|one, other| one.0 == other.0).map(|keys| keys[0].0)
    }

    /// Every scope and name with its alerts.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ScopeIx, u32, &[AlertIx])> {
        let mut alerts = self.alerts.as_slice();
        self.keys.chunk_by(|one, other| one == other).map(move |keys| {
            let (own, others) = alerts.split_at(keys.len());
            alerts = others;
            (keys[0].0, keys[0].1, own)
        })
    }
}
