//! Restarts by peer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The number of peers that are named; the restarts of all others are counted together.
const MAX_PEERS: usize = 10;

/// The name under which the restarts of all other peers are counted.
const OTHER: &str = "other";

/// The most frequent peers, and `other` for the rest: at most 11 entries. An `other` in `by_peer`
/// is that of an earlier count and takes the place of no peer.
pub(crate) fn top_peers(by_peer: BTreeMap<&str, u32>) -> BTreeMap<String, u32> {
    let mut peers: Vec<_> = by_peer.into_iter().collect();
    peers.sort_by_key(|(peer, count)| (*peer == OTHER, Reverse(*count), *peer));
    let mut top = BTreeMap::new();
    for (n, (peer, count)) in peers.into_iter().enumerate() {
        let name = if n < MAX_PEERS { peer } else { OTHER };
        *top.entry(name.to_owned()).or_default() += count;
    }
    top
}

/// The most frequent of these peers; of several, the first in alphabetical order.
pub(crate) fn most_frequent<'p>(peers: impl Iterator<Item = &'p str>) -> Option<&'p str> {
    let mut by_peer: BTreeMap<&str, u32> = BTreeMap::new();
    for peer in peers {
        *by_peer.entry(peer).or_default() += 1;
    }
    by_peer.into_iter().max_by_key(|(peer, count)| (*count, Reverse(*peer))).map(|(peer, _)| peer)
}

/// `redis:6379 5, mq:5672 1`: the 10 most frequent first, and `other` last.
pub fn list_peers(by_peer: &BTreeMap<String, u32>) -> String {
    let by_name = by_peer.iter().map(|(peer, count)| (peer.as_str(), *count)).collect();
    let mut top: Vec<_> = top_peers(by_name).into_iter().collect();
    top.sort_by_key(|(peer, count)| (peer == OTHER, Reverse(*count)));
    top.iter().map(|(peer, count)| format!("{peer} {count}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_peers_are_named_and_the_others_counted_together() {
        let names: Vec<_> = (0..15).map(|n| format!("peer-{n:02}:443")).collect();
        let by_peer: BTreeMap<String, u32> = names.iter().cloned().zip((1..=15).rev()).collect();
        let top = top_peers(by_peer.iter().map(|(peer, count)| (peer.as_str(), *count)).collect());
        assert_eq!((top.len(), top["other"], top["peer-00:443"]), (11, 5 + 4 + 3 + 2 + 1, 15));
        assert_eq!(top.values().sum::<u32>(), (1..=15).sum::<u32>());
        let listed = list_peers(&by_peer);
        assert!(listed.starts_with("peer-00:443 15, peer-01:443 14"), "{listed}");
        assert!(listed.ends_with("peer-09:443 6, other 15"), "{listed}");
        assert_eq!(list_peers(&top), listed, "those of a snapshot are listed as they were counted");
    }

    #[test]
    fn of_equally_frequent_peers_the_first_by_name_is_taken() {
        assert_eq!(most_frequent(["b", "a", "b", "a", "c"].into_iter()), Some("a"));
        assert_eq!(most_frequent([].into_iter()), None);
    }
}
