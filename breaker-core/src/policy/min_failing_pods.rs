//! The minimum number of failing pods for a trip.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The pods that must be failing for a trip: a share (`50%`, from 1% to 100%) or a number (`2`, at
/// least 1). Default: 50%.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MinFailingPods {
    /// A percentage of the pods, rounded up.
    Percent(u8),
    /// A number of pods, at most all of them.
    Pods(u32),
}

impl MinFailingPods {
    /// The number of pods that must be failing out of `base` pods. A `base` of 0 is taken as 1.
    ///
    /// `Percent(50)` of 3 is 2; `Pods(5)` of 3 is 3.
    pub fn required(self, base: u32) -> u32 {
        let base = base.max(1);
        match self {
            Self::Percent(percent) => (base * u32::from(percent)).div_ceil(100).max(1),
            Self::Pods(pods) => pods.clamp(1, base),
        }
    }
}

/// The default: half of the pods.
impl Default for MinFailingPods {
    fn default() -> Self {
        Self::Percent(50)
    }
}

/// The error for a text that is neither a share nor a number of pods.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a share of pods; write a percentage from 1% to 100%, or a number of pods from 1 on")]
pub struct BadMinFailingPods(String);

impl FromStr for MinFailingPods {
    type Err = BadMinFailingPods;

    fn from_str(text: &str) -> Result<Self, BadMinFailingPods> {
        let bad = || BadMinFailingPods(text.into());
        match text.trim().strip_suffix('%') {
            Some(percent) => match percent.trim().parse() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                _ => Err(bad()),
            },
            None => match text.trim().parse() {
                Ok(pods) if pods >= 1 => Ok(Self::Pods(pods)),
                _ => Err(bad()),
            },
        }
    }
}

impl TryFrom<String> for MinFailingPods {
    type Error = BadMinFailingPods;

    fn try_from(text: String) -> Result<Self, BadMinFailingPods> {
        text.parse()
    }
}

impl From<MinFailingPods> for String {
    fn from(share: MinFailingPods) -> Self {
        share.to_string()
    }
}

impl fmt::Display for MinFailingPods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Pods(pods) => write!(f, "{pods}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up_and_numbers_are_capped() {
        for (text, base, want) in [
            ("50%", 1, 1),
            ("50%", 2, 1),
            ("50%", 3, 2),
            ("1%", 3, 1),
            ("100%", 7, 7),
            ("5", 3, 3),
            ("2", 0, 1),
        ] {
            assert_eq!(text.parse::<MinFailingPods>().unwrap().required(base), want, "{text} of {base}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["0", "0%", "101%", "-1", "half", ""] {
            assert!(text.parse::<MinFailingPods>().is_err(), "{text}");
        }
    }
}
