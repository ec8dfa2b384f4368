//! The outage guard, which holds every trip while most targets fail at once. Then the cluster or a
//! shared dependency has failed, and scaling every target to zero would make the outage worse.
//!
//! ```text
//! seen(target, restart) ──▶ targets with a counted restart in the last 10 min ──▶ verdict(now)
//! tripped(target, at) ────▶ named, not undone, if in the 2 min before the guard turned on
//! ```
//!
//! The guard counts failing targets, not trips: an outage reaches all targets before the first of
//! them trips. If every failing target names one peer, and that is not a part of the cluster, the
//! verdict names it: breakers that ask for that trip nevertheless, see [`CommonPeerMode`].

mod cluster_peers;
mod common_peer;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

pub use self::cluster_peers::ClusterPeers;
pub use self::common_peer::{CommonPeerMode, GuardVerdict, NotCommon};
use self::common_peer::{PeerReport, common_peer};
use crate::verdict::NetworkKind;

/// How long a target counts as failing after a counted restart.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The guard names the trips that happened at most this long before it turned on.
const RECENT_TRIP_AGE: SignedDuration = SignedDuration::from_mins(2);

/// The number of newest restarts of one target whose peers are kept.
const MAX_PEERS_KEPT: usize = 32;

/// The number of targets that one list names.
const MAX_NAMES: usize = 5;

/// Decides whether most targets of a fleet fail at once. `K` identifies a target; its `Display` is
/// used in messages.
///
/// ```
/// use breaker_core::verdict::NetworkKind::Refused;
/// use breaker_core::guard::{ClusterPeers, CommonPeerMode, CountedRestart, Guard};
/// use jiff::{SignedDuration, Timestamp};
///
/// let start = Timestamp::UNIX_EPOCH;
/// let mut guard = Guard::new(3);
/// for target in ["a", "b", "c", "d", "e", "f"] {
///     guard.watch(target, "sre");
/// }
/// let cluster = ClusterPeers::default();
/// let restart = CountedRestart { at: start, peer: Some("swype-gateway:443"), kind: Some(Refused) };
/// for target in ["a", "b", "c"] {
///     guard.seen(target, restart);
/// }
/// assert_eq!(guard.verdict(start, Ok(&cluster)), None);
/// guard.seen("d", restart);
/// let verdict = guard.verdict(start, Ok(&cluster)).expect("most targets fail");
/// let why = verdict.hold(CommonPeerMode::Hold).expect("held by default");
/// assert!(why.starts_with("4 of 6 targets"), "{why}");
/// assert!(why.contains("swype-gateway:443 is the peer of 4 of 4 restarts"), "{why}");
/// assert_eq!(verdict.hold(CommonPeerMode::Trip), None);
/// assert_eq!(guard.verdict(start + SignedDuration::from_mins(11), Ok(&cluster)), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Guard<K> {
    limit: u32,
    /// Every watched target, with its counted restarts.
    targets: BTreeMap<K, Restarts>,
    trips: BTreeMap<K, Timestamp>,
    on_since: Option<Timestamp>,
}

/// A counted restart, as far as the guard needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CountedRestart<'p> {
    /// When the instance ended.
    pub at: Timestamp,
    /// The peer of its verdict.
    pub peer: Option<&'p str>,
    /// How the network failed.
    pub kind: Option<NetworkKind>,
}

/// The counted restarts of one target.
#[derive(Debug, Clone, Default, PartialEq)]
struct Restarts {
    /// The namespace in which the names of peers are to be read.
    namespace: String,
    newest: Option<Timestamp>,
    /// The end and the peer of the newest restarts, in the order of arrival.
    peers: VecDeque<(Timestamp, PeerReport)>,
}

impl Restarts {
    fn push(&mut self, CountedRestart { at, peer, kind }: CountedRestart<'_>) {
        self.newest = self.newest.max(Some(at));
        if self.peers.len() == MAX_PEERS_KEPT {
            self.peers.pop_front();
        }
        self.peers.push_back((at, PeerReport::new(peer, kind)));
    }

    fn peers_since(&self, oldest: Timestamp) -> impl Iterator<Item = &PeerReport> {
        self.peers.iter().filter(move |(at, _)| *at >= oldest).map(|(_, report)| report)
    }
}

impl<K: Ord + Clone + Display> Guard<K> {
    /// Creates a guard without targets. It turns on while more than `limit` targets, and more than
    /// half of all targets, have a counted restart in the last 10 minutes.
    pub fn new(limit: u32) -> Self {
        Self { limit, targets: BTreeMap::new(), trips: BTreeMap::new(), on_since: None }
    }

    /// Adds `target`, if it is not watched yet. `namespace` is where its pods are: two of them mean
    /// two Services by one name.
    pub fn watch(&mut self, target: K, namespace: &str) {
        let new = || Restarts { namespace: namespace.to_owned(), ..Restarts::default() };
        self.targets.entry(target).or_insert_with(new);
    }

    /// Removes `target` and its trip.
    pub fn forget(&mut self, target: &K) {
        self.targets.remove(target);
        self.trips.remove(target);
    }

    /// The number of targets.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether the guard watches nothing.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Records a counted restart of `target`, see
    /// [`Breaker::counted_restarts`](crate::Breaker::counted_restarts). A target that is not
    /// watched is ignored.
    pub fn seen(&mut self, target: K, restart: CountedRestart<'_>) {
        if let Some(restarts) = self.targets.get_mut(&target) {
            restarts.push(restart);
        }
    }

    /// Records that `target` was scaled to zero, if it is watched.
    pub fn tripped(&mut self, target: K, at: Timestamp) {
        if !self.targets.contains_key(&target) {
            return;
        }
        let newest = self.trips.entry(target).or_insert(at);
        *newest = at.max(*newest);
    }

    /// Why trips are held, and whether one peer of all failing targets is at fault; `None` while
    /// the guard is off. Call it again after each recorded restart, and at [`Guard::changes_at`].
    /// `cluster` is what belongs to the cluster, or why that is not known: then no peer is taken
    /// for the fault.
    pub fn verdict(&mut self, now: Timestamp, cluster: Result<&ClusterPeers, &str>) -> Option<GuardVerdict> {
        let failing: Vec<_> = self.failing(now).map(|(target, _)| target).collect();
        if !self.exceeds_limit(failing.len()) {
            self.on_since = None;
            return None;
        }
        let since = self.on_since.unwrap_or(now);
        let mut why = format!(
            "{} of {} targets had counted restarts in the last {} min ({}); that many at once is the cluster's \
             own trouble or a dependency of all",
            failing.len(),
            self.targets.len(),
            WINDOW.as_mins(),
            names(&failing),
        );
        if let Some(shared) = self.shared_peer(now) {
            why.push_str(&format!("; {shared}"));
        }
        let before = since - RECENT_TRIP_AGE;
        let tripped: Vec<_> = self
            .trips
            .iter()
            .filter(|(_, at)| (before..=now).contains(at))
            .map(|(target, _)| target)
            .collect();
        if !tripped.is_empty() {
            why.push_str(&format!("; tripped just before and left as they are: {}", names(&tripped)));
        }
        self.on_since = Some(since);
        self.trips.retain(|_, at| *at >= before);
        Some(GuardVerdict { why, peer: self.common_peer(now, cluster) })
    }

    /// Whether a target has a counted restart in the last 10 minutes.
    pub fn any_fails(&self, now: Timestamp) -> bool {
        self.failing(now).next().is_some()
    }

    fn common_peer(&self, now: Timestamp, cluster: Result<&ClusterPeers, &str>) -> Result<String, NotCommon> {
        let failing = self.failing(now).filter_map(|(target, _)| {
            let restarts = self.targets.get(target)?;
            Some((target.to_string(), &*restarts.namespace, restarts.peers_since(oldest(now))))
        });
        common_peer(failing, cluster)
    }

    /// When the guard turns off if no other restart is recorded; `None` while it is off.
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let mut restarts: Vec<_> = self.failing(now).map(|(_, at)| at).collect();
        if !self.exceeds_limit(restarts.len()) {
            return None;
        }
        restarts.sort_unstable();
        let enough = (0..restarts.len()).find(|gone| !self.exceeds_limit(restarts.len() - gone - 1))?;
        // A restart at the very start of the window still counts.
        Some(restarts[enough] + WINDOW + SignedDuration::from_nanos(1))
    }

    /// The peer that more than half of the restarts with a known peer have in common, as a clause.
    fn shared_peer(&self, now: Timestamp) -> Option<String> {
        let mut by_peer: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut all, mut named) = (0, 0);
        let oldest = oldest(now);
        for report in self.targets.values().flat_map(|restarts| restarts.peers_since(oldest)) {
            all += 1;
            if let Some(peer) = report.peer.as_deref() {
                named += 1;
                *by_peer.entry(peer).or_default() += 1;
            }
        }
        let (peer, count) = by_peer.into_iter().max_by_key(|(_, count)| *count)?;
        (count * 2 > named).then(|| format!("{peer} is the peer of {count} of {all} restarts"))
    }

    fn exceeds_limit(&self, failing: usize) -> bool {
        failing > self.limit as usize && failing * 2 > self.targets.len()
    }

    fn failing(&self, now: Timestamp) -> impl Iterator<Item = (&K, Timestamp)> {
        self.targets.iter().filter_map(move |(target, restarts)| {
            let at = restarts.newest?;
            (now.duration_since(at) <= WINDOW).then_some((target, at))
        })
    }
}

/// The end of the oldest restart that counts.
fn oldest(now: Timestamp) -> Timestamp {
    now.checked_sub(WINDOW).unwrap_or(Timestamp::MIN)
}

fn names<K: Display>(targets: &[&K]) -> String {
    let mut names: Vec<_> = targets.iter().take(MAX_NAMES).map(|name| name.to_string()).collect();
    if targets.len() > MAX_NAMES {
        names.push(format!("{} more", targets.len() - MAX_NAMES));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + secs).unwrap()
    }

    fn refused(at: Timestamp, peer: Option<&str>) -> CountedRestart<'_> {
        CountedRestart { at, peer, kind: Some(NetworkKind::Refused) }
    }

    /// Why trips are held, whatever the peers are.
    fn why(guard: &mut Guard<u32>, now: Timestamp) -> Option<String> {
        guard.verdict(now, Ok(&ClusterPeers::default())).map(|verdict| verdict.why)
    }

    fn fleet(all: u32, failing: u32) -> Guard<u32> {
        let mut guard = Guard::new(3);
        (0..all).for_each(|target| guard.watch(target, "sre"));
        (0..failing).for_each(|target| guard.seen(target, refused(at(0), None)));
        guard
    }

    #[test]
    fn it_comes_on_above_the_limit_and_above_half_of_all() {
        for (all, failing, on) in [
            (3, 3, false),
            (4, 4, true),
            (4, 3, false),
            (7, 4, true),
            (8, 4, false),
            (8, 5, true),
            (100, 50, false),
            (100, 51, true),
        ] {
            assert_eq!(why(&mut fleet(all, failing), at(0)).is_some(), on, "{failing} of {all}");
        }
    }

    #[test]
    fn a_restart_counts_until_the_last_instant_of_its_ten_minutes() {
        let mut guard = fleet(4, 4);
        assert!(why(&mut guard, at(600)).is_some());
        assert_eq!(guard.changes_at(at(600)), Some(at(600) + SignedDuration::from_nanos(1)));
        assert_eq!(why(&mut guard, at(600) + SignedDuration::from_nanos(1)), None);
        assert_eq!(guard.changes_at(at(601)), None);
    }

    #[test]
    fn an_older_restart_takes_nothing_back_and_a_breaker_that_is_gone_no_longer_counts() {
        let mut guard = fleet(4, 4);
        guard.seen(0, refused(at(300), None));
        guard.seen(0, refused(at(-300), None));
        assert_eq!(guard.changes_at(at(300)), Some(at(600) + SignedDuration::from_nanos(1)));
        guard.forget(&3);
        assert_eq!(why(&mut guard, at(300)), None);
        // Its last events may still come.
        guard.seen(3, refused(at(301), None));
        guard.tripped(3, at(301));
        assert_eq!(why(&mut guard, at(301)), None);
        assert_eq!((guard.targets.len(), guard.trips.len()), (3, 0));
    }

    #[test]
    fn trips_of_the_two_minutes_before_it_came_on_are_named_for_as_long_as_it_is_on() {
        let mut guard = fleet(4, 4);
        guard.tripped(0, at(0) - SignedDuration::from_secs(121));
        guard.tripped(1, at(-120));
        guard.tripped(2, at(0));
        for later in [0, 300, 600] {
            let text = why(&mut guard, at(later)).unwrap();
            assert!(text.ends_with("left as they are: 1, 2"), "{text}");
        }
    }

    #[test]
    fn the_peer_that_most_restarts_share_is_named() {
        let mut guard = fleet(4, 0);
        let restart = |guard: &mut Guard<u32>, target, peer| guard.seen(target, refused(at(0), peer));
        for target in 0..4 {
            restart(&mut guard, target, Some("swype-gateway:443"));
        }
        restart(&mut guard, 0, Some("redis:6379"));
        restart(&mut guard, 0, None);
        let text = why(&mut guard, at(0)).unwrap();
        assert!(text.ends_with("; swype-gateway:443 is the peer of 4 of 6 restarts"), "{text}");
        // Restarts that have left the window no longer count.
        for target in 0..4 {
            guard.seen(target, refused(at(601), Some("redis:6379")));
        }
        let text = why(&mut guard, at(601)).unwrap();
        assert!(text.ends_with("; redis:6379 is the peer of 4 of 4 restarts"), "{text}");
        // Half of them is not most of them.
        for target in 0..4 {
            guard.seen(target, refused(at(602), Some("mq:5672")));
        }
        let text = why(&mut guard, at(602)).unwrap();
        assert!(!text.contains("is the peer of"), "{text}");
    }

    #[test]
    fn a_target_that_restarts_all_the_time_keeps_its_newest_peers_only() {
        let mut guard = fleet(1, 0);
        for n in 0..100 {
            guard.seen(0, refused(at(n), Some("redis:6379")));
        }
        assert_eq!(guard.targets[&0].peers.len(), MAX_PEERS_KEPT);
    }

    #[test]
    fn a_long_list_of_names_is_cut() {
        let text = why(&mut fleet(9, 9), at(0)).unwrap();
        assert!(text.contains("(0, 1, 2, 3, 4, 4 more)"), "{text}");
    }
}
