//! [`FanOut`]: which subscriber receives which event of the pod watch. Makes no requests.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use breaker_core::Clock;
use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::PodReport;
use futures::channel::{mpsc, oneshot};
use jiff::SignedDuration;
use kube::core::{Expression, Selector, SelectorExt};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use super::namespace_index::{NamespaceIndex, SubscriberId, SubscriberIds};
use crate::partial_pod::PartialPod;
use crate::selector;
use crate::watch_health::WatchHealth;

/// How often subscribers without events receive a sign of life while the watch has events for
/// others.
const ALIVE_INTERVAL: SignedDuration = SignedDuration::from_secs(20);

#[derive(Default)]
pub(super) struct FanOut {
    next_id: SubscriberId,
    subscribers: BTreeMap<SubscriberId, Subscriber>,
    namespaces: HashMap<String, NamespaceIndex>,
    /// Which subscribers know a pod, by a hash of its UID.
    known_by: HashMap<u64, SubscriberIds>,
    /// The same for the listing that is being received. It may fail halfway.
    listed_by: HashMap<u64, SubscriberIds>,
    hash: RandomState,
    /// A listing has started: a new subscriber must list its own pods.
    listing_started: bool,
    waiters: Vec<Waiter>,
    /// When the listing that is being received was asked for. All times are those of the monotonic
    /// clock.
    asked_at: SignedDuration,
    /// The last sign of life; `None` before the first listing.
    alive_at: Option<SignedDuration>,
    alive_sent_at: Option<SignedDuration>,
    /// Why the pods cannot be listed or watched.
    error: Option<String>,
}

struct Subscriber {
    selector: Selector,
    sender: mpsc::UnboundedSender<PodWatchEvent>,
    /// Pods of the listing that is being received; `None` for a subscriber that came after its
    /// start.
    listing: Option<Vec<PodReport>>,
}

/// Waits for a pod of a namespace whose name starts with a prefix.
struct Waiter {
    namespace: String,
    prefix: String,
    sender: oneshot::Sender<()>,
}

impl FanOut {
    /// An empty one, whose subscribers cannot be taken for those of `self`.
    pub(super) fn next(&self) -> Self {
        Self { next_id: self.next_id, ..Self::default() }
    }

    /// Adds a subscriber; returns its id, and whether it must list its own pods.
    pub(super) fn subscribe(
        &mut self,
        namespace: &str,
        expressions: &[Expression],
        sender: mpsc::UnboundedSender<PodWatchEvent>,
    ) -> (SubscriberId, bool) {
        let id = self.next_id;
        self.next_id += 1;
        self.namespaces.entry(namespace.to_owned()).or_default().insert(id, expressions);
        let listing = (!self.listing_started).then(Vec::new);
        let subscriber = Subscriber { selector: selector::all_of(expressions), sender, listing };
        self.subscribers.insert(id, subscriber);
        (id, self.listing_started)
    }

    /// The subscriber was dropped.
    pub(super) fn unsubscribe(&mut self, id: SubscriberId) {
        self.remove(&[id]);
    }

    /// A receiver that is notified once a pod of `namespace` is seen whose name starts with
    /// `prefix`.
    pub(super) fn wait_for_pod(&mut self, namespace: &str, prefix: &str) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.waiters.push(Waiter { namespace: namespace.into(), prefix: prefix.into(), sender });
        receiver
    }

    /// Forgets those who no longer wait.
    pub(super) fn forget_waiters(&mut self) {
        self.waiters.retain(|waiter| !waiter.sender.is_canceled());
    }

    pub(super) fn health(&self, now: SignedDuration) -> WatchHealth {
        WatchHealth { silent_for: self.alive_at.map(|at| now - at), error: self.error.clone() }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.subscribers.len() + self.namespaces.len() + self.known_by.len() + self.waiters.len()
    }

    /// The pods cannot be listed or watched. Every subscriber receives that, also one that waits
    /// for its listing.
    pub(super) fn fail(&mut self, why: &str) {
        self.error = Some(why.to_owned());
        self.broadcast(&PodWatchEvent::Down(why.to_owned()));
    }

    pub(super) fn handle(&mut self, event: Event<PartialPod>, clock: &dyn Clock) {
        let now = clock.elapsed();
        if !matches!(event, Event::Init | Event::InitApply(_)) {
            self.error = None;
        }
        match event {
            Event::Init => {
                self.asked_at = now;
                self.listing_started = true;
                self.listed_by.clear();
                for subscriber in self.subscribers.values_mut() {
                    subscriber.listing = Some(Vec::new());
                }
            }
            Event::InitApply(pod) => self.list(pod),
            Event::InitDone => {
                self.alive(now);
                let asked_at = clock.wall_time(self.asked_at);
                self.known_by = std::mem::take(&mut self.listed_by);
                let mut closed = Vec::new();
                for (id, subscriber) in &mut self.subscribers {
                    let Some(pods) = subscriber.listing.take() else { continue };
                    if subscriber.sender.unbounded_send(PodWatchEvent::Listed { pods, asked_at }).is_err() {
                        closed.push(*id);
                    }
                }
                self.remove(&closed);
            }
            Event::Apply(pod) => {
                self.alive(now);
                self.apply(pod);
            }
            Event::Delete(pod) => {
                self.alive(now);
                let uid = pod.uid().unwrap_or_default();
                let mut ids: HashSet<SubscriberId> = self.matching(&pod).into_iter().collect();
                ids.extend(self.known_by.remove(&self.hash_of(&pod)).unwrap_or_default());
                for id in ids {
                    self.send(id, PodWatchEvent::Deleted(uid.clone()));
                }
            }
        }
    }

    fn list(&mut self, pod: PartialPod) {
        let matching = self.matching(&pod);
        self.notify_waiters(&pod);
        if matching.is_empty() {
            return;
        }
        let key = self.hash_of(&pod);
        let report = PodReport::from(pod);
        for id in &matching {
            let subscriber = self.subscribers.get_mut(id);
            if let Some(listing) = subscriber.and_then(|subscriber| subscriber.listing.as_mut()) {
                listing.push(report.clone());
            }
        }
        self.listed_by.insert(key, matching);
    }

    fn apply(&mut self, pod: PartialPod) {
        let matching = self.matching(&pod);
        self.notify_waiters(&pod);
        let (uid, key) = (pod.uid().unwrap_or_default(), self.hash_of(&pod));
        let before = match matching.is_empty() {
            true => self.known_by.remove(&key),
            false => self.known_by.insert(key, matching.clone()),
        };
        // Its labels were changed: for a subscriber that no longer matches, the pod is gone.
        for id in before.unwrap_or_default().iter().filter(|id| !matching.contains(id)) {
            self.send(*id, PodWatchEvent::Deleted(uid.clone()));
        }
        if !matching.is_empty() {
            let report = PodReport::from(pod);
            for id in matching {
                self.send(id, PodWatchEvent::Applied(report.clone()));
            }
        }
    }

    fn hash_of(&self, pod: &PartialPod) -> u64 {
        self.hash.hash_one(pod.uid().unwrap_or_default())
    }

    fn matching(&self, pod: &PartialPod) -> SubscriberIds {
        let Some(index) = pod.meta().namespace.as_ref().and_then(|name| self.namespaces.get(name)) else {
            return SubscriberIds::new();
        };
        let labels = pod.labels();
        index.candidates(labels).filter(|id| self.subscribers[id].selector.matches(labels)).collect()
    }

    fn notify_waiters(&mut self, pod: &PartialPod) {
        if self.waiters.is_empty() {
            return;
        }
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let waiters = std::mem::take(&mut self.waiters).into_iter();
        let (done, waiting): (Vec<_>, Vec<_>) = waiters
            .filter(|waiter| !waiter.sender.is_canceled())
            .partition(|waiter| waiter.namespace == namespace && name.starts_with(waiter.prefix.as_str()));
        self.waiters = waiting;
        for waiter in done {
            let _ = waiter.sender.send(());
        }
    }

    /// An event of the watch is a sign of life for every subscriber, sent every [`ALIVE_INTERVAL`].
    fn alive(&mut self, now: SignedDuration) {
        self.alive_at = Some(now);
        if self.alive_sent_at.is_none_or(|at| now - at > ALIVE_INTERVAL) {
            self.broadcast_alive(now);
        }
    }

    /// Sends a sign of life to every subscriber.
    pub(super) fn broadcast_alive(&mut self, now: SignedDuration) {
        self.alive_at = Some(now);
        self.alive_sent_at = Some(now);
        self.error = None;
        self.broadcast(&PodWatchEvent::Alive);
    }

    fn broadcast(&mut self, event: &PodWatchEvent) {
        let closed: Vec<_> = self
            .subscribers
            .iter()
            .filter(|(_, to)| to.sender.unbounded_send(event.clone()).is_err())
            .map(|(id, _)| *id)
            .collect();
        self.remove(&closed);
    }

    fn send(&mut self, id: SubscriberId, event: PodWatchEvent) {
        let closed = self.subscribers.get(&id).is_some_and(|to| to.sender.unbounded_send(event).is_err());
        if closed {
            self.remove(&[id]);
        }
    }

    fn remove(&mut self, ids: &[SubscriberId]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.subscribers.remove(id);
        }
        self.namespaces.retain(|_, index| {
            index.remove(ids);
            !index.is_empty()
        });
        for known_by in [&mut self.known_by, &mut self.listed_by] {
            known_by.retain(|_, subscribers| {
                subscribers.retain(|id| !ids.contains(id));
                !subscribers.is_empty()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::test_server::StoppedClock;

    fn pod(uid: &str, app: &str) -> PartialPod {
        let metadata =
            json!({"name": format!("{app}-{uid}"), "namespace": "sre", "uid": uid, "labels": {"app": app}});
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    struct TestSubscriber(mpsc::UnboundedReceiver<PodWatchEvent>);

    impl TestSubscriber {
        fn new(fan_out: &mut FanOut, selector: &str) -> (Self, bool) {
            let (sender, events) = mpsc::unbounded();
            let (_, must_list) = fan_out.subscribe("sre", &selector::parse(selector).unwrap(), sender);
            (Self(events), must_list)
        }

        /// The events since the last call, without signs of life.
        fn received(&mut self) -> Vec<String> {
            let mut received = Vec::new();
            while let Ok(event) = self.0.try_recv() {
                received.push(match event {
                    PodWatchEvent::Applied(pod) => format!("applied {}", pod.name),
                    PodWatchEvent::Deleted(uid) => format!("gone {uid}"),
                    PodWatchEvent::Listed { pods, .. } => {
                        let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
                        format!("listed {}", names.join(" "))
                    }
                    PodWatchEvent::Down(why) => format!("down {why}"),
                    PodWatchEvent::Alive => continue,
                });
            }
            received
        }
    }

    fn list(fan_out: &mut FanOut, pods: Vec<PartialPod>) {
        fan_out.handle(Event::Init, &StoppedClock);
        for pod in pods {
            fan_out.handle(Event::InitApply(pod), &StoppedClock);
        }
        fan_out.handle(Event::InitDone, &StoppedClock);
    }

    #[test]
    fn a_subscriber_receives_the_events_of_its_own_pods() {
        let mut fan_out = FanOut::default();
        let (mut a, must_list) = TestSubscriber::new(&mut fan_out, "app=a");
        let (mut any, _) = TestSubscriber::new(&mut fan_out, "app in (a,b)");
        assert!(!must_list);
        list(&mut fan_out, vec![pod("1", "a"), pod("2", "b"), pod("3", "c")]);
        assert_eq!(
            (a.received(), any.received()),
            (vec!["listed a-1".into()], vec!["listed a-1 b-2".to_owned()])
        );
        fan_out.handle(Event::Apply(pod("2", "b")), &StoppedClock);
        fan_out.handle(Event::Delete(pod("1", "a")), &StoppedClock);
        assert_eq!(a.received(), ["gone 1"]);
        assert_eq!(any.received(), ["applied b-2", "gone 1"]);
    }

    #[test]
    fn a_pod_whose_labels_change_is_gone_for_one_subscriber_and_new_for_another() {
        let mut fan_out = FanOut::default();
        let (mut a, _) = TestSubscriber::new(&mut fan_out, "app=a");
        let (mut b, _) = TestSubscriber::new(&mut fan_out, "app=b");
        list(&mut fan_out, vec![pod("1", "a")]);
        a.received();
        b.received();
        fan_out.handle(Event::Apply(pod("1", "b")), &StoppedClock);
        assert_eq!((a.received(), b.received()), (vec!["gone 1".to_owned()], vec!["applied b-1".to_owned()]));
    }

    #[test]
    fn a_subscriber_that_comes_after_the_listing_started_must_list_and_shares_the_next_listing() {
        let mut fan_out = FanOut::default();
        fan_out.handle(Event::Init, &StoppedClock);
        let (mut late, must_list) = TestSubscriber::new(&mut fan_out, "app=a");
        assert!(must_list);
        fan_out.handle(Event::InitApply(pod("1", "a")), &StoppedClock);
        fan_out.handle(Event::InitDone, &StoppedClock);
        assert!(late.received().is_empty());
        fan_out.handle(Event::Apply(pod("1", "a")), &StoppedClock);
        assert_eq!(late.received(), ["applied a-1"]);
        list(&mut fan_out, vec![]);
        assert_eq!(late.received(), ["listed "]);
    }

    #[test]
    fn a_subscriber_that_was_dropped_is_removed() {
        let mut fan_out = FanOut::default();
        let (dropped, _) = TestSubscriber::new(&mut fan_out, "app=a");
        let (mut stays, _) = TestSubscriber::new(&mut fan_out, "app=a");
        list(&mut fan_out, vec![]);
        drop(dropped);
        fan_out.handle(Event::Apply(pod("1", "a")), &StoppedClock);
        assert_eq!(fan_out.subscribers.len(), 1);
        assert_eq!(stays.received(), ["listed ", "applied a-1"]);
        drop(stays);
        fan_out.broadcast(&PodWatchEvent::Alive);
        assert!(
            fan_out.subscribers.is_empty() && fan_out.namespaces.is_empty() && fan_out.known_by.is_empty()
        );
    }

    #[test]
    fn a_list_that_fails_reaches_subscribers_without_a_listing_and_is_shown_until_one_arrives() {
        let mut fan_out = FanOut::default();
        let (mut waits, _) = TestSubscriber::new(&mut fan_out, "app=a");
        fan_out.handle(Event::Init, &StoppedClock);
        fan_out.fail("the list failed: pods is forbidden (403)");
        assert_eq!(waits.received(), ["down the list failed: pods is forbidden (403)"]);
        let health = fan_out.health(SignedDuration::ZERO);
        assert_eq!(health.silent_for, None);
        assert_eq!(health.error.as_deref(), Some("the list failed: pods is forbidden (403)"));
        list(&mut fan_out, vec![pod("1", "a")]);
        assert_eq!(waits.received(), ["listed a-1"]);
        let health = fan_out.health(SignedDuration::from_secs(3));
        assert_eq!((health.silent_for, health.error), (Some(SignedDuration::from_secs(3)), None));
    }

    #[test]
    fn a_listing_that_breaks_off_forgets_no_pod() {
        let mut fan_out = FanOut::default();
        let (mut a, _) = TestSubscriber::new(&mut fan_out, "app=a");
        list(&mut fan_out, vec![pod("1", "a")]);
        fan_out.handle(Event::Init, &StoppedClock);
        fan_out.handle(Event::Apply(pod("1", "b")), &StoppedClock);
        assert_eq!(a.received(), ["listed a-1", "gone 1"]);
    }
}
