//! The key of alerts that may be rungs of one ladder.

use crate::identity::Identity;
use crate::judge::index::ScopeIx;

/// Writes the key of a family into `key`: the scope, the base name, and all labels except those
/// of the severity. Alerts with equal keys may be rungs of one ladder.
pub(super) fn family(
    identity: Identity<'_>,
    scope: ScopeIx,
    base: &str,
    severity: Option<&str>,
    key: &mut Vec<u8>,
) {
    key.clear();
    key.extend_from_slice(&scope.bytes());
    key.extend_from_slice(base.as_bytes());
    for (name, value) in identity.labels().filter(|(name, _)| *name != "severity" && severity != Some(*name))
    {
        for part in [name, value] {
            key.push(0xff);
            key.extend_from_slice(part.as_bytes());
        }
    }
}
