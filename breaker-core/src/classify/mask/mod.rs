//! Masks secrets in quoted text.

mod patterns;

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use patterns::PATTERNS;

/// `text` with every secret in it replaced by `***`.
///
/// Secrets are private-key blocks, JWTs, tokens with a known beginning (cloud, code hosting,
/// payment and chat providers), webhook URLs of chats, `Authorization` headers, the user-info of
/// URLs and of MySQL and Oracle addresses, values of keys that are named like a secret
/// (`password=…`,
/// `"token": "…"`, `AccountKey=…`), and a password in prose. Masking twice changes nothing.
pub fn mask(text: &str) -> String {
    // One scan for all patterns: most texts hold no secret.
    if !ANY.is_match(text.as_bytes()) {
        return text.to_owned();
    }
    let mut masked = Cow::Borrowed(text.as_bytes());
    for (regex, with) in MASKS.iter() {
        if let Cow::Owned(changed) = regex.replace_all(&masked, with.as_bytes()) {
            masked = Cow::Owned(changed);
        }
    }
    let masked = PROSE.replace_all(&masked, prose);
    let masked = LOGIN.replace_all(&masked, login);
    // Every pattern begins and ends on ASCII or takes whole runs, so this only borrows.
    String::from_utf8_lossy(&masked).into_owned()
}

/// Patterns of secrets that a user added; matches become `***`.
#[derive(Debug, Default)]
pub(super) struct Masks(Vec<Regex>);

impl Masks {
    /// Adds a pattern.
    pub(super) fn add(&mut self, pattern: &str) -> Result<(), regex::Error> {
        self.0.push(compile(pattern)?);
        Ok(())
    }

    /// Whether one of the user's patterns matches in `text`.
    pub(super) fn hides(&self, text: &str) -> bool {
        self.0.iter().any(|regex| regex.is_match(text.as_bytes()))
    }

    /// `text` with every secret in it replaced by `***`.
    pub(super) fn mask(&self, text: &str) -> String {
        let mut masked = mask(text).into_bytes();
        for regex in &self.0 {
            if let Cow::Owned(changed) = regex.replace_all(&masked, b"***".as_slice()) {
                masked = changed;
            }
        }
        String::from_utf8_lossy(&masked).into_owned()
    }
}

/// Bytes instead of Unicode classes: a tenth of the memory, and the frame of every secret is ASCII.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).dfa_size_limit(1 << 18).build()
}

static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    // A test compiles every pattern, so this cannot fail for a user.
    let compiled = |pattern: &str| compile(pattern).unwrap_or_else(|e| unreachable!("{pattern}: {e}"));
    PATTERNS.iter().map(|(pattern, with)| (compiled(pattern), *with)).collect()
});

/// Every pattern of this module.
static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
    let all = PATTERNS.iter().map(|(pattern, _)| *pattern).chain([PROSE_PATTERN, LOGIN_PATTERN]);
    let set = RegexSetBuilder::new(all).unicode(false).dfa_size_limit(1 << 20).build();
    set.unwrap_or_else(|e| unreachable!("{e}"))
});

/// A password in prose: `login with password hunter2 failed`.
const PROSE_PATTERN: &str =
    r#"(?i)\b(password|passwd|passphrase|pwd)(\s+)("[^"]*"|'[^']*'|[^\s"',;:=()\[\]]+)"#;

/// `user/password@database`, as Oracle's tools write it.
const LOGIN_PATTERN: &str = r#"(?i)(^|[\s="'(])([a-z][a-z0-9_$#]*/[^\s/@"']+)@(//[^\s"']+|[a-z][^\s"']*)"#;

static PROSE: LazyLock<Regex> =
    LazyLock::new(|| compile(PROSE_PATTERN).unwrap_or_else(|e| unreachable!("{PROSE_PATTERN}: {e}")));

static LOGIN: LazyLock<Regex> =
    LazyLock::new(|| compile(LOGIN_PATTERN).unwrap_or_else(|e| unreachable!("{LOGIN_PATTERN}: {e}")));

/// Words that follow "password" in sentences and are not one.
const AFTER_PASSWORD: &str = " a an and are as at attempt attempts auth authentication based but by can cannot \
    change changed check could did do does encryption entry expired expires failed failure field file for from \
    given grant has hash hashes hashing have if in incorrect invalid is it length less login lookup manager may \
    mismatch missing must needed no not of on only or policy prompt protected protection provided rejected \
    required reset retry rotation set should store strength string supplied that the this to too try type \
    user using validation verification was were when which will with without wrong you your authentication. \
    failed. incorrect. required. expired. missing. ";

fn prose(found: &Captures<'_>) -> Vec<u8> {
    let word = found[3].to_ascii_lowercase();
    let plain = String::from_utf8_lossy(&word);
    let is_prose = plain == "***" || AFTER_PASSWORD.contains(&format!(" {plain} "));
    if is_prose {
        return found[0].to_vec();
    }
    [&found[1], &found[2], b"***"].concat()
}

fn login(found: &Captures<'_>) -> Vec<u8> {
    let place = &found[3];
    // The digest of an image, or the version of a package.
    let version = place.starts_with(b"v") && place.get(1).is_some_and(u8::is_ascii_digit);
    if version || place.starts_with(b"sha256:") {
        return found[0].to_vec();
    }
    [&found[1], b"***@", place].concat()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for (pattern, _) in PATTERNS {
            compile(pattern).expect(pattern);
        }
        assert_eq!(MASKS.len(), PATTERNS.len());
        assert!(PROSE.is_match(b"password x") && LOGIN.is_match(b"a/b@c"));
    }

    #[test]
    fn tokens_with_a_known_beginning_are_hidden() {
        let body = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0";
        for start in [
            "whsec_",
            "glrt-",
            "glpat-",
            "gldt-",
            "glptt-",
            "dop_v1_",
            "doo_v1_",
            "ghp_",
            "ghs_",
            "github_pat_",
            "xoxb-",
            "xapp-",
            "sk_live_",
            "rk_test_",
            "npm_",
            "pypi-",
            "rubygems_",
            "dckr_pat_",
            "hvs.",
            "hvb.",
            "glsa_",
            "glc_",
            "NRAK-",
            "sntrys_",
            "lin_api_",
            "ntn_",
            "sk-ant-",
            "sk-proj-",
            "hf_",
            "pscale_tkn_",
            "PMAK-",
            "pul-",
            "shpat_",
            "AGE-SECRET-KEY-1",
            "ATATT3",
            "dapi",
            "LTAI",
            "xkeysib-",
            "dt0c01.",
            "sq0atp-",
            "EZAK",
            "duffel_live_",
            "FLWSECK_TEST-",
            "dp.pt.",
            "sbp_",
            "AKIA",
            "ABIA",
            "AIza",
            "ya29.",
            "SG.A1b2C3d4E5f6G7h8I9.",
        ] {
            let text = format!("client: {start}{body} rejected");
            let masked = mask(&text);
            assert!(!masked.contains(&body[..16]), "{masked}");
            assert!(masked.starts_with("client: ") && masked.ends_with(" rejected"), "{masked}");
        }
    }

    #[test]
    fn a_user_adds_patterns() {
        let mut masks = Masks::default();
        masks.add("acme-[0-9]+").expect("a pattern");
        assert_eq!(masks.mask("key acme-42, password=x"), "key ***, password=***");
        assert!(masks.hides("acme-1") && !masks.hides("acme"));
        assert!(masks.add("(").is_err());
    }

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
            ("curl", "+ curl -sS -u app:s3cr3t https://gw/v1", "+ curl -sS -u app:*** https://gw/v1"),
            ("a user of a container", "docker run -u 1000:1000 app", "docker run -u 1000:1000 app"),
            ("mysql", "+ mysql -h db -uapp -ps3cr3t x", "+ mysql -h db -uapp -p*** x"),
            ("key in prose", "using api_key a1b2c3d4e5f6a7b8 of x", "using api_key *** of x"),
            ("rails", "secret_key_base: 0f1e2d3c", "secret_key_base: ***"),
            ("django", "SECRET_KEY='a b'", "SECRET_KEY=***"),
            ("aws secret", "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY x", "*** *** x"),
            ("flag", "mysql --password s3cr3t -h db", "mysql --password *** -h db"),
            (
                "chat webhook",
                "Post \"https://hooks.slack.com/services/T0/B0/abc\": EOF",
                "Post \"https://hooks.slack.com/services/***\": EOF",
            ),
            (
                "workflow webhook",
                "https://hooks.slack.com/workflows/T0/A0/1/abc",
                "https://hooks.slack.com/workflows/***",
            ),
            (
                "discord",
                "https://discord.com/api/webhooks/12/ab_C-d: 404",
                "https://discord.com/api/webhooks/***: 404",
            ),
            (
                "teams",
                "https://a.webhook.office.com/webhookb2/x@y/z",
                "https://a.webhook.office.com/webhookb2/***",
            ),
            (
                "telegram",
                "https://api.telegram.org/bot12345678:ABC_d-e/sendMessage",
                "https://api.telegram.org/bot***/sendMessage",
            ),
            (
                "google chat",
                "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t",
                "https://chat.googleapis.com/v1/spaces/***",
            ),
            ("authorization code", "GET /callback?code=4%2F0Ab_c&state=x", "GET /callback?code=***&state=x"),
            ("oracle", "connect scott/tiger1@//db:1521/x", "connect ***@//db:1521/x"),
            ("oracle alias", "sqlplus app/S3cret@ledger", "sqlplus ***@ledger"),
            ("a path before an at sign", "open /srv/app/x@2.png", "open /srv/app/x@2.png"),
            ("an image", "pull library/nginx@sha256:ab", "pull library/nginx@sha256:ab"),
            ("a package", "npm i @types/node@20", "npm i @types/node@20"),
            ("prose", "login with password hunter2 failed", "login with password *** failed"),
            ("quoted prose", "password \"correct horse\" rejected", "password *** rejected"),
            (
                "no password in prose",
                "FATAL: password authentication failed",
                "FATAL: password authentication failed",
            ),
            ("no password", "password must be set", "password must be set"),
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
            let masked = super::super::quote::quote(&format!("{pad} {text} {pad}"), pad.len(), &Masks::default());
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
