//! Small helpers for text that people read.

/// `1 pod`, `2 pods`: the count with its noun, in the plural unless it is one.
///
/// ```
/// use breaker_core::text::plural;
/// assert_eq!(plural(1_u32, "replica"), "1 replica");
/// assert_eq!(plural(0_u32, "replica"), "0 replicas");
/// ```
pub fn plural(count: impl Into<u64>, noun: &str) -> String {
    match count.into() {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// Cuts `text` to at most `max_len` bytes; the last character is then an ellipsis.
pub(crate) fn truncate(text: &mut String, max_len: usize) {
    const ELLIPSIS: char = '…';
    if text.len() > max_len {
        text.truncate(text.floor_char_boundary(max_len.saturating_sub(ELLIPSIS.len_utf8())));
        text.push(ELLIPSIS);
    }
}

/// The host of `host:port`, without the port; an IPv6 address keeps its brackets.
pub(crate) fn host_of(peer: &str) -> &str {
    match peer.rsplit_once(':') {
        Some((host, port)) if is_port(port) && (host.ends_with(']') || !host.contains(':')) => host,
        _ => peer,
    }
}

/// The port of `host:port`, if it has one.
pub(crate) fn port_of(peer: &str) -> Option<&str> {
    peer[host_of(peer).len()..].strip_prefix(':')
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
