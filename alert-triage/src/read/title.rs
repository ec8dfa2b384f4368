//! Titles of notifications: a state in front of a name.

use super::status_word::status;
use crate::record::Status;

/// The state that a title begins with, as in `[FIRING:2] Name` or `[Triggered] Name`, and the rest.
/// A title of only a state keeps it.
pub(crate) fn without_status(title: &str) -> (Option<Status>, &str) {
    let title = title.trim();
    let inside = title.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((inside, rest)) = inside.filter(|(_, rest)| !rest.trim().is_empty()) else {
        return (None, title);
    };
    // `FIRING:2, RESOLVED:1` and `Triggered on {host:a}` begin with the state.
    let word = inside.split([':', ',', ' ']).next().unwrap_or_default();
    match status(word) {
        Ok(status) => (Some(status), rest.trim()),
        Err(_) => (None, title),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_in_brackets_is_not_part_of_a_name() {
        for (title, want) in [
            ("[FIRING:2] SiloFull (plant)", (Some(Status::Firing), "SiloFull (plant)")),
            ("[RESOLVED] SiloFull", (Some(Status::Resolved), "SiloFull")),
            ("[Triggered on {host:a}] Host is down", (Some(Status::Firing), "Host is down")),
            ("[#1234] The server is on fire", (None, "[#1234] The server is on fire")),
            ("[FIRING:1]", (None, "[FIRING:1]")),
            (" Plain ", (None, "Plain")),
        ] {
            assert_eq!(without_status(title), want, "{title}");
        }
    }
}
