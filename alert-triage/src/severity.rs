use std::fmt;

use serde::{Deserialize, Serialize};

/// How bad an alert is.
///
/// Deliberately not `Ord`: [`Unknown`](Severity::Unknown) is neither above nor below
/// [`Warning`](Severity::Warning). [`class`](Severity::class) says what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Users are hurt now.
    Critical,
    /// Something is broken and users will notice.
    Error,
    /// Something degrades.
    Warning,
    /// The source says a word that is not known.
    Unknown,
    /// Good to know.
    Info,
    /// Said to mean nothing by itself, as a watchdog is.
    None,
}

impl Severity {
    /// What a source's word means; case, outer blanks and the sign in `SEV-1` do not matter. The words are those of Prometheus rules,
    /// PagerDuty, syslog (RFC 5424 section 6.2.1) and of ticket systems.
    ///
    /// ```
    /// use alert_triage::Severity;
    /// assert_eq!(Severity::of_word("CRIT"), Severity::Critical);
    /// assert_eq!(Severity::of_word("high"), Severity::Error);
    /// assert_eq!(Severity::of_word("mauve"), Severity::Unknown);
    /// ```
    pub fn of_word(word: &str) -> Severity {
        const WORDS: [(&str, Severity); 41] = [
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
        ];
        let letters = || word.bytes().filter(|byte| !matches!(byte, b'-' | b'_' | b' ' | b'\t'));
        WORDS
            .iter()
            .find(|(known, _)| letters().map(|byte| byte.to_ascii_lowercase()).eq(known.bytes()))
            .map_or(Severity::Unknown, |(_, severity)| *severity)
    }

    /// 0 critical, 1 error, 2 warning and unknown, 3 info and none. Not to know an alert is no reason to put it
    /// last.
    pub fn class(self) -> u8 {
        match self {
            Severity::Critical => 0,
            Severity::Error => 1,
            Severity::Warning | Severity::Unknown => 2,
            Severity::Info | Severity::None => 3,
        }
    }

    /// The word as the report prints it.
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
            assert_eq!(Severity::of_word(severity.word()), severity);
        }
        assert_eq!(Severity::of_word("unknown"), Unknown);
        for word in ["SEV-1", "sev 1", "Sev_1", "P0", "urgent"] {
            assert_eq!(Severity::of_word(word), Critical, "{word}");
        }
    }
}
