//! The peer that all failing targets have in common, and what a breaker does about it.

use super::cluster_peers::{ClusterPeers, PeerId};
use crate::verdict::NetworkKind;

/// What a breaker does while the outage guard is on and every failing target names one peer that is
/// not a part of the cluster. Then that peer has failed, and not the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CommonPeerMode {
    /// Hold its trip, as in any other outage.
    #[default]
    Hold,
    /// Trip: the guard does not hold it.
    Trip,
}

/// Why the failing targets have no peer in common that has failed instead of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCommon {
    /// The restarts of this target name no peer.
    #[error("the restarts of {0} name no peer")]
    Unnamed(String),
    /// The targets name different peers: two of them.
    #[error("their restarts name different peers, among them {0} and {1}")]
    Different(String, String),
    /// A name did not resolve, and the cluster's own DNS may have failed.
    #[error("the name of {0} did not resolve, which may be the cluster's own DNS")]
    Unresolved(String),
    /// The peer is a part of the cluster.
    #[error("{0} is a part of the cluster itself: its DNS, its API server or a node")]
    OwnPart(String),
    /// It is not known what belongs to the cluster. The peer, and why it is not known.
    #[error("whether {0} is a part of the cluster itself is not known: {1}")]
    Unverified(String, String),
}

/// The verdict of the guard while most targets fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardVerdict {
    /// Why trips are held: which targets fail, and what they have in common.
    pub why: String,
    /// The peer that every failing target names, if it is not a part of the cluster.
    pub peer: Result<String, NotCommon>,
}

impl GuardVerdict {
    /// Why a trip of a breaker with this setting is held; `None` if it is not.
    pub fn hold(&self, mode: CommonPeerMode) -> Option<String> {
        let why = &self.why;
        match (mode, &self.peer) {
            (CommonPeerMode::Trip, Ok(_)) => None,
            (CommonPeerMode::Trip, Err(not_common)) => {
                Some(format!("{why}; outageGuard.commonPeer: Trip does not apply: {not_common}"))
            }
            (CommonPeerMode::Hold, Ok(peer)) => Some(format!(
                "{why}; every failing target names {peer}: to trip in such an outage, set \
                 spec.outageGuard.commonPeer: Trip"
            )),
            (CommonPeerMode::Hold, Err(NotCommon::Unverified(peer, _))) => Some(format!(
                "{why}; every failing target names {peer}: if that is not a part of the cluster, \
                 spec.outageGuard.commonPeer: Trip lets it trip"
            )),
            (CommonPeerMode::Hold, Err(_)) => Some(why.clone()),
        }
    }
}

/// What one counted restart says about its peer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PeerReport {
    pub(super) peer: Option<String>,
    /// The name did not resolve.
    pub(super) unresolved: bool,
}

impl PeerReport {
    pub(super) fn new(peer: Option<&str>, kind: Option<NetworkKind>) -> Self {
        Self { peer: peer.map(str::to_owned), unresolved: kind == Some(NetworkKind::Dns) }
    }
}

/// The peer that every target names: at least one restart of each names it, and none names another.
/// `failing` has a target with its namespace and its restarts in each item. `cluster` is what
/// belongs to the cluster, or why that is not known.
pub(super) fn common_peer<'r, R>(
    failing: impl IntoIterator<Item = (String, &'r str, R)>,
    cluster: Result<&ClusterPeers, &str>,
) -> Result<String, NotCommon>
where
    R: IntoIterator<Item = &'r PeerReport>,
{
    let by_name = ClusterPeers::default();
    let mut common: Option<(PeerId, &str)> = None;
    let (mut unnamed, mut unresolved, mut own) = (None, false, false);
    for (target, namespace, reports) in failing {
        let mut named = false;
        for PeerReport { peer, unresolved: did_not_resolve } in reports {
            let Some(peer) = peer.as_deref() else { continue };
            let id = PeerId::new(peer, namespace);
            match &common {
                Some((other, shown)) if *other != id => {
                    return Err(NotCommon::Different((*shown).to_owned(), peer.to_owned()));
                }
                Some(_) => {}
                None => common = Some((id, peer)),
            }
            named = true;
            unresolved |= did_not_resolve;
            own |= cluster.unwrap_or(&by_name).contains(peer, namespace);
        }
        if !named && unnamed.is_none() {
            unnamed = Some(target);
        }
    }
    let peer = match (common, unnamed) {
        (Some((_, peer)), None) => peer.to_owned(),
        (_, Some(target)) => return Err(NotCommon::Unnamed(target)),
        (None, None) => return Err(NotCommon::Unnamed("all targets".into())),
    };
    match cluster {
        _ if own => Err(NotCommon::OwnPart(peer)),
        _ if unresolved => Err(NotCommon::Unresolved(peer)),
        Err(why) => Err(NotCommon::Unverified(peer, why.to_owned())),
        Ok(_) => Ok(peer),
    }
}
