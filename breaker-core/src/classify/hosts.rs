//! Addresses in a text: `host:port`, URLs, bracketed IPv6 addresses.

use std::ops::Range;

/// An address of another system, as a text names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address<'t> {
    pub(super) host: &'t str,
    pub(super) port: Option<&'t str>,
    /// Where it stands in the text, with its scheme.
    pub(super) span: Range<usize>,
    /// The scheme before `://`; empty without one.
    pub(super) scheme: &'t str,
}

/// The addresses in `text`, in order.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = Address<'_>> {
    let bytes = text.as_bytes();
    let mut from = 0;
    let mut next_colon = move || {
        let at = from + bytes.get(from..)?.iter().position(|b| *b == b':')?;
        from = at + 1;
        Some(at)
    };
    let mut done = 0;
    std::iter::from_fn(move || {
        while let Some(colon) = next_colon() {
            if colon < done {
                continue;
            }
            let found = match text[colon..].starts_with("://") {
                true => url(text, colon),
                false => host_and_port(text, colon),
            };
            if let Some(address) = found {
                done = address.span.end;
                return Some(address);
            }
        }
        None
    })
}

/// The URL whose scheme ends at `colon`.
fn url(text: &str, colon: usize) -> Option<Address<'_>> {
    let scheme_start = start_of_last(&text[..colon], |c| c.is_ascii_alphanumeric() || c == '+');
    let scheme = &text[scheme_start..colon];
    let rest = &text[colon + 3..];
    // gRPC writes the resolver's authority before the address: `endpoint://client-7/db:2379`.
    if matches!(scheme, "endpoint" | "endpoints" | "passthrough" | "dns") {
        let target = rest.split([' ', '"', ',']).next().unwrap_or_default();
        let slash = target.find('/')?;
        let (host, port) = split_port(target[slash + 1..].trim_end_matches('.'));
        return port.map(|_| Address { host, port, span: scheme_start..colon + 3 + target.len(), scheme });
    }
    let end = rest.find(|c: char| c.is_whitespace() || "/?#\"'<>`\\,;)}|".contains(c)).unwrap_or(rest.len());
    // A bracket closes only what the URL itself opened.
    let bracket = rest[..end].find(']').filter(|_| !rest[..end].contains('['));
    let end = bracket.unwrap_or(end);
    // Of a user-info only the host behind it counts.
    let user_info = rest[..end].rfind('@').map_or(0, |at| at + 1);
    // A sentence may end behind the address.
    let authority = rest[user_info..end].trim_end_matches(['.', ':']);
    let (host, port) = split_port(authority);
    let local = matches!(scheme, "file" | "unix" | "npipe") || host.is_empty();
    let named = host.starts_with('[') || host.chars().all(|c| is_host_char(c as u32));
    (!local && named).then(|| Address { host, port, span: scheme_start..colon + 3 + end, scheme })
}

/// Where the characters at the end of `text` that are all `wanted` begin.
pub(super) fn start_of_last(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.len() - text.chars().rev().take_while(|c| wanted(*c)).map(char::len_utf8).sum::<usize>()
}

/// `host:port` and `[::1]:port`, whose last colon is at `colon`.
fn host_and_port(text: &str, colon: usize) -> Option<Address<'_>> {
    let bytes = text.as_bytes();
    let digits = bytes[colon + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
    let after = bytes.get(colon + 1 + digits);
    // `11:20:44` is a time.
    let time = after == Some(&b':') && bytes.get(colon + 2 + digits).is_some_and(u8::is_ascii_digit);
    // `ipv4:10.0.0.7:443` has another colon.
    let octets = after == Some(&b'.') && bytes.get(colon + 2 + digits).is_some_and(u8::is_ascii_digit);
    let ends = after.is_none_or(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'_' | b'%'));
    let ends = ends && !time && !octets;
    if !(1..=5).contains(&digits) || !ends {
        return None;
    }
    let before = &text[..colon];
    // A part of an IPv6 address without brackets, whose port nobody can tell.
    let goes_on = after == Some(&b':') && bytes.get(colon + 2 + digits) == Some(&b':');
    if goes_on || before.rsplit(|c: char| !is_host_char(c as u32) && c != ':').next()?.contains("::") {
        return None;
    }
    let start = match before.strip_suffix(']') {
        Some(open) => open.rfind('[')?,
        None => start_of_last(before, |c| is_host_char(c as u32)),
    };
    let host = &before[start..];
    let port = &text[colon + 1..colon + 1 + digits];
    // `x:7` is rather a line of a file.
    let long = digits > 1 || host.split('.').count() == 4;
    (long && is_host(host, text[..start].ends_with('/'))).then(|| Address {
        host,
        port: Some(port),
        span: start..colon + 1 + digits,
        scheme: "",
    })
}

/// Whether a text before a port is a host: neither a time nor the name of a source file.
fn is_host(host: &str, in_path: bool) -> bool {
    if let Some(v6) = host.strip_prefix('[') {
        return v6.contains(':');
    }
    let lettered = host.bytes().any(|b| b.is_ascii_alphabetic());
    let v4 = || host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok());
    if !lettered {
        return v4();
    }
    const SOURCES: [&str; 22] = [
        "go", "js", "py", "rb", "java", "ts", "mjs", "cjs", "rs", "c", "cc", "cpp", "h", "php", "ex", "exs",
        "erl", "lua", "kt", "scala", "cs", "fs",
    ];
    let source = host.rsplit_once('.').is_some_and(|(_, end)| SOURCES.contains(&end));
    // `com.acme.Command:149` is a line of a class.
    let class = host.rsplit_once('.').is_some_and(|(package, name)| {
        name.starts_with(|c: char| c.is_ascii_uppercase())
            && package.starts_with(|c: char| c.is_ascii_lowercase())
    });
    !source && !class && !in_path && !host.starts_with(['-', '.', '_']) && host.len() > 1
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    let numeric = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match authority.rsplit_once(':') {
        Some((host, port)) if numeric(port) && !host.ends_with(':') => (host, Some(port)),
        Some((host, _)) if !host.contains(':') && !host.contains('[') => (host, None),
        _ => (authority, None),
    }
}

pub(super) fn is_host_char(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found() {
        for (text, want) in [
            ("dial tcp 10.0.0.7:5432: refused", vec!["10.0.0.7:5432"]),
            ("read 10.0.0.7:4711->db-0.db:5432: reset", vec!["10.0.0.7:4711", "db-0.db:5432"]),
            ("Get \"https://u:p@gw.sre.svc:8443/v1?x=a:80\": EOF", vec!["gw.sre.svc:8443"]),
            ("amqp://app:s/x@mq", vec!["app"]),
            ("http://ledger/v1", vec!["ledger"]),
            ("\u{65e0}\u{6cd5}\u{8fde}\u{63a5}http://ledger:80", vec!["ledger:80"]),
            ("\u{fffd}://ledger:80", vec!["ledger:80"]),
            ("target etcd-endpoints://0xc0007101c0/db:2379", vec!["db:2379"]),
            ("target passthrough:///db:2379, x", vec!["db:2379"]),
            ("ipv4:10.0.0.7:443: Failed to connect", vec!["10.0.0.7:443"]),
            ("[fd00::1]:443 and http://[::1]:80/", vec!["[fd00::1]:443", "[::1]:80"]),
            ("11:20:44 main.go:40 /a/b:12 x:y a::b file:///x unix:///run/a.sock é:80", vec![]),
        ] {
            let found: Vec<String> = addresses(text)
                .map(|a| a.port.map_or(a.host.to_owned(), |port| format!("{}:{port}", a.host)))
                .collect();
            assert_eq!(found, want, "{text}");
        }
    }
}
