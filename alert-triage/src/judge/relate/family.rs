//! Which alerts may be rungs of one ladder.

use crate::identity::Identity;

/// The labels that make alerts rungs of one ladder.
pub(super) fn family(identity: Identity<'_>, scope: u32, base: &str, key: &mut Vec<u8>) {
    key.clear();
    key.extend_from_slice(&scope.to_le_bytes());
    key.extend_from_slice(base.as_bytes());
    for (name, value) in identity.labels().filter(|(name, _)| *name != "severity") {
        for part in [name, value] {
            key.push(0xff);
            key.extend_from_slice(part.as_bytes());
        }
    }
}
