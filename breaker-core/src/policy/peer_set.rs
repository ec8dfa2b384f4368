//! The peers whose failures count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use crate::text::host_of;

/// The maximum length of a glob, in bytes: that of a peer.
const MAX_LEN: usize = 260;

/// The peers whose failures count, as globs with `*` and `?`; written `any`, or
/// `swype-*,*.swype.com:443`. Default: any peer.
///
/// A glob matches the whole peer, or its host alone. `swype-gateway` matches any port of that host,
/// `swype-gateway:443` only one. Case does not matter.
///
/// ```
/// use breaker_core::policy::PeerSet;
///
/// let peers: PeerSet = "swype-*,*.swype.com:443".parse()?;
/// assert!(peers.matches("swype-gateway:8443"));
/// assert!(peers.matches("API.swype.com:443"));
/// assert!(!peers.matches("api.swype.com:80"));
/// # Ok::<(), breaker_core::policy::BadPeer>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerSet(Vec<Glob>);

#[derive(Debug, Clone, PartialEq)]
struct Glob {
    text: String,
    pattern: WildMatch,
}

// `WildMatch` compares its characters.
impl Eq for Glob {}

impl PeerSet {
    /// Any peer, and also a peer that is not known.
    pub const ANY: Self = Self(Vec::new());

    /// The peers that match one of these globs; without globs, any peer.
    ///
    /// # Errors
    /// [`BadPeer`] with the first text that is not a glob of a peer.
    pub fn new<T: AsRef<str>>(globs: impl IntoIterator<Item = T>) -> Result<Self, BadPeer> {
        globs.into_iter().map(|glob| Glob::new(glob.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether every peer matches, known or not.
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// The globs, in lower case; none if every peer matches.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|glob| glob.text.as_str())
    }

    /// Whether a failure of `peer`, which is `host:port` or a host, counts.
    pub fn matches(&self, peer: &str) -> bool {
        self.is_any()
            || self.0.iter().any(|glob| glob.pattern.matches(peer) || glob.pattern.matches(host_of(peer)))
    }
}

impl Glob {
    fn new(text: &str) -> Result<Self, BadPeer> {
        let text = text.trim();
        let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | '/' | '"' | '\'');
        if text.is_empty() || text.len() > MAX_LEN || text.contains(bad) {
            return Err(BadPeer(text.into()));
        }
        let text = text.to_lowercase();
        Ok(Self { pattern: WildMatch::new_case_insensitive(&text), text })
    }
}

/// The error for a text that is not a set of peers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a peer; write any, or hosts with * and ?, separated by commas, for example \
     swype-*,*.swype.com:443"
)]
pub struct BadPeer(String);

impl FromStr for PeerSet {
    type Err = BadPeer;

    fn from_str(text: &str) -> Result<Self, BadPeer> {
        if text.trim().eq_ignore_ascii_case("any") {
            return Ok(Self::ANY);
        }
        Self::new(text.split(','))
    }
}

impl TryFrom<String> for PeerSet {
    type Error = BadPeer;

    fn try_from(text: String) -> Result<Self, BadPeer> {
        text.parse()
    }
}

impl From<PeerSet> for String {
    fn from(peers: PeerSet) -> Self {
        peers.to_string()
    }
}

impl fmt::Display for PeerSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        f.write_str(&self.globs().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_print_as_they_parse() {
        for text in ["any", "swype-*", "swype-*,*.swype.com:443", "[fd00::*]:443"] {
            assert_eq!(text.parse::<PeerSet>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_glob_matches_the_whole_peer_or_its_host() {
        for (globs, peer, matches) in [
            ("swype-gateway", "swype-gateway:443", true),
            ("swype-gateway", "swype-gateway", true),
            ("swype-gateway", "swype-gateway.sre:443", false),
            ("swype-gateway*", "swype-gateway.sre.svc.cluster.local:443", true),
            ("swype-gateway:443", "swype-gateway:8443", false),
            ("swype-gateway:443", "swype-gateway", false),
            ("SWYPE-*", "swype-gateway:443", true),
            ("*:443", "10.0.0.7:443", true),
            ("10.0.0.?", "10.0.0.7:5432", true),
            ("[fd00::7]", "[fd00::7]:443", true),
            ("fd00::7", "fd00::7", true),
            ("redis,swype-*", "redis:6379", true),
            ("redis,swype-*", "kafka:9092", false),
            ("any", "whatever", true),
        ] {
            assert_eq!(globs.parse::<PeerSet>().unwrap().matches(peer), matches, "{globs} of {peer}");
        }
    }

    #[test]
    fn what_is_not_a_peer_is_refused() {
        for text in ["", "a,,b", "http://swype", "a b", "'a'"] {
            assert!(text.parse::<PeerSet>().is_err(), "{text}");
        }
    }
}
