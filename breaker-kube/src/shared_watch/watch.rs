//! [`SharedPodWatch`]: the watch itself, and its subscriptions as streams.

use std::sync::Arc;
use std::time::Duration;

use breaker_core::ClusterClient;
use breaker_core::cluster::PodWatchEvent;
use futures::channel::mpsc;
use futures::stream::{self, BoxStream, StreamExt};
use parking_lot::Mutex;

use super::fan_out::FanOut;
use super::health::PodWatchHealth;
use crate::client::KubeClient;
use crate::pod_stream::{PodStreamEvent, watch_pods};
use crate::selector;

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
        let must_list = self.fan_out.lock().subscribe(namespace, &expressions, sender);
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
        let _ = seen.await;
    }

    /// Drops all subscribers. Those that subscribe now share the next listing.
    pub(crate) fn reset(&self) {
        *self.fan_out.lock() = FanOut::default();
    }

    pub(crate) fn health(&self) -> PodWatchHealth {
        self.fan_out.lock().health(self.kube.clock.elapsed())
    }

    /// Watches without end. `report` receives a sentence when the watch fails, and when it works
    /// again.
    pub(crate) async fn run(&self, report: &(dyn Fn(&str) + Sync)) {
        let mut events = watch_pods(&self.kube, self.namespace.as_deref(), None);
        let mut is_down = false;
        while let Some(event) = events.next().await {
            match event {
                PodStreamEvent::Pods(event) => self.fan_out.lock().handle(*event, &*self.kube.clock),
                PodStreamEvent::Accepted => self.fan_out.lock().broadcast_alive(self.kube.clock.elapsed()),
                PodStreamEvent::Failed(why) => {
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
