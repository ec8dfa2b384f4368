//! Exit codes with a conventional meaning. They decide only when no other evidence does, and never
//! for network.

use crate::Cause;

/// The cause and the rule for `code`; `None` for codes without a convention.
pub(super) fn convention(code: i32) -> Option<(Cause, &'static str)> {
    Some(match code {
        126 => (Cause::Permission, "exit-126-not-executable"),
        127 => (Cause::Config, "exit-127-not-found"),
        131..=136 => (Cause::Application, "exit-signal"),
        139 | 141 | 159 => (Cause::Application, "exit-signal"),
        _ => return None,
    })
}
