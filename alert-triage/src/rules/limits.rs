//! The numbers of the rules.

use jiff::SignedDuration;

/// Limits and durations that a rules file can set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) identities: usize,
    pub(crate) ttl: SignedDuration,
    pub(crate) sustained: SignedDuration,
    pub(crate) gap: SignedDuration,
    pub(crate) precedes: SignedDuration,
    pub(crate) recurring: u64,
    pub(crate) flaps: usize,
    pub(crate) flap_window: SignedDuration,
    pub(crate) flap_quiet: SignedDuration,
    pub(crate) group_scopes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            identities: 1_000_000,
            ttl: SignedDuration::from_hours(24),
            sustained: SignedDuration::from_hours(1),
            gap: SignedDuration::from_mins(15),
            precedes: SignedDuration::from_mins(10),
            recurring: 3,
            flaps: 4,
            flap_window: SignedDuration::from_hours(1),
            flap_quiet: SignedDuration::from_mins(30),
            group_scopes: 3,
        }
    }
}
