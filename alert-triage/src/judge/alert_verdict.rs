//! The verdict on one alert.

use jiff::Timestamp;

use super::alert_phase::AlertPhase;
use super::flags::Flags;
use super::index::{AlertIx, ScopeIx};
use crate::rules::SeveritySource;
use crate::severity::Severity;
use crate::verdict::{Priority, Verdict};

/// Why another alert supersedes an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SupersededBy {
    /// A ladder of the rules, by its number.
    Row(u32),
    /// The shape of the names, as in `X` and `VeryX`.
    Name,
    /// A higher severity of the same name.
    Severity,
    /// The alert is the transient form of the other.
    Transient,
}

/// The alert that explains another, and the edge between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CauseLink {
    pub(crate) alert: AlertIx,
    /// The number of the edge in the rules.
    pub(crate) edge: u32,
}

/// The verdict on one alert, and everything it depends on.
#[derive(Debug, Clone)]
pub(crate) struct AlertVerdict {
    pub(crate) phase: AlertPhase,
    pub(crate) verdict: Verdict,
    pub(crate) flags: Flags,
    /// For a sustained transient, the severity of its lasting form.
    pub(crate) severity: Severity,
    pub(crate) severity_by: SeveritySource,
    pub(crate) priority: Priority,
    pub(crate) scope: ScopeIx,
    /// The top firing rung above this alert, if there is one. An open alert is superseded by it.
    pub(crate) superior: Option<AlertIx>,
    pub(crate) superseded_by: Option<SupersededBy>,
    pub(crate) cause: Option<CauseLink>,
    /// Does it explain another alert?
    pub(crate) explains: bool,
    /// The number of causes above it.
    pub(crate) depth: u8,
    pub(crate) rung: u8,
    /// When it began to be open or pending. For a lasting form, when its sustained transient did.
    pub(crate) since: Option<Timestamp>,
    /// When its latest episode began, open or not.
    pub(crate) latest: Option<Timestamp>,
    /// For how many seconds it has been open.
    pub(crate) lasted: u32,
}

impl AlertVerdict {
    /// Is it open, and neither silenced nor inhibited?
    pub(crate) fn is_firing(&self) -> bool {
        self.phase == AlertPhase::Open && !self.flags.intersects(Flags::SILENCED | Flags::INHIBITED)
    }

    /// Does its priority count for the incident? It must be firing and not superseded.
    pub(crate) fn sets_priority(&self) -> bool {
        self.is_firing() && !self.flags.contains(Flags::SUPERSEDED)
    }

    /// Is it a transient that has not become sustained?
    pub(crate) fn is_transient(&self) -> bool {
        self.flags.contains(Flags::TRANSIENT) && !self.flags.contains(Flags::SUSTAINED)
    }

    /// The preference for a headline: 0 for lasting alerts, then transients, then informational
    /// ones, then the rest.
    pub(crate) fn headline_tier(&self) -> u8 {
        let is_informational = self.flags.contains(Flags::INFORMATIONAL);
        match (self.sets_priority(), self.is_transient()) {
            (true, false) if !is_informational => 0,
            (true, true) => 1,
            (true, false) => 2,
            (false, _) => 3,
        }
    }
}
