//! Resolves that name their alert by its key.

use jiff::SignedDuration;

use super::label_set_history::LabelSetHistory;

/// The resolves of one key.
#[derive(Debug, Default, Clone)]
pub(crate) struct KeyedEnd {
    pub(crate) history: LabelSetHistory,
    /// The identity of the resolves themselves, which the report shows if no alert has the key.
    /// `None` if they have no name. Of several the smallest, whatever the order of arrival.
    pub(crate) identity: Option<Box<[u8]>>,
}

impl KeyedEnd {
    pub(crate) fn add_identity(&mut self, identity: Box<[u8]>) {
        self.identity = self.identity.take().into_iter().chain([identity]).min();
    }

    pub(crate) fn merge(&mut self, other: KeyedEnd, gap: SignedDuration) {
        self.history.merge(other.history, gap);
        if let Some(identity) = other.identity {
            self.add_identity(identity);
        }
    }
}
