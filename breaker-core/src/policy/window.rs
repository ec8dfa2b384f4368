//! The sliding window in which restarts count.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A sliding window, longer than zero: `90s`, `10m`, `1h`, `1h 30m`. `none` counts every restart
/// since the start of the episode. Default: 1 hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window(Option<SignedDuration>);

impl Window {
    /// No sliding window: every restart since the start of the episode counts.
    pub const NONE: Self = Self(None);

    /// A window of `minutes` minutes, at least 1.
    pub fn mins(minutes: u32) -> Self {
        Self(Some(SignedDuration::from_mins(i64::from(minutes.max(1)))))
    }

    /// The length of the window; `None` for [`Window::NONE`].
    pub fn length(self) -> Option<SignedDuration> {
        self.0
    }

    /// The start of the window at `now`; `None` for [`Window::NONE`].
    pub fn oldest(self, now: Timestamp) -> Option<Timestamp> {
        self.0.map(|length| now.checked_sub(length).unwrap_or(Timestamp::MIN))
    }
}

/// The default: 1 hour.
impl Default for Window {
    fn default() -> Self {
        Self::mins(60)
    }
}

/// The error for a text that is not a window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a window; write a span longer than zero such as 90s, 10m or 1h, or none")]
pub struct BadWindow(String);

impl FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Self, BadWindow> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Self::NONE);
        }
        match text.parse::<SignedDuration>() {
            Ok(length) if length > SignedDuration::ZERO => Ok(Self(Some(length))),
            _ => Err(BadWindow(text.into())),
        }
    }
}

impl TryFrom<String> for Window {
    type Error = BadWindow;

    fn try_from(text: String) -> Result<Self, BadWindow> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(length) => write!(f, "{length:#}"),
            None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_print_as_they_parse() {
        for text in ["1h", "90s", "10m", "none", "1h 30m", "48h"] {
            let window: Window = text.parse().unwrap();
            assert_eq!(window.to_string().parse::<Window>().unwrap(), window, "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_window_is_refused_and_quoted() {
        for text in ["", "0s", "-5m", "soon", "10", "1 fortnight"] {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{text}`")) && error.contains("1h"), "{error}");
        }
    }
}
