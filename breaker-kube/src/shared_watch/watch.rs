//! [`SharedPodWatch`]: the watch itself, and its subscriptions as streams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use breaker_core::ClusterClient;
use breaker_core::cluster::PodWatchEvent;
use futures::FutureExt;
use futures::channel::{mpsc, oneshot};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use parking_lot::Mutex;

use super::fan_out::FanOut;
use super::namespace_index::SubscriberId;
use crate::client::KubeClient;
use crate::selector;
use crate::watch_health::WatchHealth;
use crate::watch_stream::{WatchStreamEvent, watch_objects};

/// Time between two attempts of a late subscriber to list its pods.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A pod watch that many breakers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SharedPodWatch {
    kube: KubeClient,
    namespace: Option<String>,
    fan_out: Arc<Mutex<FanOut>>,
}

impl SharedPodWatch {
    /// A watch of one namespace, or of all with `None`. Sends no request before [`Self::run`].
    pub(crate) fn new(kube: KubeClient, namespace: Option<String>) -> Self {
        Self { kube, namespace, fan_out: Arc::default() }
    }

    /// The events of the pods that `selector` matches in `namespace`, as
    /// [`ClusterClient::watch_pods`] streams them.
    pub(crate) fn subscribe(&self, namespace: &str, selector: &str) -> BoxStream<'static, PodWatchEvent> {
        let Some(expressions) = selector::parse(selector) else {
            tracing::warn!("the selector `{selector}` cannot be parsed; its pods get a watch of their own");
            return self.kube.watch_pods(namespace, selector);
        };
        let (sender, events) = mpsc::unbounded();
        let (id, must_list) = self.fan_out.lock().subscribe(namespace, &expressions, sender);
        let events = Subscription { events, id, fan_out: Arc::clone(&self.fan_out) };
        if !must_list {
            return events.boxed();
        }
        let (kube, namespace, selector) = (self.kube.clone(), namespace.to_owned(), selector.to_owned());
        let listing = stream::unfold(false, move |done| {
            let (kube, namespace, selector) = (kube.clone(), namespace.clone(), selector.clone());
            async move {
                if done {
                    return None;
                }
                let asked = kube.clock.elapsed();
                match kube.list_pods(&namespace, &selector).await {
                    Ok(pods) => {
                        let asked_at = kube.clock.wall_time(asked);
                        Some((PodWatchEvent::Listed { pods, asked_at }, true))
                    }
                    Err(error) => {
                        tokio::time::sleep(RETRY_AFTER).await;
                        Some((PodWatchEvent::Down(error.chain()), false))
                    }
                }
            }
        });
        // Events that come before the end of the listing wait in the channel.
        listing.chain(events).boxed()
    }

    /// Returns once a pod of `namespace` is seen whose name starts with `prefix`: then the workload
    /// that creates it exists.
    pub(crate) async fn wait_for_pod(&self, namespace: &str, prefix: &str) {
        let seen = self.fan_out.lock().wait_for_pod(namespace, prefix);
        let _ = Waiting { seen, fan_out: &self.fan_out }.await;
    }

    /// Drops all subscribers. Those that subscribe now share the next listing.
    pub(crate) fn reset(&self) {
        let mut fan_out = self.fan_out.lock();
        *fan_out = fan_out.next();
    }

    /// The number of subscribers, of pods that they know, and of those who wait for a pod.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.fan_out.lock().len()
    }

    pub(crate) fn health(&self) -> WatchHealth {
        self.fan_out.lock().health(self.kube.clock.elapsed())
    }

    /// Watches without end. `report` receives a sentence when the watch fails, and when it works
    /// again.
    pub(crate) async fn run(&self, report: &(dyn Fn(&str) + Sync)) {
        let mut events = watch_objects(&self.kube, self.namespace.as_deref(), None);
        let mut is_down = false;
        while let Some(event) = events.next().await {
            match event {
                WatchStreamEvent::Objects(event) => self.fan_out.lock().handle(*event, &*self.kube.clock),
                WatchStreamEvent::Accepted => self.fan_out.lock().broadcast_alive(self.kube.clock.elapsed()),
                WatchStreamEvent::Failed(why) => {
                    self.fan_out.lock().fail(&why);
                    if !std::mem::replace(&mut is_down, true) {
                        report(&format!("the pod watch of all breakers is down: {why}"));
                    }
                }
            }
            if is_down && self.health().error.is_none() {
                is_down = false;
                report("the pod watch of all breakers works again");
            }
        }
    }
}

/// The events of one subscriber, who is forgotten when this is dropped.
struct Subscription {
    events: mpsc::UnboundedReceiver<PodWatchEvent>,
    id: SubscriberId,
    fan_out: Arc<Mutex<FanOut>>,
}

impl Stream for Subscription {
    type Item = PodWatchEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<PodWatchEvent>> {
        self.events.poll_next_unpin(context)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.close();
        self.fan_out.lock().unsubscribe(self.id);
    }
}

/// A wait for a pod, which is forgotten when this is dropped.
struct Waiting<'a> {
    seen: oneshot::Receiver<()>,
    fan_out: &'a Mutex<FanOut>,
}

impl Future for Waiting<'_> {
    type Output = Result<(), oneshot::Canceled>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.seen.poll_unpin(context)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.seen.close();
        self.fan_out.lock().forget_waiters();
    }
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use tokio::time::timeout;

    use super::*;
    use crate::test_server::{TestServer, status};

    #[tokio::test(start_paused = true)]
    async fn a_fleet_that_cannot_list_reports_one_line_and_every_breaker_learns_why() {
        let forbidden = "pods is forbidden: User \"w\" cannot list resource \"pods\" at the cluster scope";
        let server = TestServer::new(move |_, _| (403, status(403, forbidden)));
        let pods = SharedPodWatch::new(server.kube(), None);
        let mut breakers: Vec<_> = ["app=a", "app=b"].map(|selector| pods.subscribe("sre", selector)).into();
        let lines = Mutex::new(vec![]);
        let report = |line: &str| lines.lock().push(line.to_owned());
        assert!(timeout(Duration::from_secs(120), pods.run(&report)).await.is_err());
        let why = format!("the list failed: {forbidden} (403)");
        assert_eq!(*lines.lock(), [format!("the pod watch of all breakers is down: {why}")]);
        assert!(server.requests() > 20, "it is tried again");
        for breaker in &mut breakers {
            assert_eq!(breaker.next().await, Some(PodWatchEvent::Down(why.clone())));
        }
    }
}
