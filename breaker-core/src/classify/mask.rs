//! Masks secrets in quoted text.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// `text` with every secret in it replaced by `***`.
///
/// Secrets are private-key blocks, JWTs, tokens of known shape (AWS, Google, Azure, GitHub, GitLab,
/// Slack, Stripe, npm), `Authorization` headers, the user-info of URLs and of MySQL DSNs, and the
/// values of keys that are named like a secret (`password=…`, `"token": "…"`, `AccountKey=…`).
/// Masking twice changes nothing.
pub fn mask(text: &str) -> String {
    let mut masked = Cow::Borrowed(text.as_bytes());
    for (regex, with) in MASKS.iter() {
        if let Cow::Owned(changed) = regex.replace_all(&masked, with.as_bytes()) {
            masked = Cow::Owned(changed);
        }
    }
    // Every pattern begins and ends on ASCII or takes whole runs, so this only borrows.
    String::from_utf8_lossy(&masked).into_owned()
}

static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    PATTERNS
        .iter()
        .filter_map(|(pattern, with)| {
            // Bytes instead of Unicode classes: a tenth of the memory, and every secret's frame is
            // ASCII.
            let regex = RegexBuilder::new(pattern).unicode(false).dfa_size_limit(1 << 18).build();
            debug_assert!(regex.is_ok(), "{pattern}");
            Some((regex.ok()?, *with))
        })
        .collect()
});

/// In order; `***` itself is never matched as a value, so that masking is idempotent.
const PATTERNS: &[(&str, &str)] = &[
    // A private key, to its end or, when the text was cut, to the end of the text.
    (r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)", "***"),
    // JSON Web Tokens: base64 of `{"…`, at least header and payload.
    (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?", "***"),
    // Tokens of known shape.
    (
        r"\b(?:(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_.-]{10,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{15,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|sk-[A-Za-z0-9_-]{20,}|npm_[A-Za-z0-9]{30,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|hvs\.[A-Za-z0-9_-]{20,})",
        "***",
    ),
    // Authorization headers, and a bare scheme with its credential.
    (
        r#"(?i)\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256)\s+)?[^\s"',;}\]]+"#,
        "${1}***",
    ),
    (r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=_.~-]{8,}", "${1} ***"),
    // scheme://user:password@host and scheme://token@host; greedy, for a password may hold an `@`.
    (r#"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#"'<>]+@"#, "${1}***@"),
    // …and one with slashes in its password.
    (r#"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@"'<>]*):[^\s"'<>@]+@"#, "${1}:***@"),
    // user:password@tcp(host), as Go's MySQL driver writes it.
    (r"[^\s:@/()]+:[^\s@()]*@(tcp|unix)\(", "***@${1}("),
    // key=value and "key": "value" where the key is named like a secret.
    (
        r#"(?i)([A-Za-z0-9_.-]*(?:passw(?:or)?d|passwort|passphrase|\bpwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|shared[_-]?access[_-]?key|private[_-]?key|client[_-]?key|credentials?|session[_-]?id|cookie|\bsig|signature)(?:[_-]?(?:id|value|data))?\\?["']?\s*(?:=>|[=:])\s*)(?:\\?"(?:[^"\\]|\\[^"])*(?:\\?"|$)|'[^']*(?:'|$)|[^\s"',;&)}\]]+)"#,
        "${1}***",
    ),
    // --password value, -password value
    (r"(?i)(--?(?:password|passwd|pass|token|secret|api-key|access-key)\s+)[^\s-][^\s]*", "${1}***"),
    // "pass phrase is hunter2", "using password hunter2"
    (r#"(?i)\b(password|passphrase)\s+(?:is|was)\s+["']?[^\s"',;]+"#, "${1} is ***"),
];

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_hidden() {
        for (case, text, want) in [
            ("url user-info", "dial postgres://app:s3cr3t@db:5432/x", "dial postgres://***@db:5432/x"),
            ("password with an at sign", "redis://:p@ss@cache:6379", "redis://***@cache:6379"),
            ("password with a slash", "amqp://u:a/b@mq:5672", "amqp://u:***@mq:5672"),
            ("mysql dsn", "app:s3cr3t@tcp(db:3306)/x", "***@tcp(db:3306)/x"),
            ("libpq", "host=db password=s3cr3t user=app", "host=db password=*** user=app"),
            ("quoted", "password='s3 cr3t' user=app", "password=*** user=app"),
            ("json", r#"{"db_password": "s3cr3t", "x": 1}"#, r#"{"db_password": ***, "x": 1}"#),
            ("yaml", "token: abcdef", "token: ***"),
            ("env", "PGPASSWORD=s3cr3t psql", "PGPASSWORD=*** psql"),
            ("header", "Authorization: Bearer abc.def", "Authorization: ***"),
            ("basic header", "authorization: Basic dXNlcjpwYXNz", "authorization: ***"),
            ("bearer", "sent bearer abcdefgh12345678", "sent bearer ***"),
            ("aws key id", "id AKIAIOSFODNN7EXAMPLE", "id ***"),
            ("azure", "AccountName=a;AccountKey=Zm9vYmFy==;X=1", "AccountName=a;AccountKey=***;X=1"),
            ("azure sas", "https://x/y?sv=1&sig=abc%2Bdef&se=2", "https://x/y?sv=1&sig=***&se=2"),
            ("jwt", "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "jwt ***"),
            (
                "private key",
                "k -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- z",
                "k *** z",
            ),
            ("cut private key", "-----BEGIN PRIVATE KEY-----\nMIIE", "***"),
            ("flag", "mysql --password s3cr3t -h db", "mysql --password *** -h db"),
            ("nothing", "connect to db:5432: connection refused", "connect to db:5432: connection refused"),
            ("an address is not a secret", "mail to a@b.example", "mail to a@b.example"),
        ] {
            assert_eq!(mask(text), want, "{case}");
        }
    }

    /// A secret of one of the kinds, with the text it is planted in.
    pub(in crate::classify) fn planted() -> impl Strategy<Value = (String, String)> {
        let secret = "[A-Za-z0-9]{12}[a-zA-Z0-9_]{8,20}";
        (secret, 0usize..12).prop_map(|(s, shape)| {
            let text = match shape {
                0 => format!("dial tcp postgres://app:{s}@db/x: connection refused"),
                1 => format!("password={s} host=db: connection refused"),
                2 => format!("\"api_key\":\"{s}\" connection refused"),
                3 => format!("Authorization: Bearer {s} connection refused"),
                4 => format!("connection refused token: {s}"),
                5 => format!("connection refused AccountKey={s}==;"),
                6 => format!("connection refused eyJ{s}.{s}.{s}"),
                7 => format!(
                    "-----BEGIN EC PRIVATE KEY-----{s}-----END EC PRIVATE KEY----- connection refused"
                ),
                8 => format!("{s}:{s}@tcp(db:3306)/ connection refused"),
                9 => format!("connection refused ghp_{}{s}", "A1b2C3d4"),
                10 => format!("client_secret='{s}' connection refused"),
                _ => format!("connection refused https://x.blob/y?sig={s}&se=1"),
            };
            (s, text)
        })
    }

    proptest! {
        #[test]
        fn a_planted_secret_never_survives((secret, text) in planted(), pad in "[a-z ]{0,300}") {
            let masked = super::super::quote::quote(&format!("{pad} {text} {pad}"), pad.len());
            prop_assert!(!masked.contains(&secret), "{masked}");
        }

        #[test]
        fn masking_twice_changes_nothing(text in "((password=|token: |Bearer |redis://a:b@)[a-z0-9/+]{0,9}[ ,;]{1,2}){0,6}") {
            let once = mask(&text);
            prop_assert_eq!(mask(&once), once);
        }

        #[test]
        fn masking_never_panics(text in ".*") {
            mask(&text);
        }
    }
}
