//! The signals that stop the program.

/// A signal that asks the program to stop. As an error it ends whatever waits, and sets the exit
/// code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Signal {
    /// Ctrl-C in a terminal.
    #[error("SIGINT")]
    Int,
    /// The end of a pod, or `kill`.
    #[error("SIGTERM")]
    Term,
}

impl Signal {
    /// The signal's number, as POSIX has it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Int => 2,
            Self::Term => 15,
        }
    }
}
