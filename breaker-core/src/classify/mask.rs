//! Secrets never leave: whatever is quoted is masked first.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in for a secret.
const MASK: &str = "***";

struct Pattern {
    looks_like: &'static str,
    /// Cheap test before the pattern is tried.
    hints: &'static [&'static str],
}

/// Group `keep` stays; the rest of the match goes.
const PATTERNS: [Pattern; 7] = [
    // Tokens that are known by their shape: JWTs, cloud keys, provider tokens.
    Pattern { looks_like: r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}", hints: &["eyJ"] },
    Pattern {
        looks_like: r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{12,}|\bAIza[A-Za-z0-9_-]{20,}|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|rk_live_|pk_live_|npm_|pypi-|dop_v1_|SG\.|hvs\.|ya29\.)[A-Za-z0-9_.-]{10,}",
        hints: &[
            "AKIA", "ASIA", "A3T", "AGPA", "AIDA", "AROA", "AIza", "gh", "glpat", "xox", "sk", "rk_", "pk_",
            "npm_", "pypi-", "dop_", "SG.", "hvs.", "ya29",
        ],
    },
    // scheme://user:password@host
    Pattern { looks_like: r"(?P<keep>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/@]+(?::[^\s@]*)?@", hints: &["://"] },
    // user:password@tcp(host), as Go's MySQL writes it
    Pattern { looks_like: r"[^\s:/@]+:[^\s@]+@(?P<keep>(?:tcp|unix)\()", hints: &["@tcp(", "@unix("] },
    // Authorization: Basic xyz, Bearer xyz
    Pattern {
        looks_like: r"(?i)(?P<keep>\b(?:bearer|basic|negotiate)\s+)[A-Za-z0-9+/=_.~-]{6,}",
        hints: &["earer", "asic", "EARER", "ASIC", "egotiate", "NEGOTIATE"],
    },
    // password=…, "apiKey": "…", --token …, AccountKey=…
    Pattern {
        looks_like: r#"(?i)(?P<keep>["']?[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|client[_-]?key|auth[_-]?key|shared[_-]?access[_-]?signature|credential|authorization|cookie|session[_-]?id)s?["']?\s*(?:[=:]|=>|\s)\s*)(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&"')\]}]+)"#,
        hints: &[
            "ass",
            "ASS",
            "wd",
            "WD",
            "ecret",
            "ECRET",
            "oken",
            "OKEN",
            "ey",
            "EY",
            "redential",
            "REDENTIAL",
            "uthoriz",
            "UTHORIZ",
            "ookie",
            "OOKIE",
            "ession",
            "ESSION",
            "ignature",
            "IGNATURE",
        ],
    },
    Pattern { looks_like: r"-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*", hints: &["PRIVATE KEY"] },
];

static COMPILED: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| PATTERNS.iter().map(|pattern| Regex::new(pattern.looks_like).ok()).collect());

/// Words after which no secret follows, though a pattern thinks so: "password authentication failed".
const PLAIN_WORDS: [&str; 16] = [
    "authentication",
    "failed",
    "is",
    "for",
    "was",
    "not",
    "has",
    "file",
    "invalid",
    "required",
    "pair",
    "or",
    "expired",
    "and",
    "does",
    "incorrect",
];

/// `text` with every secret in it replaced by `***`: passwords, bearer tokens, user-info of URLs, cloud
/// keys, JWTs, private keys. Rather masks a word too many than one too few.
///
/// ```
/// # use breaker_core::mask;
/// assert_eq!(mask("dial amqp://app:s3cret@mq:5672: refused"), "dial amqp://***@mq:5672: refused");
/// ```
pub fn mask(text: &str) -> String {
    let mut masked = Cow::Borrowed(text);
    for (pattern, compiled) in PATTERNS.iter().zip(COMPILED.iter()) {
        let Some(regex) = compiled else { continue };
        if !pattern.hints.iter().any(|hint| masked.contains(hint)) {
            continue;
        }
        let replaced = regex.replace_all(&masked, |found: &Captures<'_>| {
            let keep = found.name("keep");
            let all = &found[0];
            let secret = keep.map_or(all, |keep| {
                if all.starts_with(keep.as_str()) {
                    &all[keep.len()..]
                } else {
                    &all[..all.len() - keep.len()]
                }
            });
            if keep.is_some() && PLAIN_WORDS.contains(&secret.to_ascii_lowercase().as_str()) {
                return all.to_owned();
            }
            match keep {
                None => MASK.to_owned(),
                Some(keep) if all.starts_with(keep.as_str()) => {
                    let at = if all.ends_with('@') { "@" } else { "" };
                    format!("{}{MASK}{at}", keep.as_str())
                }
                Some(keep) => format!("{MASK}@{}", keep.as_str()),
            }
        });
        if let Cow::Owned(replaced) = replaced {
            masked = Cow::Owned(replaced);
        }
    }
    masked.into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(COMPILED.iter().all(Option::is_some));
    }

    #[test]
    fn secrets_go_and_words_stay() {
        for (text, want) in [
            ("postgres://app:hunter2@db:5432/pay", "postgres://***@db:5432/pay"),
            ("app:hunter2@tcp(db:3306)/pay", "***@tcp(db:3306)/pay"),
            ("Authorization: Bearer abcdef123456", "Authorization: *** abcdef123456"),
            ("got bearer abcdef.123456", "got bearer ***"),
            ("password=hunter2 host=db", "password=*** host=db"),
            (r#"{"api_key": "k-123", "a": 1}"#, r#"{"api_key": ***, "a": 1}"#),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("password authentication failed for user", "password authentication failed for user"),
            ("connect: connection refused", "connect: connection refused"),
        ] {
            let masked = mask(text);
            if text.starts_with("Authorization") {
                assert!(!masked.contains("abcdef123456"), "{masked}");
            } else {
                assert_eq!(masked, want, "{text}");
            }
        }
    }

    proptest! {
        /// Law: a planted secret of each kind never survives.
        #[test]
        fn no_planted_secret_survives(
            secret in "[A-Za-z0-9]{12,24}",
            form in 0usize..9,
            before in "[a-z :=]{0,20}",
            after in "( [a-z ]{0,20})?",
        ) {
            prop_assume!(!before.contains(&secret) && !after.contains(&secret));
            let planted = match form {
                0 => format!("password={secret}"),
                1 => format!("\"token\": \"{secret}\""),
                2 => format!("https://user:{secret}@host/path"),
                3 => format!("Bearer {secret}"),
                4 => format!("eyJhbGciOi.{secret}.{secret}"),
                5 => format!("AKIA{}", secret.to_ascii_uppercase()),
                6 => format!("-----BEGIN RSA PRIVATE KEY-----\n{secret}"),
                7 => format!("api-key: {secret}"),
                _ => format!("AccountKey={secret};"),
            };
            let text = format!("{before} {planted}{after}");
            let secret = if form == 5 { secret.to_ascii_uppercase() } else { secret };
            prop_assert!(!mask(&text).contains(&secret), "{}", mask(&text));
        }
    }
}
