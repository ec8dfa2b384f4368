//! What the owner of a breaker has asked for, and what of it is done.

use crate::record::HandledRequests;
use crate::state::Override;

/// What the owner has asked for, and what of it has its effect in the state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OwnerRequests {
    /// Id of the reset asked for last.
    pub(super) reset: Option<String>,
    /// The override asked for last.
    pub(super) override_: Option<Override>,
    pub(super) handled: HandledRequests,
}

impl OwnerRequests {
    pub(super) fn new(handled: HandledRequests) -> Self {
        Self { handled, ..Self::default() }
    }

    /// Id of the reset that is not handled yet.
    pub(super) fn waiting_reset(&self) -> Option<&String> {
        self.reset.as_ref().filter(|id| self.handled.reset.as_ref() != Some(id))
    }

    /// The override asks for a trip.
    pub(super) fn presses(&self) -> bool {
        self.override_ == Some(Override::ForcedOpen)
    }

    /// The override asks for a trip that is not handled yet.
    pub(super) fn press_waits(&self) -> bool {
        self.presses() && self.handled.override_ != Some(Override::ForcedOpen)
    }
}
