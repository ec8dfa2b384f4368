//! The flags of an alert.

use std::ops::{BitOr, BitOrAssign};

/// Conditions that hold for an alert, beside its verdict. The first ten are verdicts themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const SILENCED: Self = Self(1);
    pub(crate) const INHIBITED: Self = Self(1 << 1);
    pub(crate) const FLAPPING: Self = Self(1 << 2);
    pub(crate) const RESOLVED: Self = Self(1 << 3);
    pub(crate) const OBSOLETE: Self = Self(1 << 4);
    pub(crate) const PENDING: Self = Self(1 << 5);
    pub(crate) const SUPERSEDED: Self = Self(1 << 6);
    pub(crate) const SUSTAINED: Self = Self(1 << 7);
    pub(crate) const TRANSIENT: Self = Self(1 << 8);
    pub(crate) const INFORMATIONAL: Self = Self(1 << 9);
    pub(crate) const RECURRING: Self = Self(1 << 10);
    pub(crate) const RESOLVE_ONLY: Self = Self(1 << 11);
    pub(crate) const MILDER_RUNG_ABOVE: Self = Self(1 << 12);
    // For a transient: why its lasting form does not supersede it. Not in `WORDS`;
    // `report::reason` puts them into a sentence.
    pub(crate) const LASTING_SILENCED: Self = Self(1 << 13);
    pub(crate) const LASTING_INHIBITED: Self = Self(1 << 14);
    pub(crate) const LASTING_MILDER: Self = Self(1 << 15);
    pub(crate) const ACKNOWLEDGED: Self = Self(1 << 16);

    /// Reported as firing after its end, perhaps by a late repeat.
    pub(crate) const FIRED_AGAIN: Self = Self(1 << 17);

    /// Its events came in a regular rhythm and have stopped.
    pub(crate) const SILENT: Self = Self(1 << 18);

    /// The newest snapshot of its source no longer contains it.
    pub(crate) const GONE: Self = Self(1 << 19);

    const WORDS: [(Self, &str); 17] = [
        (Self::SILENCED, "silenced"),
        (Self::INHIBITED, "inhibited"),
        (Self::FLAPPING, "flapping"),
        (Self::RESOLVED, "resolved"),
        (Self::OBSOLETE, "obsolete"),
        (Self::PENDING, "pending"),
        (Self::SUPERSEDED, "superseded"),
        (Self::SUSTAINED, "sustained"),
        (Self::TRANSIENT, "transient"),
        (Self::INFORMATIONAL, "informational"),
        (Self::RECURRING, "recurring"),
        (Self::RESOLVE_ONLY, "resolve-only"),
        (Self::MILDER_RUNG_ABOVE, "milder-rung-above"),
        (Self::ACKNOWLEDGED, "acknowledged"),
        (Self::FIRED_AGAIN, "fired-again"),
        (Self::SILENT, "silent"),
        (Self::GONE, "gone-from-source"),
    ];

    /// Are all of these flags set?
    pub(crate) fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Is at least one of these flags set?
    pub(crate) fn intersects(self, flags: Self) -> bool {
        self.0 & flags.0 != 0
    }

    /// The flags as words of the report, in a fixed order.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, word)| word)
    }
}

impl BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}
