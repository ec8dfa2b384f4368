//! One pod watch for a whole fleet, fanned out by selector.
//!
//! ```text
//! pod watch ──▶ SharedPodWatch ──┬──▶ breaker of app=a      news of its own pods, as from a watch of its own
//! (a scope)              └──▶ breaker of app=b
//! ```
//!
//! No pod is kept: a breaker keeps the facts of its own pods, and the hub only which breakers a pod was told to.
//! Breakers known before the first listing share that listing; one that comes later lists its own pods once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breaker_core::cluster::PodWatchEvent;
use breaker_core::pod::PodReport;
use futures::channel::{mpsc, oneshot};
use futures::stream::{self, BoxStream, StreamExt};
use jiff::{SignedDuration, Timestamp};
use kube::Api;
use kube::ResourceExt;
use kube::core::{Expression, Selector, SelectorExt};
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use smallvec::SmallVec;
use tokio::sync::broadcast::error::RecvError;

use crate::pods::PartialPod;
use crate::watch::{PAGE, SERVER_TIMEOUT, back_off, reason};
use crate::{KubeClient, selector};

/// KedaPause between two attempts of a late breaker to list its pods.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// On a busy watch, how often those without news of their own are told that it is alive.
const ALIVE_INTERVAL: SignedDuration = SignedDuration::from_secs(20);

type Id = u64;

/// Whom a pod is told to: hardly ever more than one, and there are many pods.
type SubscriberIds = SmallVec<[Id; 2]>;

/// A pod watch shared by many breakers. Cheap to clone.
#[derive(Clone)]
pub struct SharedPodWatch {
    client: KubeClient,
    namespace: Option<String>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: Id,
    subscriptions: BTreeMap<Id, Subscription>,
    places: HashMap<String, Place>,
    /// Whom a pod was last told to, by a hash of its UID.
    told: HashMap<u64, SubscriberIds>,
    hash: RandomState,
    /// A listing has begun: who comes now lists for itself.
    begun: bool,
    awaited: Vec<(String, String, oneshot::Sender<()>)>,
    alive_at: Option<Timestamp>,
    told_alive_at: Option<Timestamp>,
}

struct Subscription {
    selector: Selector,
    sender: mpsc::UnboundedSender<PodWatchEvent>,
    /// Pods of the listing under way; `None` for who came after it had begun.
    listing: Option<Vec<PodReport>>,
}

/// The subscriptions of one namespace, by one label that their selector asks for.
#[derive(Default)]
struct Place {
    by_label: HashMap<String, Vec<Id>>,
    others: Vec<Id>,
}

impl SharedPodWatch {
    /// A hub for one namespace, or for all of them. Nothing is asked before [`SharedPodWatch::run`].
    pub fn new(client: KubeClient, namespace: Option<String>) -> Self {
        Self { client, namespace, state: Arc::default() }
    }

    /// News of the pods that `selector` matches in `namespace`, as
    /// [`ClusterClient::watch_pods`](breaker_core::ClusterClient::watch_pods) tells them.
    pub fn subscribe(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let Some(expressions) = selector::parse(selector) else {
            tracing::warn!("the selector `{selector}` cannot be read; watching its pods on their own");
            return self.client.pods_watched(namespace, selector);
        };
        let (sender, news) = mpsc::unbounded();
        let late = self.state().add(namespace, &expressions, sender);
        if !late {
            return news.boxed();
        }
        let (client, namespace, selector) = (self.client.clone(), namespace.to_owned(), selector.to_owned());
        let listed = stream::unfold(false, move |done| {
            let (client, namespace, selector) = (client.clone(), namespace.clone(), selector.clone());
            async move {
                if done {
                    return None;
                }
                match client.pods_listed(&namespace, &selector).await {
                    Ok(pods) => Some((PodWatchEvent::Listed(pods), true)),
                    Err(error) => {
                        tokio::time::sleep(RETRY_AFTER).await;
                        Some((PodWatchEvent::Down(error.chain()), false))
                    }
                }
            }
        });
        // What comes while the list is under way waits in the channel.
        listed.chain(news).boxed()
    }

    /// Returns once a pod is seen in `namespace` whose name begins with `prefix`: what creates it has come to life.
    pub async fn wait_for_pod(&self, namespace: &str, prefix: &str) {
        let (sender, seen) = oneshot::channel();
        self.state().awaited.push((namespace.into(), prefix.into(), sender));
        let _ = seen.await;
    }

    /// Forgets everybody: who subscribes now shares the next listing.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    /// When the watch last showed a sign of life.
    pub fn alive_at(&self) -> Option<Timestamp> {
        self.state().alive_at
    }

    /// Watches, without end.
    pub async fn run(&self) {
        let api: Api<PartialPod> = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.client.clone(), namespace),
            None => Api::all(self.client.client.clone()),
        };
        let config = watcher::Config::default().timeout(SERVER_TIMEOUT).page_size(PAGE);
        let mut events = watcher(api, config).backoff(back_off()).boxed();
        let mut pulses = self.client.pulses.listen();
        let mut down = false;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(Ok(event)) => {
                        if std::mem::take(&mut down) {
                            tracing::info!("the pod watch is up again");
                        }
                        let now = self.client.clock.now();
                        self.state().event(event, now);
                    }
                    Some(Err(error)) => {
                        down = true;
                        self.state().broadcast(&PodWatchEvent::Down(reason(&error)));
                    }
                    None => return,
                },
                pulse = pulses.recv() => match pulse {
                    Ok(address) if watches_scope(&address, self.namespace.as_deref()) => {
                        let now = self.client.clock.now();
                        self.state().alive(now, true);
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Answers whether it came too late for the listing.
    fn add(
        &mut self,
        namespace: &str,
        expressions: &[Expression],
        sender: mpsc::UnboundedSender<PodWatchEvent>,
    ) -> bool {
        let id = self.next;
        self.next += 1;
        let place = self.places.entry(namespace.to_owned()).or_default();
        let label = expressions.iter().find_map(|expression| match expression {
            Expression::Equal(key, value) => Some(label(key, value)),
            _ => None,
        });
        match label {
            Some(label) => place.by_label.entry(label).or_default().push(id),
            None => place.others.push(id),
        }
        let listing = (!self.begun).then(Vec::new);
        let subscription = Subscription { selector: selector::selector(expressions), sender, listing };
        self.subscriptions.insert(id, subscription);
        self.begun
    }

    fn event(&mut self, event: Event<PartialPod>, now: Timestamp) {
        match event {
            Event::Init => {
                self.begun = true;
                self.told.clear();
                for subscription in self.subscriptions.values_mut() {
                    subscription.listing = Some(Vec::new());
                }
            }
            Event::InitApply(pod) => {
                let matching = self.matching(&pod);
                self.tell_awaited(&pod);
                if matching.is_empty() {
                    return;
                }
                let uid = self.hash.hash_one(pod.uid());
                let report = PodReport::from(pod);
                for id in &matching {
                    let subscription = self.subscriptions.get_mut(id);
                    if let Some(listing) = subscription.and_then(|found| found.listing.as_mut()) {
                        listing.push(report.clone());
                    }
                }
                self.told.insert(uid, matching);
            }
            Event::InitDone => {
                self.alive(now, false);
                let mut gone = Vec::new();
                for (id, subscription) in &mut self.subscriptions {
                    if let Some(pods) = subscription.listing.take()
                        && subscription.sender.unbounded_send(PodWatchEvent::Listed(pods)).is_err()
                    {
                        gone.push(*id);
                    }
                }
                self.remove(&gone);
            }
            Event::Apply(pod) => {
                self.alive(now, false);
                let matching = self.matching(&pod);
                self.tell_awaited(&pod);
                let uid = pod.uid().unwrap_or_default();
                let key = self.hash.hash_one(Some(&uid));
                let before = match matching.is_empty() {
                    true => self.told.remove(&key),
                    false => self.told.insert(key, matching.clone()),
                };
                // Relabelled: for whom it no longer matches it is gone.
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
            Event::Delete(pod) => {
                self.alive(now, false);
                let uid = pod.uid().unwrap_or_default();
                let mut told: HashSet<Id> = self.matching(&pod).into_iter().collect();
                told.extend(self.told.remove(&self.hash.hash_one(Some(&uid))).unwrap_or_default());
                for id in told {
                    self.send(id, PodWatchEvent::Deleted(uid.clone()));
                }
            }
        }
    }

    fn matching(&self, pod: &PartialPod) -> SubscriberIds {
        let Some(place) = pod.metadata().namespace.as_ref().and_then(|name| self.places.get(name)) else {
            return SubscriberIds::new();
        };
        let labels = pod.labels();
        let named = labels.iter().filter_map(|(key, value)| place.by_label.get(&label(key, value))).flatten();
        let asked = named.chain(&place.others);
        asked.filter(|id| self.subscriptions[id].selector.matches(labels)).copied().collect()
    }

    fn tell_awaited(&mut self, pod: &PartialPod) {
        if self.awaited.is_empty() {
            return;
        }
        let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
        let (seen, waiting) = std::mem::take(&mut self.awaited)
            .into_iter()
            .filter(|(_, _, sender)| !sender.is_canceled())
            .partition(|(in_, prefix, _)| *in_ == namespace && name.starts_with(prefix.as_str()));
        self.awaited = waiting;
        let seen: Vec<(String, String, oneshot::Sender<()>)> = seen;
        for (_, _, sender) in seen {
            let _ = sender.send(());
        }
    }

    /// Every event is a sign of life for all; `tell`, or now and then, they are told so.
    fn alive(&mut self, now: Timestamp, tell: bool) {
        self.alive_at = Some(now);
        if tell || self.told_alive_at.is_none_or(|at| now.duration_since(at) > ALIVE_INTERVAL) {
            self.told_alive_at = Some(now);
            self.broadcast(&PodWatchEvent::Alive);
        }
    }

    fn send(&mut self, id: Id, news: PodWatchEvent) {
        let gone = self.subscriptions.get(&id).is_some_and(|to| to.sender.unbounded_send(news).is_err());
        if gone {
            self.remove(&[id]);
        }
    }

    /// To everybody who has had a listing: before it, nothing else is news.
    fn broadcast(&mut self, news: &PodWatchEvent) {
        let gone: Vec<_> = self
            .subscriptions
            .iter()
            .filter(|(_, to)| match to.listing {
                Some(_) => to.sender.is_closed(),
                None => to.sender.unbounded_send(news.clone()).is_err(),
            })
            .map(|(id, _)| *id)
            .collect();
        self.remove(&gone);
    }

    fn remove(&mut self, ids: &[Id]) {
        if ids.is_empty() {
            return;
        }
        for id in ids {
            self.subscriptions.remove(id);
        }
        let left = |id: &Id| !ids.contains(id);
        self.places.retain(|_, place| {
            place.others.retain(left);
            place.by_label.retain(|_, of| {
                of.retain(left);
                !of.is_empty()
            });
            !place.by_label.is_empty() || !place.others.is_empty()
        });
        self.told.retain(|_, to| {
            to.retain(|id| left(id));
            !to.is_empty()
        });
    }
}

fn label(key: &str, value: &str) -> String {
    format!("{key}={value}")
}

/// Whether this address is the watch of all pods of the scope.
fn watches_scope(address: &str, namespace: Option<&str>) -> bool {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let ours = match namespace {
        Some(namespace) => path.ends_with(&format!("/api/v1/namespaces/{namespace}/pods")),
        None => path.ends_with("/api/v1/pods"),
    };
    ours && !form_urlencoded::parse(query.as_bytes())
        .any(|(key, value)| key == "labelSelector" && !value.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(uid: &str, app: &str) -> PartialPod {
        let metadata =
            json!({"name": format!("{app}-{uid}"), "namespace": "sre", "uid": uid, "labels": {"app": app}});
        serde_json::from_value(json!({"metadata": metadata})).unwrap()
    }

    struct Ear(mpsc::UnboundedReceiver<PodWatchEvent>);

    impl Ear {
        fn on(state: &mut State, selector: &str) -> (Self, bool) {
            let (sender, news) = mpsc::unbounded();
            let late = state.add("sre", &selector::parse(selector).unwrap(), sender);
            (Self(news), late)
        }

        /// What was told since the last time, signs of life left out.
        fn told(&mut self) -> Vec<String> {
            let mut told = Vec::new();
            while let Ok(news) = self.0.try_recv() {
                told.push(match news {
                    PodWatchEvent::Applied(pod) => format!("applied {}", pod.name),
                    PodWatchEvent::Deleted(uid) => format!("gone {uid}"),
                    PodWatchEvent::Listed(pods) => {
                        let names: Vec<_> = pods.iter().map(|pod| pod.name.as_str()).collect();
                        format!("listed {}", names.join(" "))
                    }
                    PodWatchEvent::Down(why) => format!("down {why}"),
                    PodWatchEvent::Alive => continue,
                });
            }
            told
        }
    }

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn list(state: &mut State, pods: Vec<PartialPod>) {
        state.event(Event::Init, now());
        for pod in pods {
            state.event(Event::InitApply(pod), now());
        }
        state.event(Event::InitDone, now());
    }

    #[test]
    fn each_hears_of_its_own_pods_alone() {
        let mut state = State::default();
        let (mut a, late) = Ear::on(&mut state, "app=a");
        let (mut any, _) = Ear::on(&mut state, "app in (a,b)");
        assert!(!late);
        list(&mut state, vec![pod("1", "a"), pod("2", "b"), pod("3", "c")]);
        assert_eq!((a.told(), any.told()), (vec!["listed a-1".into()], vec!["listed a-1 b-2".to_owned()]));
        state.event(Event::Apply(pod("2", "b")), now());
        state.event(Event::Delete(pod("1", "a")), now());
        assert_eq!(a.told(), ["gone 1"]);
        assert_eq!(any.told(), ["applied b-2", "gone 1"]);
    }

    #[test]
    fn a_pod_relabelled_away_is_gone_and_one_relabelled_here_is_news() {
        let mut state = State::default();
        let (mut a, _) = Ear::on(&mut state, "app=a");
        let (mut b, _) = Ear::on(&mut state, "app=b");
        list(&mut state, vec![pod("1", "a")]);
        a.told();
        b.told();
        state.event(Event::Apply(pod("1", "b")), now());
        assert_eq!((a.told(), b.told()), (vec!["gone 1".to_owned()], vec!["applied b-1".to_owned()]));
    }

    #[test]
    fn who_comes_after_the_listing_began_is_told_to_list_and_is_in_the_next_one() {
        let mut state = State::default();
        state.event(Event::Init, now());
        let (mut late, is_late) = Ear::on(&mut state, "app=a");
        assert!(is_late);
        state.event(Event::InitApply(pod("1", "a")), now());
        state.event(Event::InitDone, now());
        assert!(late.told().is_empty());
        state.event(Event::Apply(pod("1", "a")), now());
        assert_eq!(late.told(), ["applied a-1"]);
        list(&mut state, vec![]);
        assert_eq!(late.told(), ["listed "]);
    }

    #[test]
    fn who_no_longer_listens_is_forgotten() {
        let mut state = State::default();
        let (gone, _) = Ear::on(&mut state, "app=a");
        let (mut stays, _) = Ear::on(&mut state, "app=a");
        list(&mut state, vec![]);
        drop(gone);
        state.event(Event::Apply(pod("1", "a")), now());
        assert_eq!(state.subscriptions.len(), 1);
        assert_eq!(stays.told(), ["listed ", "applied a-1"]);
        drop(stays);
        state.broadcast(&PodWatchEvent::Alive);
        assert!(state.subscriptions.is_empty() && state.places.is_empty() && state.told.is_empty());
    }

    #[test]
    fn the_watch_of_the_scope_is_known_by_its_address() {
        for (address, namespace, ours) in [
            ("/api/v1/pods?watch=true&timeoutSeconds=60", None, true),
            ("/api/v1/namespaces/sre/pods?watch=true", Some("sre"), true),
            ("/api/v1/namespaces/sre/pods?watch=true", None, false),
            ("/api/v1/pods?watch=true&labelSelector=app%3Da", None, false),
        ] {
            assert_eq!(watches_scope(address, namespace), ours, "{address} {namespace:?}");
        }
    }
}
