//! Masks the parts of free text that vary: ids, addresses, times, measurements.

use std::sync::LazyLock;

use regex::{Captures, Regex};

struct Mask {
    id: &'static str,
    shown: &'static str,
    regex: Regex,
}

/// Applied in this order: text that is masked is not matched again.
static MASKS: LazyLock<Vec<Mask>> = LazyLock::new(|| {
    [
        ("mask/uuid", "<uuid>", r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
        // Before times, since `5:80` could be one. In brackets an address has more colons than a
        // time.
        (
            "mask/ip-port",
            "<ip>",
            r"(?x)\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?\b
              | \[(?:[0-9a-fA-F]{0,4}::|(?:[0-9a-fA-F]{1,4}:){3,})[0-9a-fA-F:.]*\](?::\d{1,5})?",
        ),
        (
            "mask/time",
            "<time>",
            r"(?x)\b\d{4}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\ ?Z|\ ?[+-]\d\d:?\d\d)?)?(?:\b|$)
              | \b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\b",
        ),
        (
            "mask/request-id",
            "<id>",
            r"(?ix)\b(?:request|req|trace|span|correlation|transaction|txn)[-_\ ]?(?:id)?(?:[=:\#]\s*|\s+|[-_])
              (?P<keep>[0-9a-z][0-9a-z_-]*\d[0-9a-z_-]*)",
        ),
        (
            "mask/pod",
            "<pod>",
            // The letters of Kubernetes, which form no words: no vowels, and not 0, 1 and 3.
            r"(?x)\b[a-z][a-z0-9-]*?-(?P<keep>[b-df-hj-np-tv-xz2456789]{7,10}-[b-df-hj-np-tv-xz2456789]{5})\b",
        ),
        // Only in brackets or after `#`, where people put it: `SHA-256` may tell texts apart.
        (
            "mask/ticket",
            "<ticket>",
            r"(?x)(?:[(\[]\#?|^\#|\s\#)(?P<keep>[A-Z][A-Z0-9]{1,9}-\d{1,9}|[A-Z]{2,8}\d{5,9}|\d{4,9})\b",
        ),
        (
            "mask/url-id",
            "<id>",
            r"\bhttps?://[^\s/]+(?:/[^\s/?\#]+)*?/(?P<keep>\d+)\b",
        ),
        ("mask/hex", "<hex>", r"\b(?:0x)?[0-9a-fA-F]{8,}\b"),
        (
            "mask/measure",
            "<n>",
            r"(?x)(?:\b|-)\d+(?:[.,]\d+)?\s?(?:%|(?:ns|us|µs|ms|s|sec|secs|seconds?|m|min|minutes?|h|hours?|d|days?
              |[kKMGT]i?B|bytes)\b)",
        ),
    ]
    .into_iter()
    .filter_map(|(id, shown, regex)| Some(Mask { id, shown, regex: Regex::new(regex).ok()? }))
    .collect()
});

/// The ids under which masks can be disabled.
pub(crate) fn ids() -> impl Iterator<Item = &'static str> {
    MASKS.iter().map(|mask| mask.id)
}

/// The masked text, and the values that were masked.
pub(crate) fn mask(text: &str, is_on: impl Fn(&str) -> bool) -> (String, Vec<String>) {
    let mut dropped = Vec::new();
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return (text.to_owned(), dropped);
    }
    let mut masked = text.to_owned();
    for mask in MASKS.iter().filter(|mask| is_on(mask.id)) {
        let next = mask.regex.replace_all(&masked, |found: &Captures<'_>| {
            let whole = &found[0];
            let varies = found.name("keep").map_or(whole, |keep| keep.as_str());
            if !varies.bytes().any(|byte| byte.is_ascii_digit()) {
                return whole.to_owned();
            }
            dropped.push(varies.to_owned());
            format!("{}{}", &whole[..whole.len() - varies.len()], mask.shown)
        });
        masked = next.into_owned();
    }
    (masked, dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_masked() {
        for (text, want) in [
            ("order 550e8400-e29b-41d4-a716-446655440000 lost", "order <uuid> lost"),
            ("blob deadbeef01 and deadbeef", "blob <hex> and deadbeef"),
            ("to 10.96.0.7:443 and [::1]:80", "to <ip> and <ip>"),
            ("at 10:42:07.123 on 2026-11-23T06:51:59Z", "at <time> on <time>"),
            ("on 2026-11-23", "on <time>"),
            ("request_id=a1b2-c3 failed", "request_id=<id> failed"),
            ("trace id: 77ab", "trace id: <id>"),
            ("pod swype-app-6d4f9c7b5-x2x9q died", "pod swype-app-<pod> died"),
            ("p99 is 12.5ms, 37 % over 3h", "p99 is <n>, <n> over <n>"),
            ("it is slow (OPS-13)", "it is slow (<ticket>)"),
            ("#4711", "#<ticket>"),
            ("cipher SHA-256 (2) of disk #3", "cipher SHA-256 (2) of disk #3"),
            ("see https://t.example/browse/13", "see https://t.example/browse/<id>"),
            ("probe of https://t.example/v2/health", "probe of https://t.example/v2/health"),
            // Names of products have vowels, which the suffixes of pods have not.
            ("acme-storage2-nodes is full", "acme-storage2-nodes is full"),
            ("disk sda1 of shard 3", "disk sda1 of shard 3"),
            ("nothing at all", "nothing at all"),
        ] {
            assert_eq!(mask(text, |_| true).0, want, "{text}");
        }
        assert_eq!(ids().count(), 9, "a mask that does not compile is not counted");
    }

    #[test]
    fn what_was_dropped_is_kept_and_masks_can_be_switched_off() {
        let (masked, dropped) = mask("blob deadbeef01", |_| true);
        assert_eq!((masked.as_str(), dropped), ("blob <hex>", vec!["deadbeef01".to_owned()]));
        assert_eq!(mask("blob deadbeef01", |id| id != "mask/hex").0, "blob deadbeef01");
    }
}
