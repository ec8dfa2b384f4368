//! The patterns of secrets.

/// Patterns with their replacement, in order. `***` itself is never matched as a value, so that
/// masking is idempotent.
pub(super) const PATTERNS: &[(&str, &str)] = &[
    // A private key, to its end or, when the text was cut, to the end of the text.
    (r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)", "***"),
    // JSON Web Tokens: base64 of `{"…`, at least header and payload.
    (r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?", "***"),
    // A secret of AWS has no beginning of its own; it stands behind its key id.
    (
        r#"\b((?:AKIA|ASIA)[A-Z0-9]{12,}["']?[\s:,;/=]+["']?(?:[a-z_]+["']?[\s:=]+["']?)?)[A-Za-z0-9/+]{40}"#,
        "${1}***",
    ),
    // Tokens with a known beginning.
    (
        concat!(
            r"\b(?:(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9a-z]{12,}",
            r"|(?:gh[pousr]|github_pat|npm|rubygems|pypi|hf|lin_api|ntn|glsa|glc|sntrys|sntryu|dckr_pat|dckr_oat)[_-][A-Za-z0-9_=-]{16,}",
            r"|gl(?:pat|ptt|dt|rt|cbt|imt|ft|soat|ffct|agent|oas|wt)-[A-Za-z0-9_.-]{15,}|GR1348941[A-Za-z0-9_-]{15,}",
            r"|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}",
            r"|(?:sk|rk|pk|duffel|shippo)_(?:live|test|prod)_[A-Za-z0-9_-]{10,}|whsec_[A-Za-z0-9+/=]{10,}",
            r"|sk-[A-Za-z0-9_-]{20,}|do[opr]_v1_[A-Za-z0-9]{16,}|pscale_[a-z]+_[A-Za-z0-9_.-]{16,}",
            r"|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_.-]{10,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
            r"|hv[sbr]\.[A-Za-z0-9_-]{20,}|dp\.[a-z]+\.[A-Za-z0-9]{16,}|dt0[a-z]\d\d\.[A-Za-z0-9.]{16,}",
            r"|NR(?:AK|JS|II|AA|BR)-[A-Za-z0-9-]{16,}|PMAK-[A-Za-z0-9-]{16,}|pul-[A-Za-z0-9]{16,}|shp(?:at|ca|pa|ss)_[A-Za-z0-9]{16,}",
            r"|AGE-SECRET-KEY-1[A-Za-z0-9]{16,}|ATATT3[A-Za-z0-9_=-]{16,}|ATCTT3[A-Za-z0-9_=-]{16,}|dapi[A-Za-z0-9-]{24,}",
            r"|LTAI[A-Za-z0-9]{12,}|xkeysib-[A-Za-z0-9-]{16,}|sq0[a-z]{3}-[A-Za-z0-9_-]{16,}|EZ[AT]K[A-Za-z0-9]{16,}",
            r"|FLWSECK[_-][A-Za-z0-9-]{12,}|sbp_[A-Za-z0-9]{16,}|HRKU-[A-Za-z0-9_-]{16,}|fm[12][a-z]?_[A-Za-z0-9+/=]{20,}|fo1_[A-Za-z0-9_-]{16,}",
            r"|p8e-[A-Za-z0-9]{16,}|ops_eyJ[A-Za-z0-9]{16,}|ico-[A-Za-z0-9]{24,}|rdme_[A-Za-z0-9]{24,}|pnu_[A-Za-z0-9]{24,}|key-[0-9a-f]{32}|CLOJARS_[A-Za-z0-9]{24,})",
        ),
        "***",
    ),
    // Azure client secrets have a fixed middle.
    (r"\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", "***"),
    // Webhook URLs of chats: who knows one may post.
    (r#"(?i)(hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/)[^\s"'<>:?]+"#, "${1}***"),
    (r#"(?i)(discord(?:app)?\.com/api/(?:v\d+/)?webhooks/)[^\s"'<>:?]+"#, "${1}***"),
    (r#"(?i)(office\.com/webhook(?:b2)?/)[^\s"'<>:?]+"#, "${1}***"),
    (r#"(?i)(api\.telegram\.org/(?:file/)?bot)[^\s/"'<>*]+"#, "${1}***"),
    (r#"(?i)(chat\.googleapis\.com/v1/spaces/)[^\s"'<>]+"#, "${1}***"),
    (r"(?i)(/hooks/)[a-z0-9]{26}\b", "${1}***"),
    // The authorization code of OAuth.
    (r#"([?&]code=)[^\s&#"'<>]+"#, "${1}***"),
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
        r#"(?i)([A-Za-z0-9_.-]*(?:passw(?:or)?d|passwort|passphrase|\bpwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|account[_-]?key|shared[_-]?access[_-]?key|private[_-]?key|client[_-]?key|credentials?|session[_-]?id|cookie|\bsig|signature)(?:[_-]?(?:id|value|data|key|key[_-]base))?\\?["']?\s*(?:=>|[=:])\s*)(?:\\?"(?:[^"\\]|\\[^"])*(?:\\?"|$)|'[^']*(?:'|$)|[^\s"',;&)}\]]+)"#,
        "${1}***",
    ),
    // --password value, -password value
    (r"(?i)(--?(?:password|passwd|pass|token|secret|api-key|access-key)\s+)[^\s-][^\s]*", "${1}***"),
    // curl -u user:password, mysql -ppassword, api_key value
    (
        r#"(?i)\b((?:curl|http|https|wget)\b[^\n]*?\s(?:-u|--user)[ =]?["']?[^\s:"'=-][^\s:"']*:)[^\s"']+"#,
        "${1}***",
    ),
    (
        r"\b((?:mysql|mysqldump|mysqladmin|mysqlcheck|mariadb|mariadb-dump|mariadb-admin)\b[^\n]*?\s-p)[^\s]+",
        "${1}***",
    ),
    (r#"(?i)\b((?:api|secret|access|auth)[_-]?(?:key|token)\s+)["']?[A-Za-z0-9_+/=.-]{16,}"#, "${1}***"),
    // "pass phrase is hunter2", "using password hunter2"
    (r#"(?i)\b(password|passphrase)\s+(?:is|was)\s+["']?[^\s"',;]+"#, "${1} is ***"),
];
