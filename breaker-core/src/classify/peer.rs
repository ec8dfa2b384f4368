//! The peer: the other side of a failed connection, as the statement names it.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::hosts::{Address, addresses, is_host_char, start_of_last};
use super::mask::mask;

/// The maximum length of a peer, in bytes. A host name has at most 253.
const MAX_LEN: usize = 260;

/// The peer that a statement names, as `host:port` or a name; `None` if it names none.
///
/// `deciding` is the line with the failure; `lines` are those of the statement and its chain,
/// innermost first; `before` are the lines before the statement, which may announce the operation;
/// `after` are those after the deciding line, which may show the arguments of the failed call.
pub(super) fn peer(deciding: &str, lines: &[&str], before: &[&str], after: &[&str]) -> Option<String> {
    let all = || std::iter::once(deciding).chain(lines.iter().copied());
    // A sentence can be broken over lines.
    let unbroken = || spelled_out(&lines.iter().rev().map(|line| line.trim()).collect::<Vec<_>>().join(" "));
    let named = || all().find_map(name_in_line);
    let found = all().find_map(in_line).or_else(unbroken).or_else(|| fields(lines)).or_else(named);
    let announced = || before.iter().filter(|line| line.contains("onnecting")).find_map(|line| address(line));
    let failed_before = || before.iter().filter(|line| reports_failure(line)).find_map(|line| in_line(line));
    let arguments =
        || after.iter().filter(|line| line.starts_with("Last message")).find_map(|line| spelled_out(line));
    let alone = || {
        all()
            .chain(after.iter().copied().filter(|line| shows_command(line) || reports_failure(line)))
            .find_map(bare_host)
    };
    let found = found.or_else(announced).or_else(failed_before).or_else(arguments).or_else(alone)?;
    // Another line can know the port.
    let same = |a: &Address<'_>| a.host == found && a.port.is_some();
    let with_port = || all().flat_map(addresses).find(same).map(|a| show(&a));
    let found = if found.contains(':') { found } else { with_port().unwrap_or(found) };
    let found = name_of(&found, all()).unwrap_or(found);
    let plain = mask(&found);
    (plain == found && plain.len() <= MAX_LEN).then_some(plain)
}

/// The name of a peer that was found by its number, if another line of the statement has it: an
/// address with the same port, or a URL whose scheme has that port.
fn name_of<'l>(found: &str, lines: impl Iterator<Item = &'l str>) -> Option<String> {
    let (host, port) = found.rsplit_once(':').filter(|(host, _)| is_ipv4(host))?;
    let same_port = |address: &Address<'_>| match address.port {
        Some(own) => own == port,
        None => matches!((address.scheme, port), ("http" | "ws", "80") | ("https" | "wss", "443")),
    };
    let is_name = |address: &Address<'_>| {
        address.host != host && address.host.contains(|c: char| c.is_ascii_alphabetic())
    };
    let foreign =
        |line: &'l str| addresses(line).filter(move |a| !is_own(a, line) && !is_documentation(a, line));
    lines
        .flat_map(foreign)
        .find(|address| is_name(address) && same_port(address))
        .map(|address| show(&address))
}

fn is_ipv4(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok())
}

/// Whether a line after the failure shows the command that failed.
fn shows_command(line: &str) -> bool {
    ["ommand '", "ommand: ", "ommand \"", "ommand failed"].iter().any(|words| line.contains(words))
}

/// A host without a port: an IPv4 address, a URL, or a name with a top-level domain.
fn bare_host(line: &str) -> Option<String> {
    if line.contains("listen") || line.contains("0.0.0.0") {
        return None;
    }
    address(line).or_else(|| first_match(&BARE, line))
}

/// Whether a line before the statement says what was tried or failed, as a command that a shell
/// traces: the statement may only repeat how.
fn reports_failure(line: &str) -> bool {
    const WORDS: [&str; 14] = [
        "rror",
        "esolve",
        "lookup",
        "unable to",
        "Unable to",
        "ould not",
        "annot ",
        "ailed",
        "etching",
        "hecking",
        "eading ",
        "olling ",
        "egistering",
        "onnected to ",
    ];
    line.starts_with("+ ") || WORDS.iter().any(|word| line.contains(word))
}

/// The peer that a line names by a host with a port, or by a name that did not resolve.
fn in_line(line: &str) -> Option<String> {
    unresolved(line).or_else(|| spelled_out(line)).or_else(|| address(line))
}

/// The name before an address that it was resolved to, as Java writes it: `db/10.0.0.7:5432`.
fn resolved_name<'l>(address: &Address<'_>, line: &'l str) -> Option<&'l str> {
    let before = line.get(..address.span.start)?.strip_suffix('/')?;
    let start = start_of_last(before, |c| is_host_char(c as u32));
    let name = before.get(start..)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && !before[..start].ends_with('/');
    let is_ip = address.host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (is_name && is_ip).then_some(name)
}

/// The best address in a line: behind `->`, else the first that is not its own.
fn address(line: &str) -> Option<String> {
    let foreign = |address: &Address<'_>| !is_own(address, line) && !is_documentation(address, line);
    let found: Vec<Address<'_>> = addresses(line).filter(foreign).collect();
    let behind_arrow = found.iter().find(|a| line[..a.span.start].ends_with("->"));
    // A URL names the service; the address behind it is what the name resolved to.
    let url = || found.iter().find(|a| matches!(a.scheme, "http" | "https" | "ws" | "wss" | "grpc"));
    behind_arrow.or_else(url).or_else(|| found.first()).map(|found| match resolved_name(found, line) {
        Some(name) => show(&Address { host: name, ..found.clone() }),
        None => show(found),
    })
}

fn is_own(address: &Address<'_>, line: &str) -> bool {
    let before = &line[..address.span.start];
    // A client that dials the unspecified address reaches its own host.
    let dials = ["dial ", "dial tcp ", "connect ", "connect to ", "ECONNREFUSED ", "connect to tcp://"];
    let dialed =
        dials.iter().any(|words| line[..address.span.end].contains(&format!("{words}{}", address.host)));
    let listens = matches!(address.host, "0.0.0.0" | "[::]") && !dialed;
    let source = line[address.span.end..].starts_with("->");
    listens || source || before.ends_with("listen tcp ") || before.ends_with("listening on ")
}

/// Links to manuals that error texts contain.
fn is_documentation(address: &Address<'_>, line: &str) -> bool {
    const SITES: [&str; 10] = [
        "sqlalche.me",
        "docs.",
        "pris.ly",
        "curl.haxx.se",
        "curl.se",
        "go.microsoft.com",
        "aka.ms",
        "errors.pydantic.dev",
        "nodejs.org",
        "npmjs.com",
    ];
    let site = address.port.is_none() && SITES.iter().any(|site| address.host.contains(site));
    let path = line[address.span.end..].split([' ', '"', '\'']).next().unwrap_or_default();
    let report =
        ["/issues", "/wiki", "/blob/", "/docs/", "/providers/", "NoRouteToHost", "ConnectionRefused"]
            .iter()
            .any(|part| path.contains(part));
    site || report
}

fn show(address: &Address<'_>) -> String {
    let inner = address.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    // Go writes brackets around every address of a URL.
    let host = inner.filter(|host| !host.contains(':')).unwrap_or(address.host);
    match address.port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// `server at "db" (10.0.0.7), port 5432`, `host='db', port=9200`, `db port 80`: host and port
/// apart.
fn spelled_out(line: &str) -> Option<String> {
    first_match(&APART, line)
}

/// A name that did not resolve. The resolver that was asked is not the peer.
fn unresolved(line: &str) -> Option<String> {
    first_match(&UNRESOLVED, line)
}

/// A name without a port: `upstream fx-grpc did not answer`.
fn name_in_line(line: &str) -> Option<String> {
    first_match(&NAMED, line)
}

/// The fields of Node's error object, or of an exception's text, each on its own line.
fn fields(lines: &[&str]) -> Option<String> {
    let field = |name: &str| {
        let line = lines.iter().find(|line| line.trim_start().starts_with(name))?;
        let value = line.trim_start()[name.len()..].trim().trim_end_matches(',');
        Some(value.trim_matches(['\'', '"']))
    };
    let host = field("address:").or_else(|| field("hostname:")).or_else(|| field("host:"))?;
    let named = !host.is_empty() && !host.contains(['/', ' ']);
    let host = if is_ipv6(host) { format!("[{host}]") } else { host.to_owned() };
    match field("port:") {
        _ if !named => None,
        Some(port) => Some(format!("{host}:{}", port.trim_end_matches(|c: char| !c.is_ascii_digit()))),
        None => Some(host),
    }
}

fn is_ipv6(host: &str) -> bool {
    host.contains("::") && host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

/// The first group of the first pattern that matches, with the second as its port.
fn first_match(patterns: &Patterns, line: &str) -> Option<String> {
    // One scan for all patterns: most lines match none.
    if !patterns.any.is_match(line) {
        return None;
    }
    let captures = patterns.each.iter().find_map(|pattern| pattern.captures(line))?;
    let host = captures.get(1)?.as_str();
    let host = if is_ipv6(host) { format!("[{host}]") } else { host.trim_end_matches(['.', ':']).to_owned() };
    if host.is_empty() {
        return None;
    }
    Some(match captures.get(2) {
        Some(port) => format!("{host}:{}", port.as_str()),
        None => host,
    })
}

static UNRESOLVED: LazyLock<Patterns> = LazyLock::new(|| {
    compile(&[
        r"\blookup ([A-Za-z0-9][0-9A-Za-z_.-]*)(?::([0-9]+))? ?(?:on |: |\.)",
        r"(?:ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_FAIL) ([A-Za-z0-9_][0-9A-Za-z_.-]*)(?::([0-9]{2,5}))?",
        r"([A-Za-z0-9][0-9A-Za-z-]*(?:\.[0-9A-Za-z-]+)+): (?:Temporary failure in name|Name or service not|No address associated|nodename nor)",
        r"UnknownHostException: (?:Failed to resolve ')?([A-Za-z0-9][0-9A-Za-z_.-]*)",
        r#"(?i)resolve (?:the )?(?:address|host|hostname|name)?[: ]*["'`]([A-Za-z0-9][0-9A-Za-z_.-]*)["'`]"#,
        r#"(?i)(?:resolve|resolving|translate|lookup|look up|find)(?: the)?(?: mongodb| proxy| remote| bootstrap)? (?:host ?name|host|name|address|domain|url|hosts?)?(?: of| for)?[: ]*["'`‘“]?([A-Za-z][0-9A-Za-z_-]*(?:\.[0-9A-Za-z_-]+)+|[A-Za-z][0-9A-Za-z_]*-[0-9A-Za-z_-]+)["'`’”]?(?::([0-9]{2,5}))?"#,
        r#"(?i)(?:resolve host|resolve proxy|translate host name|getaddrinfo for|getaddrinfo for host|host not found in upstream|bad address|unknown (?:mysql |mariadb )?(?:server )?host|no address associated with hostname|name or service not known:|no such host:|host lookup:|no such host is known\.? \()[: ]*\\*["'`(]?([A-Za-z0-9][0-9A-Za-z_.-]*)["'`)]?(?::([0-9]{2,5}))?"#,
    ])
});

static APART: LazyLock<Patterns> = LazyLock::new(|| {
    compile(&[
        r#"(?i)(?:server|host)(?: running)? (?:at|on host) \\?"([^"\s/\\]+)\\?"(?: \([^)]*\))?,? (?:port|and accepting(?:\s+TCP/IP connections on port)?) ?([0-9]+)?"#,
        r#"host=\\?'([^'\\]+)\\?', port=\\?'?([0-9]+)"#,
        r#"(?i)\bhost[=:] ?["']?([A-Za-z0-9][0-9A-Za-z_.-]*)["']?[,;]? port[=:] ?["']?([0-9]{2,5})"#,
        r#"[({](?:~c)?['"]([0-9A-Za-z_.-]+)['"], ?([0-9]{2,5})[)}]"#,
        r#"(?i)\b(?:for|to) ["']([0-9A-Za-z_.-]*[A-Za-z][0-9A-Za-z_.-]*)["'],? port ([0-9]{2,5})"#,
        r#"\(['"]([0-9a-f]*:[0-9a-f:]*)['"], ([0-9]{2,5}), [0-9]+, [0-9]+\)"#,
        r#"Some\(Domain\("([0-9A-Za-z_.-]+)"\)\)(?:, port: Some\(([0-9]+)\))?"#,
        r#"\bhost: ~?c?['"]([0-9A-Za-z_.-]+)['"].{0,160}?\bport: ([0-9]{2,5})"#,
        r#"(?i)\b(?:to|with|from) ["'`]?([A-Za-z0-9][0-9A-Za-z_.-]*)["'`]?(?: \([0-9.a-f:]+\))?,? port:? ([0-9]{2,5})"#,
        r"([A-Za-z0-9][0-9A-Za-z_.-]*)/<unresolved>:([0-9]{2,5})",
        r#"(?i)\bserver (?:at|on) [`'"]([0-9A-Za-z_.-]+)[`'"]:[`'"]([0-9]{2,5})"#,
        r#"(?i)\bhost,? (?:port:? )?["']?([A-Za-z0-9][0-9A-Za-z_.-]*)["']?, ?(?:port:? )?["']?([0-9]{2,5})"#,
    ])
});

static NAMED: LazyLock<Patterns> = LazyLock::new(|| {
    compile(&[
        r#"connect\(2\) for ["']([0-9.]+)["'] port ([0-9]{2,5})"#,
        r"address = ([0-9A-Za-z_.:-]+)",
        r"\(([0-9]{1,3}(?:\.[0-9]{1,3}){3}), ([0-9]{2,5})\)",
        r"(?i)remote host \(([0-9A-Za-z_.:-]+)\)",
        r#"(?i)\bserver on ["'`]([0-9A-Za-z_.-]+)["'`]"#,
        r#"(?i)\bserver at ["'`]([0-9A-Za-z_.-]+)["'`]"#,
        r#"(?i)(?:connect(?:ing|ion)? (?:to|with)|contact|reach|dial(?:ing)?|from|upstream|broker|host|service|endpoint|server|peer|node|database)(?: server| host| broker| service| database| node| endpoint| upstream| at)? ["'`]?([a-z0-9]+(?:[-.][a-z0-9]+)+)["'`]?(?:[\s,:;)]|$)"#,
    ])
});

static BARE: LazyLock<Patterns> = LazyLock::new(|| {
    compile(&[
        r"(?:^|[ =('\x22,])([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?:[ ),;:'\x22]|$)",
        r"(?:^|[ =('\x22,])([a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|dev|local|internal|svc|cloud|app))(?:[ ),;:'\x22]|\.?$)",
    ])
});

/// Patterns in their order, and all of them as one.
struct Patterns {
    each: Vec<Regex>,
    any: RegexSet,
}

fn compile(patterns: &[&str]) -> Patterns {
    // A test compiles them all, so that none can fail for a user.
    let each = patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
    Patterns { each, any: RegexSet::new(patterns).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let lengths = [&*UNRESOLVED, &*APART, &*NAMED, &*BARE].map(|all| (all.each.len(), all.any.len()));
        assert_eq!(lengths, [(7, 7), (12, 12), (7, 7), (2, 2)]);
    }

    #[test]
    fn the_peer_is_found() {
        for (line, want) in [
            ("dial tcp 10.0.0.7:5432: connect: connection refused", "10.0.0.7:5432"),
            ("read tcp 10.0.0.7:4711->10.0.0.1:5432: read: connection reset by peer", "10.0.0.1:5432"),
            ("Post \"https://gw.sre/v1\": dial tcp 10.0.0.7:443: i/o timeout", "gw.sre"),
            ("dial tcp: lookup ledger on 10.96.0.10:53: no such host", "ledger"),
            ("Error: getaddrinfo ENOTFOUND ledger-db", "ledger-db"),
            ("Error: getaddrinfo EAI_AGAIN redis:6379", "redis:6379"),
            ("java.net.UnknownHostException: ledger: Name does not resolve", "ledger"),
            ("could not translate host name \"db\" to address: x", "db"),
            ("curl: (6) Could not resolve host: swype-gateway", "swype-gateway"),
            ("nginx: [emerg] host not found in upstream \"ledger\" in /etc/nginx/a.conf:3", "ledger"),
            ("connection to server at \"db\" (10.0.0.1), port 5432 failed: x", "db:5432"),
            ("HTTPConnectionPool(host='gw.obs.svc', port=9091): Max retries exceeded", "gw.obs.svc:9091"),
            ("Connect call failed ('10.0.0.1', 5432)", "10.0.0.1:5432"),
            ("curl: (7) Failed to connect to swype-gateway port 8080 after 0 ms: x", "swype-gateway:8080"),
            ("Can't reach database server at `ledger-db`:`5432`", "ledger-db:5432"),
            ("(2003, \"Can't connect to MySQL server on 'db' (111)\")", "db"),
            ("error: upstream fx-grpc did not answer", "fx-grpc"),
            ("ETIMEDOUT: x - connect(2) for \"gw.sre\" port 443 (https://sre/a)", "gw.sre:443"),
            ("{:failed_connect, [{:to_address, {'gw.sre', 443}}]}", "gw.sre:443"),
            ("Error { host: Some(Domain(\"gw.sre\")), port: None }", "gw.sre"),
            ("unable to connect to redis/10.0.0.7:6379", "redis:6379"),
            ("Unable to connect to redis/<unresolved>:6379", "redis:6379"),
            ("Get \"https://[10.0.0.7]:443/v1\": i/o timeout", "10.0.0.7:443"),
            ("dial tcp 0.0.0.0:5672: connect: connection refused", "0.0.0.0:5672"),
            ("no answer from tcp://gw-sre:2375. See https://docs.example.com/x", "gw-sre:2375"),
            ("could not resolve address 'ledger'", "ledger"),
            ("curl: Could not resolve proxy: gw.sre (see https://curl.haxx.se/x)", "gw.sre"),
        ] {
            assert_eq!(peer(line, &[], &[], &[]).as_deref(), Some(want), "{line}");
        }
        let node = ["}", "port: 6379", "address: '10.0.0.7',", "code: 'ECONNREFUSED',", "Error: connect"];
        assert_eq!(peer("Error: connect", &node, &[], &[]).as_deref(), Some("10.0.0.7:6379"));
    }

    #[test]
    fn a_line_before_may_announce_the_peer() {
        let before = ["[DEBUG] Connecting to 10.0.0.7:44818"];
        assert_eq!(peer("what():  Connection refused", &[], &before, &[]).as_deref(), Some("10.0.0.7:44818"));
        assert_eq!(peer("what():  Connection refused", &[], &["listening on 10.0.0.7:80"], &[]), None);
    }

    #[test]
    fn lines_around_the_statement_may_name_the_peer() {
        let before = ["dial tcp: lookup gw.sre on 10.96.0.10:53:"];
        assert_eq!(peer("no such host", &[], &before, &[]).as_deref(), Some("gw.sre"));
        let after = ["Last message (from x): {:connect, %{host: 'db', password: nil, port: 5433}}"];
        assert_eq!(peer("** (stop) :econnrefused", &[], &[], &after).as_deref(), Some("db:5433"));
    }

    #[test]
    fn no_secret_and_no_own_address_is_a_peer() {
        assert_eq!(peer("listen tcp 0.0.0.0:80: refused", &[], &[], &[]), None);
        assert_eq!(
            peer("dial amqp://app:s3cr3tpw@mq:5672: refused", &[], &[], &[]).as_deref(),
            Some("mq:5672")
        );
        assert_eq!(peer("connection refused", &[], &[], &[]), None);
    }
}
