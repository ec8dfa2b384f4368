//! The set of causes whose restarts count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Cause;

/// A set of causes; written `network`, `network,oom` or `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CauseSet(u16);

impl CauseSet {
    /// Every cause, including `unknown`: all restarts count.
    pub const ANY: Self = Self((1 << Cause::ALL.len()) - 1);

    /// Whether restarts of this cause count.
    pub fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u16) != 0
    }

    /// The causes in the set.
    pub fn iter(self) -> impl Iterator<Item = Cause> {
        Cause::ALL.into_iter().filter(move |cause| self.contains(*cause))
    }
}

impl FromIterator<Cause> for CauseSet {
    fn from_iter<I: IntoIterator<Item = Cause>>(causes: I) -> Self {
        Self(causes.into_iter().fold(0, |set, cause| set | (1 << cause as u16)))
    }
}

/// The default: only `network`.
impl Default for CauseSet {
    fn default() -> Self {
        Self::from_iter([Cause::Network])
    }
}

/// The error for a text that is not a set of causes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown cause `{0}`; write any, or some of {known}, separated by commas", known = known())]
pub struct BadCause(String);

fn known() -> String {
    Cause::ALL.map(Cause::as_str).join(", ")
}

impl FromStr for CauseSet {
    type Err = BadCause;

    fn from_str(text: &str) -> Result<Self, BadCause> {
        if text.trim().eq_ignore_ascii_case("any") {
            return Ok(Self::ANY);
        }
        text.split(',')
            .map(|word| {
                let word = word.trim();
                Cause::ALL
                    .into_iter()
                    .find(|cause| cause.as_str().eq_ignore_ascii_case(word))
                    .ok_or_else(|| BadCause(word.into()))
            })
            .collect()
    }
}

impl TryFrom<String> for CauseSet {
    type Error = BadCause;

    fn try_from(text: String) -> Result<Self, BadCause> {
        text.parse()
    }
}

impl From<CauseSet> for String {
    fn from(causes: CauseSet) -> Self {
        causes.to_string()
    }
}

impl fmt::Display for CauseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ANY {
            return f.write_str("any");
        }
        let names: Vec<_> = self.iter().map(Cause::as_str).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_print_as_they_parse() {
        for text in ["network", "network,oom", "any", "unknown"] {
            assert_eq!(text.parse::<CauseSet>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn an_unknown_cause_is_named_with_the_known_ones() {
        let error = "network,gremlins".parse::<CauseSet>().unwrap_err().to_string();
        assert!(error.contains("`gremlins`") && error.contains("eviction"), "{error}");
        assert!("".parse::<CauseSet>().is_err());
    }
}
