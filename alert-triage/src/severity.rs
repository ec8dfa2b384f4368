use std::fmt;

use serde::{Deserialize, Serialize};

/// The severity of an alert.
///
/// Not `Ord`: [`Unknown`](Severity::Unknown) ranks with [`Warning`](Severity::Warning).
/// [`class`](Severity::class) gives the rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Users are affected now.
    Critical,
    /// Something is broken, and users will notice.
    Error,
    /// Something is degraded.
    Warning,
    /// The source's word is not known.
    Unknown,
    /// For information.
    Info,
    /// Without meaning by itself, such as a watchdog.
    None,
}

impl Severity {
    /// The severity for a source's word. Case, blanks and the hyphen in `SEV-1` do not matter.
    /// Known are the words of Prometheus rules, PagerDuty, syslog (RFC 5424 section 6.2.1) and
    /// ticket systems.
    ///
    /// ```
    /// use alert_triage::Severity;
    /// assert_eq!(Severity::from_word("CRIT"), Severity::Critical);
    /// assert_eq!(Severity::from_word("high"), Severity::Error);
    /// assert_eq!(Severity::from_word("mauve"), Severity::Unknown);
    /// ```
    pub fn from_word(word: &str) -> Severity {
        Self::parse_word(word).unwrap_or(Severity::Unknown)
    }

    /// The severity for a source's word; `None` if the word is not known. A number beside the word,
    /// as in `1 - Critical`, and a word beside a level, as in `P1 (outage)`, are ignored.
    pub(crate) fn parse_word(word: &str) -> Option<Severity> {
        let word = word.trim();
        Self::listed(word).or_else(|| {
            let without_number = word.trim_start_matches(|c: char| c.is_ascii_digit() || "()[]".contains(c));
            let name = without_number.trim_start_matches([' ', '-', '.', ':']);
            // `1critical` is one word.
            let has_number = without_number.len() < word.len() && name.len() < without_number.len();
            let level = word.split([' ', ':', '(']).next().filter(|level| level.len() < word.len());
            let level = level.filter(|level| level.ends_with(|c: char| c.is_ascii_digit()));
            has_number.then(|| Self::listed(name)).flatten().or_else(|| level.and_then(Self::listed))
        })
    }

    fn listed(word: &str) -> Option<Severity> {
        const WORDS: [(&str, Severity); 51] = [
            ("critical", Severity::Critical),
            ("warning", Severity::Warning),
            ("info", Severity::Info),
            ("none", Severity::None),
            ("error", Severity::Error),
            ("crit", Severity::Critical),
            ("emergency", Severity::Critical),
            ("emerg", Severity::Critical),
            ("panic", Severity::Critical),
            ("alert", Severity::Critical),
            ("fatal", Severity::Critical),
            ("disaster", Severity::Critical),
            ("blocker", Severity::Critical),
            ("page", Severity::Critical),
            ("sev0", Severity::Critical),
            ("sev1", Severity::Critical),
            ("p0", Severity::Critical),
            ("p1", Severity::Critical),
            ("urgent", Severity::Critical),
            ("highest", Severity::Critical),
            ("err", Severity::Error),
            ("high", Severity::Error),
            ("major", Severity::Error),
            ("severe", Severity::Error),
            ("sev2", Severity::Error),
            ("p2", Severity::Error),
            ("warn", Severity::Warning),
            ("minor", Severity::Warning),
            ("average", Severity::Warning),
            ("medium", Severity::Warning),
            ("moderate", Severity::Warning),
            ("sev3", Severity::Warning),
            ("p3", Severity::Warning),
            ("notice", Severity::Info),
            ("information", Severity::Info),
            ("informational", Severity::Info),
            ("low", Severity::Info),
            ("debug", Severity::Info),
            ("ok", Severity::Info),
            ("normal", Severity::Info),
            ("watchdog", Severity::None),
            ("unknown", Severity::Unknown),
            ("catastrophic", Severity::Critical),
            ("p4", Severity::Info),
            ("p5", Severity::Info),
            ("sev4", Severity::Info),
            ("sev5", Severity::Info),
            ("lowest", Severity::Info),
            ("trivial", Severity::Info),
            ("informative", Severity::Info),
            ("trace", Severity::Info),
        ];
        let letters = || word.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ' | b'\t'));
        WORDS
            .iter()
            .find(|(known, _)| letters().map(|byte| byte.to_ascii_lowercase()).eq(known.bytes()))
            .map(|(_, severity)| *severity)
    }

    /// The rank: 0 for critical, 1 for error, 2 for warning and unknown, 3 for info and none.
    pub fn class(self) -> u8 {
        match self {
            Severity::Critical => 0,
            Severity::Error => 1,
            Severity::Warning | Severity::Unknown => 2,
            Severity::Info | Severity::None => 3,
        }
    }

    /// The word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Critical => "critical",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Unknown => "unknown",
            Severity::Info => "info",
            Severity::None => "none",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_put_behind_a_warning() {
        assert_eq!(Severity::Unknown.class(), Severity::Warning.class());
    }

    #[test]
    fn every_severity_is_its_own_word() {
        use Severity::*;
        for severity in [Critical, Error, Warning, Info, None] {
            assert_eq!(Severity::from_word(severity.word()), severity);
        }
        assert_eq!(Severity::from_word("unknown"), Unknown);
        for word in ["SEV-1", "sev 1", "Sev_1", "P0", "urgent"] {
            assert_eq!(Severity::from_word(word), Critical, "{word}");
        }
        for (word, want) in [
            ("1 - Critical", Some(Critical)),
            ("2-High", Some(Error)),
            ("(3) Medium", Some(Warning)),
            ("P2 - Major outage", Some(Error)),
            ("SEV1: all down", Some(Critical)),
            ("P4", Some(Info)),
            ("Highest", Some(Critical)),
            ("lowest", Some(Info)),
            ("1", Option::None),
            ("1 - Mauve", Option::None),
            ("1critical", Option::None),
            ("high latency", Option::None),
            ("", Option::None),
        ] {
            assert_eq!(Severity::parse_word(word), want, "{word}");
        }
    }
}
